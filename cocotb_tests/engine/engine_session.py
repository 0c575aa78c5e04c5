"""Queues on an engine one after the other, each compared with golden's."""

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np

from cimforge.cocotb_tests.engine.engine_bench import NO_ERROR, PACES, Ending
from cimforge.cocotb_tests.engine.program_draw import (
    MIXED,
    Descriptor,
    Layout,
    Program,
    draw_commands,
    draw_program,
    packed,
)
from cimforge.golden.engine import EngineError, EngineModel, QueueResult
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, operations
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig
from cimforge.host.engine_fences import Command, with_fences

__all__ = ["EngineSession", "fenced", "told_error"]

RESERVED = 0xFFFF  # the field of reserved bits


class EngineSession:
    """An engine and its golden twin, whose state is written and then stays from queue to queue.

    ``bench`` is an EngineBench or what drives an engine alike; it is taken into use by ``start``.
    """

    def __init__(self, bench, length: int):
        self.bench, self.config, self.length = bench, bench.config, length
        self.rng: Random = bench.rng
        self.model: EngineModel
        self.layout: Layout
        self.base = 0
        self.compared = 0  # queues
        self.streamed = False

    async def start(self) -> None:
        """Reset, and run a program that writes all state there is."""
        program = self._draw_program()
        await self.bench.begin(program.image.copy(), program.base)
        await self.check(fenced(self.config, program.descriptors, self.rng))

    async def renew(self) -> None:
        """The same without a reset: memory holds another program's, and nothing is known of the
        engine but that it is idle."""
        program = self._draw_program()
        self.bench.remember(program.image.copy(), program.base)
        await self.check(fenced(self.config, program.descriptors, self.rng))

    def _draw_program(self) -> Program:
        program = draw_program(self.config, self.rng, self.length)
        self.base, self.layout = program.base, program.layout
        self.model = EngineModel(self.config, program.image.copy(), program.base)
        return program

    def draw(self, names: Sequence[str] = MIXED) -> list[Descriptor]:
        """A queue of random descriptors of these operations; some hold an end before their last."""
        drawn = draw_commands(self.config, self.base, self.layout, self.rng, self.length, names)
        if self.rng.random() < 0.3:
            place = self.rng.randrange(self.length // 2, self.length)
            drawn.insert(place, ("end", {"interrupt": self.rng.randrange(2)}))
        return fenced(self.config, drawn, self.rng)

    def write(self, queue: np.ndarray) -> None:
        """Put the bytes of a queue in memory, the engine's and golden's."""
        for image in (self.bench.image, self.model.memory.data):
            image[self.layout.queue : self.layout.queue + len(queue)] = queue

    async def fails(
        self, descriptors: list[Descriptor], queue: np.ndarray, paced: bool = True
    ) -> EngineError:
        """Run a queue of these bytes that an error ends: golden's, and memory is golden's too; at
        a drawn pace of memory, or with ``paced`` False at that which it has."""
        self.write(queue)
        if paced:
            self.bench.pace(self.rng.randrange(len(PACES)))
        result = self.model.run_queue(self.base, len(descriptors))
        assert result.error is not None, "golden sees no error"
        ending = await self.bench.run(self.base, len(descriptors))
        assert not ending.finished, f"no error; must be {result.error}"
        code = int(queue[result.error.index * DESCRIPTOR_BYTES])
        due = told_error(self.config, result.error, code)
        assert ending.error == due, f"{ending.error}, must be {due}: {result.error}"
        self._compare_ending(ending, result)
        self.compare_memory(descriptors)
        self.compared += 1
        return result.error

    async def check(self, descriptors: list[Descriptor], pace: int | None = None) -> None:
        """Run a legal queue: it ends, and all that it leaves and tells is golden's. Memory has the
        ``pace`` of this number, or a drawn one; with ``streamed`` some commands take the streams in
        its place."""
        if self.streamed:
            descriptors = self._streamed(descriptors)
        self.write(packed(self.config, descriptors))
        self.bench.pace(self.rng.randrange(len(PACES)) if pace is None else pace)
        before, read = self._counts(), self.model.memory.words_read
        result = self.model.run_queue(self.base, len(descriptors))
        assert result.error is None, result.error
        ending = await self.bench.run(self.base, len(descriptors))
        assert ending.finished, f"{ending}; {descriptors}"
        assert ending.error == NO_ERROR, ending
        self._compare_ending(ending, result)
        self.compare_memory(descriptors)
        if self.streamed:
            self._compare_streams()
        after = self._counts()
        due = {name: after[name] - before[name] for name in after}
        got = {name: ending.counts[name] for name in due}
        assert got == due, f"counted {got}, must be {due}"
        read = self.model.memory.words_read - read
        self._compare_reads(ending, result, read, len(descriptors))
        self.compared += 1

    def _streamed(self, descriptors: list[Descriptor]) -> list[Descriptor]:
        """Some commands by the streams, which then hold what those before the first end take."""
        told: list[Descriptor] = []
        data, ended = bytearray(), False
        for name, fields in descriptors:
            ended |= name == "end"
            chosen = name != "run" and name != "end" and self.rng.random() < 0.6
            told.append((name, {**fields, "stream": 1} if chosen else fields))
            if chosen and not ended:
                data += self._taken(name, fields)
        for incoming in (self.bench.streams.incoming, self.model.memory.incoming):
            incoming += data
        return told

    def _taken(self, name: str, fields: Mapping[str, int]) -> bytes:
        """Random bytes of the stream that a command takes: legal channels, or any."""
        word = self.config.bus_bytes
        if name == "store":
            return b""
        if name == "load":
            return self.rng.randbytes(fields["rows"] * self.config.row_words * word)
        if fields.get("channels"):
            size, place = 4 * CHANNEL_WORDS * fields["count"], self.layout.channels
            held = self.model.memory.data[place : place + size].tobytes()
            return held + bytes(-size % word)
        return self.rng.randbytes(fields.get("lines", 1) * -(-fields["count"] // word) * word)

    def _compare_streams(self) -> None:
        """All that was to be taken was, and what came out is golden's."""
        left, came = self.bench.streams.incoming, self.bench.streams.outgoing
        assert len(left) == len(self.model.memory.incoming), f"{len(left)} bytes were not taken"
        due = self.model.memory.outgoing
        assert came == due, f"{len(came)} bytes came, must be {len(due)}, or others"
        came.clear()
        due.clear()

    def _counts(self) -> dict[str, int]:
        """What golden has counted, by the names of the counters."""
        model, each = self.model, self.config.macros * self.config.macro.macs_1b
        return {
            **{"vectors": model.vectors, "planes_skipped": model.planes_skipped},
            **{"compute": model.macs_1b // each, "written_words": model.memory.words_written},
        }

    def _compare_ending(self, ending: Ending, result: QueueResult) -> None:
        assert ending.ended == result.ended, f"{ending.ended} ended, not {result.ended}"
        due = type(ending.interrupts)(len(result.interrupts))
        assert ending.interrupts == due, f"interrupts: {ending.interrupts}, must be {due}"
        assert ending.overflow == result.overflow, f"overflow is {ending.overflow}"
        self.model.overflow = False

    def _compare_reads(self, ending: Ending, result: QueueResult, read: int, count: int) -> None:
        """Descriptors are counted by the engine, too; behind an end some may have been read."""
        each = max(1, DESCRIPTOR_BYTES // self.config.bus_bytes)
        least = read + each * result.ended
        most = least + each * (count - result.ended)
        got = ending.counts["read_words"]
        assert least <= got <= most, f"{got} words read, must be {least}..{most}"

    def compare_memory(self, descriptors: list[Descriptor]) -> None:
        """Every byte of memory is golden's."""
        differ = np.flatnonzero(self.bench.image != self.model.memory.data)
        if not len(differ):
            return
        place = int(differ[0])
        got, wanted = self.bench.image[place], self.model.memory.data[place]
        stores = [d for d in descriptors if d[0] == "store"]
        where = f"byte {place - self.layout.results} of the results"
        text = f"{len(differ)} bytes differ; {where} is {got}, not {wanted}; stores: {stores}"
        raise AssertionError(text)


def fenced(config: EngineConfig, descriptors: list[Descriptor], rng: Random) -> list[Descriptor]:
    """The descriptors, each beside as many units as leave the queue's results what they are: all
    of them, or some."""
    told = with_fences(config, [Command(name, values) for name, values in descriptors])
    beside = rng.choice((0b111, 0b111, rng.getrandbits(3), 0))
    return [
        (name, {**fields, "beside": fields["beside"] & (beside or rng.getrandbits(3))})
        for name, fields in told
    ]


def told_error(config: EngineConfig, error: EngineError, code: int) -> tuple[str, int, int]:
    """What the engine tells of golden's error, of a descriptor of this code."""
    if not error.field:
        return error.cause, 0, error.index
    known = operations(config)
    fields = known[code if code < len(known) else 0].fields
    numbers = {field.name: field.number for field in fields} | {"reserved": RESERVED}
    return error.cause, numbers[error.field], error.index
