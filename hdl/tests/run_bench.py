"""A run unit in the Python simulator, between queue, macros and store unit that do as they like."""

from collections import deque
from collections.abc import Sequence
from random import Random

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from cimforge.hdl.engine.run_unit import RunUnit
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.inlined import inlined
from cimforge.hdl.tests.run_reference import SumsReference, fields_of_run, vectors

__all__ = ["RunBench"]

Run = dict[str, int]
EVENTS = ("command", "x", "y", "done", "released", "store", "overflow")


class RunBench:
    """Commands carried out one after the other; everything the unit answers is checked.

    ``offer``, ``take``, ``answer`` and ``store`` say how often a command is offered, a vector
    taken, a result that is due offered and a kept vector asked for; ``interval`` cycles lie between
    two vectors at least, ``latency`` between a vector and its result. ``log`` keeps the cycles of
    events by name, ``trace`` every port in each cycle where ``traced``.
    """

    def __init__(
        self,
        config: EngineConfig,
        runs: Sequence[Run],
        seed: int,
        *,
        offer: float = 1.0,
        take: float = 1.0,
        answer: float = 1.0,
        store: float = 0.0,
        interval: int = 1,
        latency: tuple[int, int] = (1, 1),
        traced: bool = False,
    ):
        self.config, self.runs, self.draw = config, runs, Random(seed)
        self.offer, self.take, self.answer, self.store = offer, take, answer, store
        self.interval, self.latency, self.traced = interval, latency, traced
        self.unit, self.domain = RunUnit(config), ClockDomain("sync")
        self.memory = [self.draw.getrandbits(8) for _ in range(config.act_bytes)]
        self.sums = SumsReference(config)
        self.log: dict[str, list[int]] = {name: [] for name in EVENTS}
        self.trace: list[dict[str, int]] = []
        self.fields = fields_of_run(config)
        self.clear()

    def clear(self) -> None:
        """Nothing is under way."""
        self.drawn: deque = deque()  # vectors to come: (run, number, elements)
        self.results: deque = deque()  # of vectors taken: (cycle, run, number, data)
        self.due: dict[str, int] = {}  # what the next cycle must show
        self.left = 0  # vectors of accepted commands that are not taken
        self.open = 0  # commands that are not done
        self.answered = 0  # the cycle in which the newest result is due
        self.asked: list | None = None  # kept vector, what it was in each cycle so far
        self.told: list | None = None  # what the store may be shown
        self.beat: tuple | None = None  # the result offered
        self.offering = False  # a vector was offered and not taken

    def run(self, limit: int = 20_000, reset_at: int | None = None) -> "RunBench":
        """Simulate until all sums are written; or reset, and carry out all commands again."""
        top = Module()
        top.domains.sync, top.submodules.unit = self.domain, self.unit
        with inlined():
            simulator = Simulator(top)
        simulator.add_clock(1e-6)

        async def bench(ctx):
            await self._fill(ctx)
            if reset_at is not None:
                await self._drive(ctx, reset_at, whole=False)
                await self._reset(ctx)
            await self._drive(ctx, limit)

        simulator.add_testbench(bench)
        simulator.run()
        return self

    async def _tick(self, ctx) -> None:
        """The end of a cycle."""
        if self.traced:
            ports = {name: ctx.get(value) for name, _, value in self.unit.members()}
            self.trace.append(ports | {"rst": ctx.get(self.domain.rst)})
        await ctx.tick()

    async def _reset(self, ctx) -> None:
        """A cycle of reset, in which nothing moves."""
        unit = self.unit
        for valid in (unit.command.valid, unit.y_valid, unit.sums_valid):
            ctx.set(valid, 0)
        ctx.set(unit.x.ready, 0)
        ctx.set(self.domain.rst, 1)
        await self._tick(ctx)
        ctx.set(self.domain.rst, 0)
        self.clear()
        assert not any(ctx.get(line) for line in (unit.x.valid, unit.starved, unit.y_ready))

    async def _fill(self, ctx) -> None:
        """Write the activation buffer twice: some bytes are right at first and spared by strobes
        the second time, the others the other way round."""
        unit, size, draw = self.unit, self.config.bus_bytes, self.draw
        places = range(0, self.config.act_bytes, size)
        first = {place: draw.getrandbits(size) for place in places}
        for late in (False, True):
            for place in places:
                right = first[place] if not late else ~first[place] & (1 << size) - 1
                word = [
                    byte if right >> n & 1 else draw.getrandbits(8)
                    for n, byte in enumerate(self.memory[place : place + size])
                ]
                ctx.set(unit.act_write, 1)
                ctx.set(unit.act_address, place)
                ctx.set(unit.act_data, int.from_bytes(bytes(word), "little"))
                ctx.set(unit.act_strobe, right if late else (1 << size) - 1)
                await self._tick(ctx)
        ctx.set(unit.act_write, 0)

    async def _drive(self, ctx, limit: int, whole: bool = True) -> None:
        """A cycle after the other, until all is done: what stands before the edge counts."""
        unit, runs = self.unit, deque(self.runs)
        offered, ready_at = False, 0
        for cycle in range(limit):
            if not offered and runs and self.draw.random() < self.offer:
                offered = True
                self._offer(ctx, runs[0])
            takes = cycle >= ready_at and self.draw.random() < self.take
            ctx.set(unit.x.ready, int(takes))
            self._answer(ctx, cycle)
            self._ask(ctx)

            self._check_state(ctx, cycle)
            self._check_store(ctx, cycle)
            self.due = dict.fromkeys(("released", "done", "overflow"), 0)
            if ctx.get(unit.x.valid):
                self._check_vector(ctx)
                if takes:
                    ready_at = cycle + self.interval
                    self._take_vector(cycle)
            if self.beat is not None and ctx.get(unit.y_ready):
                self._take_result(cycle, *self.beat)
                self.beat = None
            accepted = offered and ctx.get(unit.command.ready)
            if accepted:
                self._accept(cycle, runs.popleft())
            await self._tick(ctx)
            if accepted:
                offered = False
                self._offer(ctx, None)
            if not (runs or self.open or any(self.due.values())):
                return
        assert not whole, f"not ended after {limit} cycles: {self.log}"

    def _answer(self, ctx, cycle: int) -> None:
        """The next result, if it is due, or anything."""
        due = bool(self.results) and self.results[0][0] <= cycle
        if self.beat is None and due and self.draw.random() < self.answer:
            self.beat = self.results.popleft()
            ctx.set(self.unit.y_data, self.beat[3])
        ctx.set(self.unit.y_valid, int(self.beat is not None))

    def _offer(self, ctx, run: Run | None) -> None:
        """A command, or nothing; then its fields are anything."""
        command = self.unit.command
        ctx.set(command.valid, int(run is not None))
        for name, width in self.fields.items():
            value = run[name] if run else self.draw.getrandbits(width)
            ctx.set(getattr(command, name), value % (1 << width))

    def _accept(self, cycle: int, run: Run) -> None:
        self.log["command"].append(cycle)
        found = vectors(self.config, self.memory, run)
        for number, elements in enumerate(found):
            self.drawn.append((run, number, elements))
        self.left += len(found)
        self.open += 1

    def _check_vector(self, ctx) -> None:
        """The vector offered is the next one, its elements and how it is taken."""
        assert self.drawn, "a vector that no command has"
        run, number, elements = self.drawn[0]
        x, width = self.unit.x, self.config.macro.input_bits
        data = ctx.get(x.data)
        given = [data >> row * width & (1 << width) - 1 for row in range(self.config.macro.rows)]
        assert given == elements, f"vector {number} of {run}"
        for name in ("bits", "signed", "bank", "rows"):
            if name in x.signature.members:
                assert ctx.get(getattr(x, name)) == run[name], name

    def _take_vector(self, cycle: int) -> None:
        """The macro takes a vector: some time later it has a result."""
        run, number, _ = self.drawn.popleft()
        self.log["x"].append(cycle)
        self.left -= 1
        self.due["released"] = int(number + 1 == run["vectors"])
        data = self.draw.getrandbits(len(self.unit.y_data))
        earliest = max(cycle + self.draw.randint(*self.latency), self.answered + 1)
        self.answered = earliest
        self.results.append((earliest, run, number, data))

    def _take_result(self, cycle: int, _, run: Run, number: int, data: int) -> None:
        self.log["y"].append(cycle)
        vector, fuse = run["sums"] + number, run.get("fuse", 0)
        overflow = self.sums.take(vector, data, fuse, bool(run["accumulate"]))
        self.due["overflow"] = int(overflow)
        if number + 1 == run["vectors"]:
            self.due["done"] = 1
            self.open -= 1

    def _check_state(self, ctx, cycle: int) -> None:
        """What the unit says of itself."""
        unit = self.unit
        for name, value in self.due.items():
            assert ctx.get(getattr(unit, name)) == value, name
            if value:
                self.log[name].append(cycle)
        assert ctx.get(unit.starved) == (self.left > 0 and not ctx.get(unit.x.valid))
        assert ctx.get(unit.idle) == (self.open == 0)
        assert ctx.get(unit.x.valid) or not self.offering, "a vector is withdrawn"
        self.offering = bool(ctx.get(unit.x.valid) and not ctx.get(unit.x.ready))

    def _ask(self, ctx) -> None:
        """Ask for a kept vector now and then."""
        unit, draw = self.unit, self.draw
        if self.asked is None and draw.random() < self.store:
            vector = draw.randrange(self.config.acc_vectors)
            self.asked = [vector, []]
            ctx.set(unit.sums_vector, vector)
        ctx.set(unit.sums_valid, int(self.asked is not None))

    def _check_store(self, ctx, cycle: int) -> None:
        """A kept vector is as it was in one of the cycles in which it was asked for, and stays."""
        unit, data = self.unit, ctx.get(self.unit.sums_data)
        if self.told is not None:
            assert any(kept in (None, data) for kept in self.told)
            self.told = [data]
        if self.asked is None:
            return
        self.asked[1].append(self.sums.packed(self.asked[0]))
        if ctx.get(unit.sums_ready):
            self.log["store"].append(cycle)
            self.told, self.asked = self.asked[1], None
