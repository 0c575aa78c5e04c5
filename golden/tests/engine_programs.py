"""Small programs for the engine model: descriptors at 0 of a memory, data behind them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cimforge.golden.engine import EngineModel, QueueResult
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, pack_descriptor
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = [
    *("ACTIVATIONS", "CHANNELS", "DATA", "HALF", "LOAD", "ROWS", "TARGET", "WEIGHTS"),
    *("channel", "copy", "copy_channels", "elements", "engine", "fully_connected", "pack_rows"),
    *("raw", "run", "stored", "write_queue"),
]

DATA = 0x400  # data begin here, behind at most 16 descriptors
SIZE = 0x1000  # bytes of memory

HALF = 1 << 30  # the multiplier of 1/2
WEIGHTS, ACTIVATIONS, CHANNELS, TARGET = DATA, DATA + 0x100, DATA + 0x200, DATA + 0x300

# Rows (1, -2), (3, 4), (-5, 6), (7, -8) of 4-bit weights, the low one first, in a word of 4 bytes.
# Padding is ones: nobody may look at it.
ROWS = bytes.fromhex("e1ffffff 43ffffff 6bffffff 87ffffff")
LOAD = ("load", {"source": WEIGHTS, "rows": 4, "signed": 1})

Step = tuple[str, Mapping[str, int]]


def engine(macro: Mapping[str, Any] | None = None, **parameters: Any) -> EngineConfig:
    """A tiny engine: macros of 4 rows x 2 columns, 4-bit weights, 8-bit inputs."""
    shape = {"rows": 4, "cols": 2, "weight_bits": 4, "input_bits": 8, **(macro or {})}
    return EngineConfig(
        macro=MacroConfig(**shape), **{"act_bytes": 64, "acc_vectors": 16, **parameters}
    )


def write_queue(config: EngineConfig, memory: np.ndarray, *steps: Step) -> None:
    """Descriptors, a name and fields each, from 0 of memory on."""
    assert len(steps) * DESCRIPTOR_BYTES <= DATA
    for number, (name, values) in enumerate(steps):
        words = np.array(pack_descriptor(config, name, values), "<u4")
        place = number * DESCRIPTOR_BYTES
        memory[place : place + DESCRIPTOR_BYTES] = words.view(np.uint8)


def run(
    config: EngineConfig, steps: list[Step], data: Mapping[int, bytes], model: Any = None
) -> tuple[EngineModel, QueueResult]:
    """Steps in a memory with ``data`` at their addresses, by a new model or a further queue of
    one; the rest of a new memory is 0xA5."""
    model = model or EngineModel(config, np.full(SIZE, 0xA5, np.uint8))
    write_queue(config, model.memory.data, *steps)
    for address, content in data.items():
        model.memory.data[address : address + len(content)] = np.frombuffer(content, np.uint8)
    return model, model.run_queue(0, len(steps))


def fully_connected(length: int, **more: int) -> Step:
    """A RUN of vectors of ``length`` bytes, one behind the other."""
    shape = {"line_bytes": length, "segment": length, "length": length, "image_pitch": length}
    return "run", {**shape, "signed": 1, **more}


def channel(bias: int, multiplier: int, shift: int, weight_zero: int = 0) -> bytes:
    """A channel in memory."""
    return (
        np.array([bias, multiplier, shift & 0xFFFFFFFF, weight_zero & 0xFFFF], np.int64)
        .astype("<u4")
        .tobytes()
    )


def pack_rows(config: EngineConfig, rows: Any, weight_bits: int) -> bytes:
    """Rows of weights, of all macros' outputs, as a LOAD finds them: one sum of shifted weights a
    row, in whole words of the bus."""
    packed = b""
    for row in np.asarray(rows).tolist():
        word = sum((w % 2**weight_bits) << weight_bits * j for j, w in enumerate(row))
        packed += word.to_bytes(config.row_words * config.bus_bits // 8, "little")
    return packed


def copy(count: int, **more: int) -> Step:
    """A COPY of ``count`` bytes to the buffer's 0."""
    return "copy", {"source": ACTIVATIONS, "count": count, **more}


def copy_channels(count: int, target: int = 0) -> Step:
    """A COPY of channels."""
    return "copy", {"source": CHANNELS, "count": count, "channels": 1, "target": target}


def raw(**more: int) -> Step:
    """A STORE of sums as they are."""
    return "store", {"target": TARGET, "outputs": 2, "target_pitch": 8, "raw": 1, **more}


def elements(**more: int) -> Step:
    """A STORE of requantised elements."""
    limits = {"lowest": -128, "highest": 127, "outputs": 2, "target_pitch": 2}
    return "store", {"target": TARGET, **limits, **more}


def stored(model: EngineModel, kind: str, count: int, at: int = TARGET) -> list[int]:
    """``count`` numbers of memory."""
    data = model.memory.data[at : at + count * np.dtype(kind).itemsize]
    return np.frombuffer(data.tobytes(), kind).tolist()
