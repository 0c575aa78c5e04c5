"""The queue hands out commands in order, none before what it must wait for, and ends."""

from collections import deque

import numpy as np
import pytest
from amaranth.sim import Simulator

from cimforge.hdl.engine.command_queue import OF_UNIT, CommandQueue
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_BYTES,
    UNITS,
    check_descriptor,
    operations,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES

SEED = 3
BASE = 4096
UNIT = {name: unit for unit, names in OF_UNIT.items() for name in names}
cause = list(ERROR_CAUSES).index


def engine(**parameters):
    """A small engine of four banks of two modes."""
    macro = load_config("tiny", ["banks=4", "slice_bits=2"])
    return EngineConfig(macro=macro, **parameters)


class Bench:
    """A queue with a memory, and units that take random times; what happened is in ``log``:
    (cycle, what, index of the descriptor)."""

    def __init__(self, config, descriptors, draw, read_errors=(), failing=(), flush_at=None):
        self.config, self.draw = config, draw
        self.queue = CommandQueue(config)
        self.words = [pack_descriptor(config, name, values) for name, values in descriptors]
        self.names = [name for name, _ in descriptors]
        self.read_errors, self.failing, self.flush_at = read_errors, failing, flush_at
        self.log, self.ended, self.interrupts, self.outcome = [], 0, 0, None

    def word(self, address):
        """The bus word at an address, as the queue lies in memory."""
        size = self.config.bus_bytes
        image = b"".join(w.to_bytes(4, "little") for words in self.words for w in words)
        place = address - BASE
        assert place % size == 0
        assert 0 <= place < len(image)
        error = place // DESCRIPTOR_BYTES in self.read_errors
        return int.from_bytes(image[place : place + size], "little"), int(error)

    def run(self, count=None, limit=6000):
        """Simulate one queue to its end."""
        simulator = Simulator(self.queue)
        simulator.add_clock(1e-6)

        async def bench(ctx):
            await self.drive(ctx, len(self.words) if count is None else count, limit)

        simulator.add_testbench(bench)
        simulator.run()
        return self

    async def drive(self, ctx, count, limit):
        """Start, then a cycle after the other: what stands before the edge counts."""
        queue, draw = self.queue, self.draw
        ctx.set(queue.base, BASE)
        ctx.set(queue.count, count)
        ctx.set(queue.start, 1)
        await ctx.tick()
        ctx.set(queue.start, 0)
        answers: deque = deque()
        under_way: dict[str, deque] = {unit: deque() for unit in UNITS}
        unreleased: deque = deque()
        number = dict.fromkeys(UNITS, 0)
        tells = dict.fromkeys(("fetch", "store"), 1)  # of a failure, of the queue before this one
        for cycle in range(limit):
            taking = {unit: int(draw.random() < 0.6) for unit in UNITS}
            for unit in ("fetch", "store"):
                taking[unit] &= not under_way[unit]
            taking["run"] &= len(unreleased) < 3
            for unit in UNITS:
                ctx.set(getattr(queue, unit).ready, taking[unit])
            done = {
                unit: bool(waiting) and waiting[0][1] <= cycle
                for unit, waiting in under_way.items()
            }
            released = bool(unreleased) and unreleased[0][1] <= cycle
            if done["run"] and unreleased and unreleased[0][0] == under_way["run"][0][0]:
                done["run"] = False  # its vectors first
            ctx.set(queue.released, int(released))
            for unit in UNITS:
                ctx.set(getattr(queue, f"{unit}_done"), int(done[unit]))
                if unit != "run":
                    tells[unit] |= done[unit] and under_way[unit][0][0] in self.failing
                    ctx.set(getattr(queue, f"{unit}_failed"), int(tells[unit]))
            ctx.set(queue.read.ready, int(draw.random() < 0.5))
            offers = bool(answers) and draw.random() < 0.8
            ctx.set(queue.read_data.valid, int(offers))
            if offers:
                for name, value in zip(("data", "error", "last"), answers[0], strict=True):
                    ctx.set(getattr(queue.read_data, name), value)
            ctx.set(queue.flush, int(self.flush_at is not None and cycle >= self.flush_at))

            asked = ctx.get(queue.read.valid) and ctx.get(queue.read.ready)
            if asked:
                address, beats = ctx.get(queue.read.address), ctx.get(queue.read.beats) + 1
                answers.extend(
                    (*self.word(address + place * self.config.bus_bytes), int(place + 1 == beats))
                    for place in range(beats)
                )
            if offers:
                assert ctx.get(queue.read_data.ready)
                answers.popleft()
            for unit in UNITS:
                command = getattr(queue, unit)
                if ctx.get(command.valid) and taking[unit]:
                    index = self.index_of(unit, number)
                    self.check(ctx, command, unit, index)
                    self.log.append((cycle, "begins", index))
                    tells[unit] = 0
                    length = int(draw.integers(1, 40))
                    under_way[unit].append((index, cycle + length))
                    if unit == "run":
                        unreleased.append((index, cycle + int(draw.integers(1, length + 1))))
            for unit, ends in done.items():
                if ends:
                    self.log.append((cycle, "ends", under_way[unit].popleft()[0]))
            if released:
                self.log.append((cycle, "released", unreleased.popleft()[0]))
            self.ended += ctx.get(queue.ended)
            self.interrupts += ctx.get(queue.interrupt)
            if ctx.get(queue.finished) or ctx.get(queue.failed):
                assert self.outcome is None
                self.outcome = "failed" if ctx.get(queue.failed) else "finished"
                names = ("error_cause", "error_field", "error_index")
                self.error = tuple(ctx.get(getattr(queue, name)) for name in names)
            stopped = self.flush_at is not None and cycle > self.flush_at and ctx.get(queue.idle)
            await ctx.tick()
            if self.outcome or stopped:
                assert stopped or not ctx.get(queue.busy)
                assert not answers, "memory still owes words"
                return
        raise AssertionError(f"not ended after {limit} cycles: {self.log[-5:]}")

    def index_of(self, unit, number):
        """The descriptor that a unit's next command must be."""
        mine = [i for i, name in enumerate(self.names) if UNIT.get(name) == unit]
        index = mine[number[unit]]
        number[unit] += 1
        return index

    def check(self, ctx, command, unit, index):
        """The command carries the descriptor's fields; a RUN also its bank's mode."""
        values = check_descriptor(self.config, self.words[index])
        for name in (f.name for f in operations(self.config)[self.code(index)].fields[3:]):
            width = len(getattr(command, name))
            got = ctx.get(getattr(command, name)) & ((1 << width) - 1)
            assert got == values[name] & ((1 << width) - 1), name
        if unit == "fetch":
            assert ctx.get(command.load) == (self.names[index] == "load")
        if unit == "run":
            loads = [i for i in range(index) if self.names[i] == "load"]
            same = [i for i in loads if self.field(i, "bank") == values["bank"]]
            if same:
                assert ctx.get(command.fuse) == self.field(same[-1], "fuse")

    def code(self, index):
        """The operation's number."""
        return self.words[index][0] & 255

    def field(self, index, name):
        """A field of a descriptor."""
        return check_descriptor(self.config, self.words[index])[name]


def random_queue(draw, length):
    """Operations with random fences, banks and interrupts."""
    queue = []
    for _ in range(length):
        name = ("load", "copy", "run", "run", "store")[draw.integers(5)]
        values = {"beside": int(draw.integers(8)), "interrupt": int(draw.integers(2))}
        if name in ("load", "run"):
            values["bank"] = int(draw.integers(4))
        if name == "load":
            values["fuse"] = int(draw.integers(2))
        queue.append((name, values))
    return queue


def check_fences(bench):
    """None began before what it had to wait for had ended."""
    begun, over, free = {}, {}, {}
    for cycle, what, index in bench.log:
        {"begins": begun, "ends": over, "released": free}[what][index] = cycle
    assert list(begun) == sorted(begun)
    never = 1 << 30
    for index, cycle in begun.items():
        name, beside = bench.names[index], bench.field(index, "beside")
        for number, unit in enumerate(UNITS):
            earlier = [i for i in range(index) if UNIT.get(bench.names[i]) == unit]
            must = earlier[:-1] if beside >> number & 1 else earlier
            assert all(over.get(i, never) < cycle for i in must), (index, unit)
        for i in range(index):
            other = bench.names[i]
            if {name, other} == {"load", "run"} and bench.field(i, "bank") == bench.field(
                index, "bank"
            ):
                assert (free if other == "run" else over).get(i, never) < cycle, (index, i)


@pytest.mark.parametrize("bus", [32, 128, 512])
def test_commands_wait_for_what_they_must_and_all_end(bus):
    draw = np.random.default_rng(SEED)
    for _ in range(12):
        queue = random_queue(draw, int(draw.integers(1, 25)))
        bench = Bench(engine(bus_bits=bus, burst=8 if bus < 512 else 1), queue, draw).run()
        check_fences(bench)
        assert bench.outcome == "finished"
        assert bench.ended == len(queue)
        assert bench.interrupts == sum(values["interrupt"] for _, values in queue)
        assert sum(what == "ends" for _, what, _ in bench.log) == len(queue)


def test_the_queue_ends_at_end_and_what_is_behind_it_is_not_looked_at():
    draw = np.random.default_rng(SEED)
    queue = [*random_queue(draw, 3), ("end", {"interrupt": 1}), *random_queue(draw, 9)]
    bench = Bench(engine(), queue, draw).run()
    assert (bench.outcome, bench.ended) == ("finished", 4)
    assert max(index for _, _, index in bench.log) == 2


@pytest.mark.parametrize("at", range(5))
def test_a_malformed_descriptor_is_named_and_nothing_behind_it_begins(at):
    draw = np.random.default_rng(SEED + at)
    bench = Bench(engine(), random_queue(draw, 7), draw)
    bench.words[at] = list(bench.words[at])
    bench.words[at][15] |= 1 << at
    bench.run()
    assert bench.outcome == "failed"
    assert bench.error == (cause("descriptor"), 0xFFFF, at)
    assert max([index for _, what, index in bench.log if what == "begins"], default=-1) == at - 1
    assert bench.ended == at


@pytest.mark.parametrize("at", range(4))
def test_a_descriptor_that_memory_cannot_read_ends_the_queue(at):
    draw = np.random.default_rng(SEED + at)
    bench = Bench(engine(), random_queue(draw, 6), draw, read_errors=(at,)).run()
    assert bench.outcome == "failed"
    assert bench.error == (cause("read"), 0, at)
    assert bench.ended == at


@pytest.mark.parametrize(("name", "why"), [("load", "read"), ("copy", "read"), ("store", "write")])
def test_a_unit_that_failed_ends_the_queue(name, why):
    draw = np.random.default_rng(SEED)
    queue = [("run", {}), (name, {}), ("run", {}), ("run", {"beside": 7})]
    bench = Bench(engine(), queue, draw, failing=(1,)).run()
    assert bench.outcome == "failed"
    assert bench.error == (cause(why), 0, 1)
    assert bench.ended == 1


def test_a_flush_at_any_cycle_leaves_nothing_outstanding():
    for cycle in range(0, 160, 9):
        draw = np.random.default_rng(SEED)
        bench = Bench(engine(), random_queue(draw, 4), draw, flush_at=cycle)
        bench.run()
        begun = [at for at, what, _ in bench.log if what == "begins"]
        assert all(at < cycle for at in begun)


def test_a_queue_of_nothing_ends_at_once():
    draw = np.random.default_rng(SEED)
    bench = Bench(engine(), random_queue(draw, 1), draw).run(count=0)
    assert (bench.outcome, bench.ended) == ("finished", 0)
