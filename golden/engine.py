"""EngineModel: what an engine holds, and what its descriptors make of it and of memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cimforge.golden.cycles import pass_cycles
from cimforge.golden.engine_channels import CHANNEL_BYTES, ChannelError, ChannelTable
from cimforge.golden.engine_gather import gather_vectors
from cimforge.golden.engine_memory import AccessError, Bytes, EngineMemory
from cimforge.golden.macro import MacroModel
from cimforge.golden.numerics import Ints
from cimforge.golden.requantise import requantise
from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_BYTES,
    OPERATIONS,
    ROUNDINGS,
    DescriptorError,
    check_descriptor,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["EngineError", "EngineModel", "QueueResult"]


@dataclass(frozen=True)
class EngineError:
    """Why a queue ended early: the cause, ``descriptor``, ``read``, ``write`` or ``channel``; the
    index of the descriptor in the queue; of a malformed one the field, else None."""

    cause: str
    index: int
    field: str | None = None


class QueueResult(NamedTuple):
    """What became of a queue: descriptors that ended, ``end`` among them; the error that ended it,
    or None; the sticky overflow; and the indices of the descriptors that raised an interrupt of
    their own, beside that of the queue's end or error."""

    ended: int
    error: EngineError | None
    overflow: bool
    interrupts: tuple[int, ...]


class EngineModel:
    """What an engine of ``config`` holds and computes, without time (README.md, E1..E13).

    ``memory`` is shared with the caller and begins at the address ``base``, see EngineMemory. All
    state is open to tests: ``macros`` (a MacroModel each), ``activation`` (act_bytes,), ``sums``
    (acc_vectors, outputs) int64, ``channels``, ``overflow`` (sticky until it is set to False), and
    the counts of the contract: ``vectors``, ``macs_1b``, ``planes_skipped`` (groups of
    bits_per_cycle planes that zero_skip left out), ``memory.words_read`` and ``.words_written``.

    Descriptors are executed one after the other, each entirely, so ``beside`` says nothing here: a
    queue that may only run in some order has this result. State that nothing has written is
    undefined in hardware and 0 here.
    """

    def __init__(self, config: EngineConfig, memory: Any, base: int = 0):
        self.config = config
        self.memory = EngineMemory(config, memory, base)
        self.macros = [MacroModel(config.macro) for _ in range(config.macros)]
        self.activation: Bytes = np.zeros(config.act_bytes, np.uint8)
        self.channels = ChannelTable(config)
        self.sums: Ints = np.zeros((config.acc_vectors, config.outputs), np.int64)
        self.overflow = False
        self.vectors = self.macs_1b = self.planes_skipped = 0

    def run_queue(self, base: int, count: int) -> QueueResult:
        """Execute up to ``count`` descriptors from the byte ``base`` of memory on, in order; an
        ``end`` or the first error ends the queue.

        Words of descriptors are not among those counted. Raises ValueError for a base that is no
        multiple of DESCRIPTOR_BYTES.
        """
        if base % DESCRIPTOR_BYTES:
            nearest = base // DESCRIPTOR_BYTES * DESCRIPTOR_BYTES
            rule = f"must be a multiple of {DESCRIPTOR_BYTES}, not {base}"
            raise ValueError(f"base {rule} (nearest legal value: {nearest})")
        interrupts: list[int] = []
        for index in range(count):
            try:
                values = self.execute(self._fetch(base + index * DESCRIPTOR_BYTES))
            except (DescriptorError, AccessError, ChannelError) as fault:
                error = EngineError(_cause(fault), index, getattr(fault, "field", None))
                return QueueResult(index, error, self.overflow, tuple(interrupts))
            interrupts += [index] * values["interrupt"]
            if OPERATIONS[values["op"]] == "end":
                return QueueResult(index + 1, None, self.overflow, tuple(interrupts))
        return QueueResult(count, None, self.overflow, tuple(interrupts))

    def execute(self, descriptor: Mapping[str, int] | Sequence[int]) -> dict[str, int]:
        """Execute one descriptor, its words or its fields by name, and return its fields.

        Fields that are left out are as pack_descriptor has them; ``op`` is not. Raises
        DescriptorError for a malformed one, AccessError where memory is missing and ChannelError
        for an illegal channel: then nothing has moved.
        """
        if isinstance(descriptor, Mapping):
            name = OPERATIONS[descriptor["op"]]
            descriptor = pack_descriptor(self.config, name, descriptor)
        values = check_descriptor(self.config, descriptor)
        name = OPERATIONS[values["op"]]
        if name != "end":
            getattr(self, f"_{name}")(values)
        return values

    def _fetch(self, address: int) -> list[int]:
        """The words of the descriptor at ``address``, uncounted."""
        counted = self.memory.words_read
        data = self.memory.read([address], DESCRIPTOR_BYTES)
        self.memory.words_read = counted
        return [int(word) for word in np.frombuffer(data.tobytes(), "<u4")]

    def _load(self, load: Mapping[str, int]) -> None:
        """E2, E3: rows of weights into a bank of each macro."""
        config, fuse = self.config, load.get("fuse", 0)
        rows = self._lines(load, load["rows"], config.row_words * config.bus_bytes)
        mode = config.macro.modes[fuse]
        bits = np.unpackbits(rows, axis=1, bitorder="little").astype(np.int64)
        whole = bits[:, : config.macros * mode.row_width]
        each = whole.reshape(len(rows), config.macros, mode.outputs, mode.weight_bits)
        patterns = (each << np.arange(mode.weight_bits)).sum(axis=-1)
        told = bool(load["signed"]), bool(load.get("fill", 0)), fuse
        for number, macro in enumerate(self.macros):
            for row, weights in enumerate(patterns[:, number], load["first"]):
                macro.write(load["bank"], row, weights, *told)

    def _copy(self, copy: Mapping[str, int]) -> None:
        """E2: lines into the ring, or channels into the table."""
        if copy["channels"]:
            data = self._lines(copy, 1, copy["count"] * CHANNEL_BYTES)
            self.channels.store(copy["target"], data)
            return
        lines = self._lines(copy, copy["lines"], copy["count"], copy["source_pitch"])
        for number, line in enumerate(lines):
            first = copy["target"] + number * copy["target_pitch"]
            self.activation[(first + np.arange(len(line))) % len(self.activation)] = line

    def _lines(self, fields: Mapping[str, int], lines: int, count: int, pitch: int = 0) -> Bytes:
        """Lines of ``count`` bytes from memory or the stream; in memory without a pitch one behind
        the other."""
        if fields.get("stream", 0):
            return self.memory.take(lines, count)
        step = pitch if "source_pitch" in fields else count
        return self.memory.read([fields["source"] + n * step for n in range(lines)], count)

    def _run(self, run: Mapping[str, int]) -> None:
        """E4..E6: vectors through a bank into the kept sums, modulo 2^acc_bits."""
        x = gather_vectors(self.config, self.activation, run)
        bits, signed, bank, rows = run["bits"], bool(run["signed"]), run["bank"], run.get("rows", 0)
        y = np.concatenate(
            [m.mvm(x, x_bits=bits, x_signed=signed, bank=bank, x_rows=rows) for m in self.macros],
            axis=1,
        )
        kept = self.sums[run["sums"] : run["sums"] + len(x)]
        if not run["accumulate"]:
            kept[:] = 0  # outputs that the mode does not have as well
        total, half = y + kept[:, : y.shape[1]], 1 << self.config.acc_bits - 1
        self.overflow |= bool(((total < -half) | (total >= half)).any())
        kept[:, : y.shape[1]] = (total + half) % (2 * half) - half
        self._count(x, bits, signed)

    def _count(self, x: Ints, bits: int, signed: bool) -> None:
        """E13: the vectors, the groups of planes they took, and the 1b-MACs of these in all
        macros."""
        macro = self.config.macro
        most = pass_cycles(macro, bits, signed)
        groups = most * len(x)
        if macro.skips:
            groups = sum(pass_cycles(macro, bits, signed, vector) for vector in x)
        self.vectors += len(x)
        self.planes_skipped += most * len(x) - groups
        self.macs_1b += self.config.macros * macro.macs_1b * groups

    def _store(self, store: Mapping[str, int]) -> None:
        """E7..E11: kept sums to memory or the stream."""
        part = slice(store["sums"], store["sums"] + store["vectors"])
        kept = self.sums[part, store["first"] : store["first"] + store["outputs"]]
        if store["raw"]:
            elements, size = kept, 4 if self.config.acc_bits == 32 else 8
        else:
            elements, size = self._requantised(store, kept, part), 1 + store["wide"]
        # the low bytes of two's complement, the lowest first
        data = elements.astype("<i8").view(np.uint8).reshape(*elements.shape, 8)[..., :size]
        lines = data.reshape(len(elements), -1)
        if store.get("stream", 0):
            self.memory.give(lines)
        else:
            starts = [store["target"] + v * store["target_pitch"] for v in range(len(lines))]
            self.memory.write(starts, lines)

    def _requantised(self, store: Mapping[str, int], kept: Ints, vectors: slice) -> Ints:
        """E7: elements of the sums ``kept``, of a channel a column."""
        table = self.channels
        part = slice(store["channel"], store["channel"] + store["outputs"])
        if self.config.weight_zeros:
            # at most 2^47 + 2^15 * 2^47 < 2^63: exact
            kept = kept - table.weight_zero[part] * self.sums[vectors, store["ones"], None]
        return requantise(
            kept,
            table.bias[part],
            table.multiplier[part],
            table.shift[part],
            rounding=ROUNDINGS[store["rounding"]],
            zero=store["zero"],
            lowest=store["lowest"],
            highest=store["highest"],
        )


def _cause(fault: Exception) -> str:
    if isinstance(fault, AccessError):
        return "write" if fault.write else "read"
    return "channel" if isinstance(fault, ChannelError) else "descriptor"
