"""The bench around an emitted macro: clock, reset, streams, scoreboard and coverage."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from cimforge.cocotb_tests.coverage import Coverage, bins_of, rows_class
from cimforge.cocotb_tests.group_rules import GroupRules
from cimforge.cocotb_tests.packing import as_patterns, pack, unpack, unpack_signed
from cimforge.cocotb_tests.paused_rules import PausedRules
from cimforge.cocotb_tests.ready_rules import Offer, ReadyRules
from cimforge.cocotb_tests.scoreboard import Scoreboard
from cimforge.cocotb_tests.shared_port_rules import SharedPortRules
from cimforge.cocotb_tests.stimuli import needs_every_plane, row_classes, small_vector
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.stream_drivers import Sink, macro_sources, tie_off
from cimforge.golden.cycles import pass_cycles, reset_cycles, table_groups
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.mode import Mode

__all__ = ["Bench"]

MOST_ROWS = 512  # read back one by one, over all banks


@dataclass
class Accepted:
    """What was accepted in a cycle: the beat of each stream, or None."""

    x: dict | None
    w: dict | None
    r: dict | None


class Bench:
    """One test's bench. ``step`` runs one clock cycle and checks everything in it.

    Each test draws from its own generator. cocotb seeds ``random`` before each test from the run's
    seed and the test's full name, so a single test replays alone.
    """

    coverage: Coverage | None = None
    passes = 0

    def __init__(self, dut):
        job = load_job()
        self.dut = dut
        self.config = MacroConfig(**job["config"])
        self.rng = Random(random.getrandbits(64))
        self.numpy_rng = np.random.default_rng(self.rng.getrandbits(32))
        if Bench.coverage is None:
            Bench.coverage = Coverage(bins_of(self.config))
        self._coverage_file = Path(job["coverage"]) if job.get("coverage") else None
        self.scoreboard = Scoreboard(self.config)
        self.rules = self._rules()
        self.cycle = 0
        self.clearing = 0  # cycles left in which a reset's end is not over
        self._fuse: dict[int, int] = {}  # the mode in which a bank's rows are written
        self.y_results: list[tuple[int, np.ndarray]] = []
        self.q_results: list[tuple[int, np.ndarray]] = []
        # Runs within every cycle, shortly after the rising and the falling edge (clk high or not).
        self.probe: Callable[[bool], Awaitable[None]] | None = None
        self._held: dict[str, int] = {}
        self._holds = False
        self._build_streams()

    def _rules(self) -> ReadyRules:
        """The rules about readies that hold for the macro's storage."""
        if self.config.pairs or self.config.tables:
            return GroupRules(self.scoreboard)
        if self.config.storage_traits.write_cycles > 1:
            return PausedRules(self.scoreboard)
        return (SharedPortRules if self.config.shared_port else ReadyRules)(self.scoreboard)

    def _build_streams(self) -> None:
        dut = self.dut
        self.x, self.w, self.r = macro_sources(dut, self.config, self.rng)
        self.y = Sink(dut.y_valid, dut.y_ready, dut.y_data, self.rng)
        self.q = Sink(dut.q_valid, dut.q_ready, dut.q_data, self.rng)

    # stimuli

    def send(
        self,
        patterns,
        *,
        x_bits: int = 0,
        signed: bool = False,
        bank: int = 0,
        rows: int | None = None,
    ) -> None:
        """Queue a vector of unsigned input_bits-wide patterns; ``rows`` is x_rows, where there is
        such a port at random if None."""
        data = pack(patterns, self.config.input_bits)
        if rows is None:
            width = self.config.x_rows_width
            rows = self.rng.getrandbits(width) if width and self.rng.random() < 0.5 else 0
        shared = {"x_bits": x_bits, "x_signed": int(signed), "x_bank": bank, "x_rows": rows}
        self.x.beats.append({"x_data": data, **shared})

    def send_values(self, values, *, x_bits: int = 0, signed: bool = False, bank: int = 0) -> None:
        """Queue a vector of integer values."""
        patterns = as_patterns(values, self.config.input_bits)
        self.send(patterns, x_bits=x_bits, signed=signed, bank=bank)

    def write(
        self,
        row: int,
        patterns,
        *,
        signed: bool = False,
        bank: int = 0,
        fill: bool = False,
        fuse: int | None = None,
    ) -> None:
        """Queue a row of unsigned patterns; ``fill`` on the fast path.

        They are those of mode ``fuse``, or if None of mode 0: then their bits are written as
        weights of the bank's mode, which changes every now and then.
        """
        mode = self.config.modes[fuse or 0]
        data, number = pack(patterns, mode.weight_bits), self._drawn(bank) if fuse is None else fuse
        place = {"w_bank": bank, "w_row": row, "w_signed": int(signed), "w_fill": int(fill)}
        self.w.beats.append({**place, "w_fuse": number, "w_data": data})

    def _drawn(self, bank: int) -> int:
        """A w_fuse for a row of ``bank``, mostly that of the row before."""
        if self.config.slices > 1 and (bank not in self._fuse or self.rng.random() < 0.2):
            self._fuse[bank] = self.rng.getrandbits(self.config.w_fuse_width)
        return self._fuse.get(bank, 0)

    def read(self, row: int, *, bank: int = 0) -> None:
        """Queue a read-back."""
        self.r.beats.append({"r_bank": bank, "r_row": row})

    def random_vector(self) -> np.ndarray:
        """Patterns over the full input width; a pass must ignore the bits above its precision.
        Where passes skip, every other vector is small in all rows."""
        config = self.config
        vector = self.numpy_rng.integers(0, 1 << config.input_bits, config.rows)
        if config.skips and self.rng.random() < 0.5:
            bits, signed = self.rng.randint(1, config.input_bits), self.rng.random() < 0.5
            return small_vector(vector, bits, signed, config.input_bits)
        return vector

    def full_vector(self, bits: int = 0) -> np.ndarray:
        """A random vector whose pass of ``bits``, signed or not, skips nothing."""
        if not self.config.skips:
            return self.random_vector()
        vector = self.numpy_rng.integers(0, 1 << self.config.input_bits, self.config.rows)
        row = self.rng.randrange(self.config.rows)
        vector[row] = needs_every_plane(self.config.effective_x_bits(bits))
        return vector

    def random_row(self, fuse: int = 0) -> np.ndarray:
        """Patterns of one row of weights in a mode."""
        mode = self.config.modes[fuse]
        return self.numpy_rng.integers(0, 1 << mode.weight_bits, mode.outputs)

    def queue_bank(
        self,
        bank: int = 0,
        *,
        signed: bool = False,
        patterns=None,
        fill: bool | None = None,
        fuse: int | None = None,
    ) -> None:
        """Queue writes of a whole bank: random, or ``patterns`` (rows, outputs of mode ``fuse``),
        modes drawn if None; on the fast path, if there is one and ``fill`` is not given, every
        other time."""
        if fill is None:
            fill = self.config.grouped and self.rng.random() < 0.5
        for row in range(self.config.rows):
            values = self.random_row(fuse or 0) if patterns is None else patterns[row]
            self.write(row, values, signed=signed, bank=bank, fill=fill, fuse=fuse)

    def rewrite_undefined(self) -> None:
        """Queue writes of all rows that a reset or a broken promise left undefined."""
        for bank, row in np.argwhere(~self.scoreboard.model.written):
            signed = bool(self.scoreboard.model.bank_signed[bank])
            self.write(int(row), self.random_row(), signed=signed, bank=int(bank))

    def random_passes(self, banks: Sequence[int], count: int) -> None:
        """Queue random vectors at random precisions and signs, over ``banks`` in turn."""
        for index in range(count):
            bits, signed = self.rng.randint(0, self.config.input_bits), self.rng.random() < 0.5
            bank = banks[index % len(banks)]
            self.send(self.random_vector(), x_bits=bits, signed=signed, bank=bank)

    def read_everything(self, *, passes: bool = True) -> None:
        """Queue read-backs of every row of every bank and, with ``passes``, vectors for all banks;
        of rows, in a large macro, each class and as many others."""
        rows: Sequence[int] = range(self.config.rows)
        if self.config.rows * self.config.banks > MOST_ROWS:
            rows = row_classes(self.config.rows)
            rows = [*rows, *self.rng.sample(range(self.config.rows), len(rows))]
        for bank in range(self.config.banks):
            for row in rows:
                self.read(row, bank=bank)
            for signed in (False, True) if passes else ():
                self.send(self.random_vector(), signed=signed, bank=bank)

    # time

    async def start(self) -> None:
        """Start the clock and reset the macro."""
        tie_off(self.dut, self.config)
        Clock(self.dut.clk, 10, unit="ns").start()
        self.dut.rst.value = 1
        self.y.reset()
        self.q.reset()
        for _ in range(2):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.clearing = reset_cycles(self.config)

    @classmethod
    async def loaded(cls, dut, *, signed: Callable[[int], bool] = lambda bank: bank % 2 > 0):
        """A started bench whose banks are all written, with random weights and these signs."""
        bench = cls(dut)
        await bench.start()
        for bank in range(bench.config.banks):
            bench.queue_bank(bank, signed=signed(bank))
        await bench.run()
        return bench

    async def reset(self, cycles: int = 1, *, keep_offers: bool = False) -> None:
        """Hold rst for ``cycles`` cycles; what is in flight must vanish, and what was queued is
        forgotten unless ``keep_offers``."""
        self._cover_reset()
        if not keep_offers:
            for source in (self.x, self.w, self.r):
                source.reset()
        self.dut.rst.value = 1
        self.forget_streams()
        await self.steps(cycles)
        self.dut.rst.value = 0

    def forget_streams(self) -> None:
        """A reset takes effect: nothing is in flight, nobody waits; weights stay."""
        self._held.clear()
        self.scoreboard.reset()
        self.rules.reset()

    async def step(self) -> Accepted:
        """One clock cycle: drive, let settle, check, and account for what the rising edge at its
        end accepts."""
        for stream in (self.x, self.w, self.r, self.y, self.q):
            stream.drive()
        if self.probe:
            await Timer(1, "ns")
            await self.probe(True)
        await FallingEdge(self.dut.clk)
        self._check_offers()
        if self.probe:
            await self.probe(False)
        self._check_readies()
        resets = bool(self.shown("rst"))
        self.clearing = reset_cycles(self.config) if resets else max(0, self.clearing - 1)
        accepted = Accepted(self.x.fired(), self.w.fired(), self.r.fired())
        self._account(accepted)
        await RisingEdge(self.dut.clk)
        self.cycle += 1
        return accepted

    async def steps(self, cycles: int) -> None:
        """Run some clock cycles."""
        for _ in range(cycles):
            await self.step()

    async def until(self, stream: str) -> int:
        """Step until the stream accepts a beat; returns the cycle in which it did.

        Fails after as many cycles as any contract allows a beat to wait.
        """
        start = self.cycle
        while self.cycle - start <= self.longest_wait:
            if getattr(await self.step(), stream):
                return self.cycle - 1
        raise AssertionError(f"{stream} not accepted in {self.longest_wait} cycles: it starves")

    @property
    def longest_wait(self) -> int:
        """Cycles any beat waits at most while results are taken: a pass, a read-back, and the
        landing of a row before each."""
        config = self.config
        row = config.write_landing + config.write_cycles(0) + config.shared_port
        passes = 2 if config.grouped else 1  # a row's slot waits for one, too
        if config.tables:
            passes = 2 + 2 ** max(table_groups(config))
        return passes * config.pass_interval() + 2 + 2 * row

    async def run(self) -> None:
        """Step until everything queued was accepted and everything in flight delivered."""
        beats = sum(1 + len(source.beats) for source in (self.x, self.w, self.r))
        limit = self.cycle + 1000 + 30 * beats * self.config.latency()
        board, streams = self.scoreboard, (self.x, self.w, self.r)
        while any(s.pending for s in streams) or board.inflight or board.writing():
            await self.step()
            assert self.cycle < limit, f"not finished after {limit} cycles: the macro hangs"

    async def finish(self) -> None:
        """Drain, watch for extra results, and save coverage."""
        self.y.take = self.q.take = None
        self.y.refuse = self.q.refuse = 0.0
        await self.run()
        await self.steps(self.config.latency() + 2)
        Bench.passes += self.scoreboard.passes
        assert Bench.coverage is not None
        if self._coverage_file:
            Bench.coverage.save(self._coverage_file, Bench.passes)

    # checks

    def _check_offers(self) -> None:
        due, self._holds = self.scoreboard.must_offer(), self.scoreboard.arrives_late()
        for stream, sink in (("y", self.y), ("q", self.q)):
            offered = sink.sample()
            must = due == stream
            text = f"cycle {self.cycle}: {stream}_valid is {int(offered)}, must be {int(must)}"
            assert offered == must, text
        for name, sink, results in (("y", self.y, self.y_results), ("q", self.q, self.q_results)):
            if sink.valid and self.scoreboard.inflight[0].values is not None:
                if name in self._held:
                    assert sink.data == self._held[name], f"{name}_data changed while stalled"
                if sink.stalled:
                    self._held[name] = sink.data
                    continue
                unpacked = _delivered(name, sink.data, self.scoreboard.inflight[0].mode)
                results.append((self.cycle, unpacked))
            else:
                unpacked = np.zeros(0, np.int64)
            self._held.pop(name, None)
            if sink.valid and sink.ready:
                self.scoreboard.check(name, unpacked)

    @property
    def stalled(self) -> bool:
        """Whether the array holds in this cycle, because of a result."""
        if self.config.keeps_results:
            return self._holds
        return self.y.stalled or self.q.stalled

    def offers(self) -> dict[str, Offer]:
        """What the inputs of x, w and r show in this cycle."""
        sources = {"x": self.x, "w": self.w, "r": self.r}
        lands = not self.config.tables or self.shown("w_row") < self.config.rows
        return {
            name: Offer(source.current is not None, self.shown(f"{name}_bank"), lands)
            for name, source in sources.items()
        }

    def shown(self, port: str) -> int:
        """The value on a port; 0 where the macro has none of that name."""
        return int(getattr(self.dut, port).value) if hasattr(self.dut, port) else 0

    def readies(self) -> dict[str, bool]:
        """The readies of x, w and r."""
        return {name: bool(self.shown(f"{name}_ready")) for name in "xwr"}

    def expected_readies(self, offers: dict[str, Offer]) -> dict[str, bool | None]:
        """The rules for this cycle, were these offers shown; while rst is high nothing is ready."""
        if self.shown("rst") or self.clearing:
            return dict.fromkeys(offers, False)
        return self.rules.expected(offers, self.stalled)

    def _check_readies(self) -> None:
        """Every ready, whatever its own valid, against the rules."""
        offers, ready = self.offers(), self.readies()
        for name, rule in self.expected_readies(offers).items():
            assert rule is None or ready[name] == rule, (
                f"cycle {self.cycle}: {name}_ready is {int(ready[name])}, must be {int(rule)} for "
                f"bank {offers[name].bank}"
            )
        if self.shown("rst") or self.clearing:
            self.rules.reset()
        else:
            self.rules.end_cycle(offers, ready, self.stalled)

    def _account(self, accepted: Accepted) -> None:
        board, stalled = self.scoreboard, self.stalled
        self._cover_cycle(accepted, stalled)
        board.end_cycle(stalled)
        if self.rules.slot:
            board.slot()
        if accepted.w:
            beat = accepted.w
            modes, fuse = self.config.modes, beat["w_fuse"]
            mode = modes[fuse if fuse < len(modes) else 0]
            patterns = unpack(beat["w_data"], mode.weight_bits, mode.outputs)
            signed, fill = bool(beat["w_signed"]), self.config.grouped and bool(beat["w_fill"])
            before = board.model.fuse(beat["w_bank"])
            board.write(beat["w_bank"], beat["w_row"], patterns, signed, fill, fuse)
            self._cover_mode(before, board.model.fuse(beat["w_bank"]), fuse)
        assert not (accepted.x and accepted.r), (
            "a vector and a read-back accepted in the same cycle"
        )
        if accepted.x:
            beat = accepted.x
            patterns = unpack(beat["x_data"], self.config.input_bits, self.config.rows)
            ways = (beat["x_bits"], bool(beat["x_signed"]), beat["x_bank"])
            board.vector(patterns, *ways, beat["x_rows"] if self.config.binary else 0)
            self._cover_vector(beat)
        if accepted.r:
            board.read(accepted.r["r_bank"], accepted.r["r_row"])

    # coverage

    def _cover_vector(self, beat: dict) -> None:
        assert Bench.coverage is not None
        if self.config.binary:
            Bench.coverage.hit("rows", rows_class(self.config, beat["x_rows"]))
        elif beat["x_bank"] < self.config.banks:
            signs = ("unsigned", "signed")
            bank_signed = bool(self.scoreboard.model.bank_signed[beat["x_bank"]])
            bits = self.config.effective_x_bits(beat["x_bits"])
            way: tuple[int | str, ...] = (bits, signs[beat["x_signed"]], signs[bank_signed])
            if self.config.slices > 1:
                mode = self.config.modes[self.scoreboard.model.fuse(beat["x_bank"])]
                way += (f"{mode.fused} fused",)
            Bench.coverage.hit("precision", way)
        if self.config.skips:
            most = pass_cycles(self.config, beat["x_bits"], bool(beat["x_signed"]))
            skipped = most - self.scoreboard.planes
            Bench.coverage.hit("skipped", (skipped, ("unsigned", "signed")[beat["x_signed"]]))

    def _cover_mode(self, before: int, after: int, fuse: int) -> None:
        if self.config.slices > 1 and Bench.coverage is not None:
            Bench.coverage.hit("w_fuse", fuse)
            modes = self.config.modes
            Bench.coverage.hit("modes", (modes[before].fused, modes[after].fused))

    def _cover_cycle(self, accepted: Accepted, stalled: bool) -> None:
        board = self.scoreboard
        assert Bench.coverage is not None
        running = board.planes_left > 0 and not board.reading
        if running and not self.y.ready:
            Bench.coverage.hit("unready", board.pass_cycle)
        if running and stalled:
            Bench.coverage.hit("stall", board.pass_cycle)
        if running and accepted.w:
            Bench.coverage.hit("banks", (board.active_bank, accepted.w["w_bank"]))
        if accepted.r:
            Bench.coverage.hit("read", "after pass" if running else "idle")

    def _cover_reset(self) -> None:
        board = self.scoreboard
        if board.inflight and Bench.coverage is not None:
            Bench.coverage.hit("reset", board.advanced - board.inflight[0].began)


def _delivered(stream: str, data: int, mode: Mode) -> np.ndarray:
    """The results or weights that a port delivers in a mode; its other bits must be 0."""
    width = mode.y_width if stream == "y" else mode.row_width
    assert data >> width == 0, f"{stream}_data has bits above the {width} of its mode"
    if stream == "y":
        return unpack_signed(data, mode.y_bits, mode.outputs)
    return unpack(data, mode.weight_bits, mode.outputs)
