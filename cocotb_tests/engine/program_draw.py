"""Random legal programs of an engine, and memory for them."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_BYTES,
    operations,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig

__all__ = [
    *("MIXED", "Descriptor", "Kind", "Layout", "Program"),
    *("draw_commands", "draw_program", "packed", "preamble"),
]

Descriptor = tuple[str, dict[str, int]]
Kind = tuple[str, Mapping[str, int]]  # an operation, and values that some of its fields must have
MIXED = ("load", "copy", "run", "run", "run", "store", "store")
MANY = 60  # vectors of a long store
ENOUGH = 10_000  # draws in which a descriptor of a kind is found


class Layout(NamedTuple):
    """Where what lies in memory, in bytes from the image's first: sizes of the parts."""

    queue: int
    weights: int
    inputs: int
    channels: int
    results: int
    end: int


class Program(NamedTuple):
    """Descriptors, and the memory that they work on; ``base`` is the address of its first byte."""

    descriptors: list[Descriptor]
    image: np.ndarray
    base: int
    layout: Layout


def draw_program(
    config: EngineConfig, rng: Random, length: int, kinds: Sequence[Kind] = ()
) -> Program:
    """A program that first writes all state there is, then ``length`` random descriptors, then a
    random one of each of ``kinds``."""
    base = rng.randrange(1, 0xFF000) * 4096  # any bit of an address, and room behind
    layout = _layout(config, length + len(kinds))
    data = np.random.default_rng(rng.getrandbits(32))
    image = data.integers(0, 256, layout.end, np.uint8)
    _write_channels(config, image, layout, data)
    descriptors = preamble(config, base, layout, rng)
    descriptors += draw_commands(config, base, layout, rng, length)
    descriptors += [(name, _of(config, base, layout, rng, name, told)) for name, told in kinds]
    queue = packed(config, descriptors)
    image[layout.queue : layout.queue + len(queue)] = queue
    return Program(descriptors, image, base, layout)


def draw_commands(
    config: EngineConfig,
    base: int,
    layout: Layout,
    rng: Random,
    length: int,
    names: Sequence[str] = MIXED,
) -> list[Descriptor]:
    """Random descriptors, of operations of ``names``, of a program that has this layout at
    ``base``."""
    drawn = []
    for _ in range(length):
        name = rng.choice(names)
        values = globals()[f"_{name}"](config, base, layout, rng)
        values["interrupt"] = rng.randrange(2)
        drawn.append((name, values))
    return drawn


def packed(config: EngineConfig, descriptors: Sequence[Descriptor]) -> np.ndarray:
    """The bytes of descriptors in memory."""
    words = [w for name, values in descriptors for w in pack_descriptor(config, name, values)]
    return np.array(words, "<u4").view(np.uint8)


def preamble(config: EngineConfig, base: int, layout: Layout, rng: Random) -> list[Descriptor]:
    """Every bank, the whole activation buffer, all channels and all kept sums are written."""
    macro = config.macro
    loads = []
    for bank in range(macro.banks):
        values = {"bank": bank, "rows": macro.rows, "source": base + layout.weights}
        values["signed"] = rng.randrange(2)
        if macro.w_fuse_width:
            values["fuse"] = rng.randrange(len(macro.modes))
        loads.append(("load", values))
    channels = {"channels": 1, "count": config.channels, "source": base + layout.channels}
    copies = [
        ("copy", channels),
        ("copy", {"count": config.act_bytes, "source": base + layout.inputs}),
    ]
    run = {"vectors": config.acc_vectors, **_line(config, config.vector_bytes)}
    return [*loads, *copies, ("run", run)]


def _of(
    config: EngineConfig, base: int, layout: Layout, rng: Random, name: str, told: Mapping[str, int]
) -> dict[str, int]:
    """Random fields of an operation of which some are told."""
    for _ in range(ENOUGH):
        drawn = globals()[f"_{name}"](config, base, layout, rng)
        if all(drawn.get(field, 0) == value for field, value in told.items()):
            return drawn
    raise AssertionError(f"no {name} with {dict(told)} in {ENOUGH} draws")


def _end(config: EngineConfig, base: int, layout: Layout, rng: Random) -> dict[str, int]:
    return {"interrupt": rng.randrange(2)}


def _line(config: EngineConfig, size: int) -> dict[str, int]:
    """Vectors of ``size`` contiguous bytes."""
    return {"line_bytes": size, "segment": size, "length": size, "image_pitch": size}


def _layout(config: EngineConfig, length: int) -> Layout:
    sizes = (
        (config.macro.banks + length + 8) * DESCRIPTOR_BYTES,
        (config.macro.rows + 4) * config.row_words * config.bus_bytes,
        config.act_bytes + 1024,
        config.channels * CHANNEL_WORDS * 4 + 512,
        4096,
    )
    ends, place = [], 0
    for size in sizes:
        ends.append(place)
        place += -(-size // 64) * 64
    queue, weights, inputs, channels, results = ends
    return Layout(queue, weights, inputs, channels, results, place)


def _write_channels(config: EngineConfig, image, layout: Layout, data) -> None:
    """Legal channels."""
    count = (layout.results - layout.channels) // (4 * CHANNEL_WORDS)
    table = np.zeros((count, CHANNEL_WORDS), np.int64)
    table[:, 0] = data.integers(-(1 << 31), 1 << 31, count) >> data.integers(0, 31, count)
    table[:, 1] = data.integers(0, 1 << 31, count) >> data.integers(0, 31, count)
    table[::2, 1] = data.integers(0, 1 << 31, len(table[::2]))
    table[:, 2] = data.integers(-31, 32, count)
    table[: count // 2, 2] = data.integers(-12, 3, count // 2)
    table[:, 3] = data.integers(-(1 << 15), 1 << 15, count)
    table[::3, 1] = 1 << data.integers(20, 31, len(table[::3]))  # ties
    words = (table & 0xFFFFFFFF).astype("<u4").view(np.uint8).ravel()
    image[layout.channels : layout.channels + len(words)] = words


def _most(config: EngineConfig, name: str, field: str) -> int:
    known = next(o for o in operations(config) if o.name == name)
    return known.field(field).most


def _load(config: EngineConfig, base: int, layout: Layout, rng: Random) -> dict[str, int]:
    macro = config.macro
    fill = macro.grouped and rng.random() < 0.3
    first = 0 if fill else rng.randrange(macro.rows)
    rows = macro.rows if fill else rng.randint(1, macro.rows - first)
    source = base + layout.weights + rng.randrange(4) * config.bus_bytes
    values = {"bank": rng.randrange(macro.banks), "first": first, "rows": rows, "source": source}
    values["signed"] = rng.randrange(2)
    if macro.grouped:
        values["fill"] = int(fill)
    if macro.w_fuse_width:
        values["fuse"] = rng.randrange(len(macro.modes))
    return values


def _copy(config: EngineConfig, base: int, layout: Layout, rng: Random) -> dict[str, int]:
    step = config.bus_bytes
    if rng.random() < 0.2:
        count = rng.randint(1, min(6, config.channels))
        target = rng.randint(0, config.channels - count)
        source = base + layout.channels + rng.randrange(4) * step
        return {"channels": 1, "count": count, "target": target, "source": _aligned(source, 16)}
    count, lines = rng.randint(1, 70), rng.randint(1, 5)
    return {
        "count": min(count, config.act_bytes),
        "lines": lines,
        "source": base + layout.inputs + rng.randrange(8) * step,
        "source_pitch": rng.randrange(12) * step,
        "target": rng.randrange(4 * config.act_bytes) // step * step % (1 << 20),
        "target_pitch": rng.randrange(12) * step,
    }


def _aligned(value: int, step: int) -> int:
    return value // step * step


def _run(config: EngineConfig, base: int, layout: Layout, rng: Random) -> dict[str, int]:
    macro, size = config.macro, config.element_bytes
    vectors = rng.randint(1, min(config.acc_vectors, 6))
    values = {
        **{"bank": rng.randrange(macro.banks), "signed": rng.randrange(2)},
        **{"accumulate": rng.randrange(2), "bits": rng.randrange(macro.input_bits + 1)},
        **{"vectors": vectors, "sums": rng.randint(0, config.acc_vectors - vectors)},
        "source": rng.randrange(config.act_bytes) // size * size,
        "image_pitch": rng.randrange(64) * size,
        "pad": rng.getrandbits(8 * size),
        "length": rng.randint(1, macro.rows) * size,
    }
    if macro.binary:
        values["rows"] = rng.randrange(macro.rows + 1)
    if rng.random() < 0.4:
        return values | {"line_bytes": values["length"], "segment": values["length"]}
    across, down = rng.randint(1, 4), rng.randint(1, 4)
    segment = rng.randint(1, 9)
    return values | {
        **{"line_bytes": rng.randint(1, 30) * size, "lines": rng.randint(1, 6)},
        **{"segment": segment * size, "segments_x": across, "segments_y": down},
        **{"step_x": rng.randrange(10) * size, "step_y": rng.randrange(3)},
        **{"stride_x": rng.randrange(10) * size, "stride_y": rng.randrange(3)},
        **{"count_x": rng.randint(1, 3), "count_y": rng.randint(1, 3)},
        **{"origin_x": rng.randint(-9, 9) * size, "origin_y": rng.randint(-3, 3)},
        **{"skip_x": rng.randrange(across), "skip_y": rng.randrange(down)},
        "skip": rng.randrange(segment) * size,
    }


def _store(config: EngineConfig, base: int, layout: Layout, rng: Random) -> dict[str, int]:
    few = 5 if rng.random() < 0.7 else MANY  # enough to fill all blocks between sums and memory
    vectors = rng.randint(1, min(config.acc_vectors, few))
    outputs = rng.randint(1, config.outputs)
    ends = sorted(rng.choice((-32768, -128, -7, 0, 100, 127, 32767)) for _ in range(2))
    raw = rng.randrange(2)
    room = layout.end - layout.results
    pitch = rng.randrange(min(200, room // (vectors + 3)))
    size = (4 if config.acc_bits == 32 else 8) if raw else 2
    outputs = min(outputs, (room - vectors * pitch) // size)
    last = room - (vectors - 1) * pitch - outputs * size
    values = {
        "target": base + layout.results + rng.randint(0, last),
        "target_pitch": pitch,
        **{"vectors": vectors, "sums": rng.randint(0, config.acc_vectors - vectors)},
        **{"outputs": outputs, "first": rng.randint(0, config.outputs - outputs)},
        "channel": rng.randint(0, config.channels - outputs),
        **{"rounding": rng.randrange(3), "raw": raw, "wide": rng.randrange(2)},
        **{"zero": rng.randint(-128, 127), "lowest": ends[0], "highest": ends[1]},
    }
    if config.weight_zeros:
        values["ones"] = rng.randrange(config.outputs)
    return values
