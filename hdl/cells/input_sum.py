"""Input sum: the shared correction that makes offset-binary weights signed."""

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.final_adder import FINALS
from cimforge.hdl.arith.plan import Operand, Plan
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.arith.staging import CARRY, FRONT, SUM, Staging, divided
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.drivers import driver_levels, spread
from cimforge.hdl.netlist.structure import Structure, concat
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["InputSum", "build_plane_sum", "build_row_lines", "late_planes", "shared_staging"]


def build_plane_sum(config: MacroConfig) -> Structure:
    """Adds k inverted planes, and where config.sums_constants those of a pass, with as many
    register ranks as the column trees, each where it makes the longest stage shortest: it is one
    sum for all columns, so its registers cost little.

    Terms in order: k planes of rows bits, plane j's of weight 2^j; then ``negate`` and ``ending``,
    each once for every place in which ``rows`` has a 1, from weights 2^(k-1) and 1 up.
    """
    k, places = config.bits_per_cycle, _places(config)
    summed = config.sums_constants
    width = config.correction_bits if summed else unsigned_width(config.rows)
    shifts = [j for j in range(k) for _ in range(config.rows)]
    if summed:
        shifts += [place + low for low in (k - 1, 0) for place in places]
    operands = [Operand((term,), shift) for term, shift in enumerate(shifts)]
    plan = plan_sum(config.tree, operands, width, final=config.final_adder)
    staging = shared_staging(config, plan)
    comment = "Sum of a cycle's inverted planes and constants."
    return build_adder(config.module, "plane_sum", comment, staging, role="accumulate")


def shared_staging(config: MacroConfig, plan: Plan) -> Staging:
    """The ranks of a sum that is one for all columns, each where the longest stage is shortest."""
    area = config.macs_1b  # of all columns, which wait for it: about an adder each
    return divided(plan, config.pipeline_stages, FRONT, _adds_behind(config), area)


def _adds_behind(config: MacroConfig) -> Callable[[Sequence[int]], int]:
    """When an accumulator has added the sum, of the times at which its bits come: there are a
    choice by sign, drivers, an adder, and carries up to the top; where words are kept, no carries,
    and measured two adders' time in all."""
    if config.carry_save:
        return lambda tail: max(tail, default=0) + 2 * SUM
    bits = config.modes[-1].y_bits - config.correction_place
    final = FINALS.get(config.final_adder)
    carries = CARRY * bits if final is None else CARRY * final.delay(bits) + SUM
    return lambda tail: max(tail, default=0) + 3 * SUM + carries


def build_row_lines(config: MacroConfig) -> Structure:
    """Drives one gate a row: ``lines = line`` each; combinational."""
    sentence = "One line for the gates of all rows of a plane."
    out = Structure(config.module, "row_lines", sentence, role="accumulate")
    one = out.port("input", "line")
    lines = out.port("output", "lines", config.rows)
    line = spread(out, one, config.rows, 1, out.role)
    out.assign(lines, concat(line(row) for row in range(config.rows)))
    return out


class InputSum(Block):
    """What a signed weight's offset adds too much, taken from a constant: unsigned, so that no
    column spends adders on its sign.

    A signed weight is stored as ``code = w + 2^(weight_bits-1)``, so every cycle's totals are too
    large by 2^(weight_bits-1) times ``sum_j +-2^j count_j``, with count_j the ones in plane j and
    the top one negative in the first cycle of a signed pass. ``correction = rows (2^k - 1) + (rows
    while ending) - sum``, the sum counting while ``sign`` (the bank's) is high; ``ending`` is the
    last cycle of a pass. The constants of a pass are ``rows (2^k - 1) (2^(k (cycles-1)) + ... + 1)
    + rows = rows 2^(k cycles)``, which the accumulators begin with, negated. correction_bits wide,
    for 0 .. rows (2^k + 2^(k-1)).

    Nothing is subtracted: ``rows 2^j - 2^j count_j`` is the number of zeros in plane j, times 2^j,
    and planes come inverted. A negative top plane's bits are inverted once more, beside ``rows
    2^(k-1)``: all is one sum. With one plane and no ranks its count is inverted instead, fewer bits
    than rows: ``2 rows - count = ~count + 2 rows + 1`` modulo the count's power of two.

    ``planes_n`` carries k inverted planes of rows bits, plane j's at j * rows; ``plane_negate`` and
    ``plane_ending`` (where config.sums_constants) tell of these planes. Latency: config.ranks
    enabled cycles from them (the array's lead and the trees' ranks), 0 from ``sign``, ``ending``
    and else ``negate``, which belong to the result. Shared by all columns, so it costs each only
    1/cols of a small tree.

    Where a weight has several slices, each has its line of ``sign`` and its ``correction``, slice
    s's at s * correction_bits: a sign acts in its weight's top slice alone.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.ranks - config.join_ranks
        summed = config.sums_constants
        ports = {
            "enable": In(1 if self.latency else 0),
            "planes_n": In(config.rows * config.bits_per_cycle),
            "plane_negate": In(int(summed)),
            "plane_ending": In(int(summed)),
            "negate": In(int(not summed)),
            "ending": In(1),
            "sign": In(config.slices),
            "correction": Out(config.correction_bits * config.slices),
        }
        super().__init__(config.module, "input_sum", ports, self._sums(config))

    @staticmethod
    def _sums(config: MacroConfig) -> dict[str, Structure]:
        """The modules inside."""
        inner = {"sum": build_plane_sum(config)}
        if driver_levels(config.rows, 1):
            inner["lines"] = build_row_lines(config)
        return inner

    def elaborate(self, platform):
        m = Module()
        k, rows = self._config.bits_per_cycle, self._config.rows
        total = Signal(self._config.correction_bits)
        if self._config.sums_constants:
            self._place_sum(m, self._build_terms(m), total)
        else:
            self._build_count(m, total)
        base = Mux(self.ending, rows * 2**k, rows * (2**k - 1))
        if len(self.sign) > 1:
            unsigned = Signal(len(base))
            m.d.comb += unsigned.eq(base)
            base = unsigned
        m.d.comb += self.correction.eq(Cat(Mux(sign, total, base) for sign in self.sign))
        return m

    def _place_sum(self, m: Module, terms: Value, total: Signal) -> None:
        """The sum of the terms, which come as late as the columns' operands."""
        named = Signal(len(terms), name="terms")
        m.d.comb += named.eq(terms)
        pins = {"enable": self.enable} if self._config.ranks else {}
        m.submodules.sum = self.instance("sum", **pins, terms=named, total=total)

    def _build_count(self, m: Module, total: Signal) -> None:
        """Of one plane: its zeros, or both constants less them. Nothing toggles while all weights
        are unsigned."""
        rows = self._config.rows
        count = Signal(unsigned_width(rows))
        planes_n = late_planes(m, self._config, self._planes_n(), self.value("enable"))
        self._place_sum(m, planes_n & self._row_lines(m, self.sign.any()), count)
        negated = self.negate.replicate(len(count))
        more = Mux(self.negate, 2 * rows + 1 - (1 << len(count)), 0)
        m.d.comb += total.eq((count ^ negated) + more + Mux(self.ending, rows, 0))

    def _build_terms(self, m: Module) -> Value:
        """What the sum adds: the planes and the constants of a pass."""
        rows, planes_n = self._config.rows, self._planes_n()
        size, low = len(_places(self._config)), len(planes_n) - rows
        top = Signal(rows)
        m.d.comb += top.eq(planes_n[low:] ^ self._row_lines(m, self.plane_negate))
        early = Cat(planes_n[:low], top, self.plane_negate, self.plane_ending)
        late = late_planes(m, self._config, early, self.value("enable"))
        return Cat(late[:-2], late[-2].replicate(size), late[-1].replicate(size))

    def _row_lines(self, m: Module, line: Value) -> Signal:
        """A line for each row."""
        lines = Signal(self._config.rows)
        if driver_levels(len(lines), 1):
            m.submodules.lines = self.instance("lines", line=line, lines=lines)
        else:
            m.d.comb += lines.eq(line.replicate(len(lines)))
        return lines

    def _planes_n(self) -> Value:
        """The planes, inverted."""
        return self.planes_n


def late_planes(
    m: Module,
    config: MacroConfig,
    planes: Value,
    enable: Value,
    name: str = "planes",
    ranks: range | None = None,
) -> Value:
    """What comes with the planes, as many registers later as the array leads, or some of these
    ``ranks``; they hold while ``enable`` is low."""
    for rank in range(config.lead) if ranks is None else ranks:
        late = Signal(len(planes), name=f"{name}_q{rank + 1}", reset_less=True)
        with m.If(enable):
            m.d.sync += late.eq(planes)
        planes = late
    return planes


def _places(config: MacroConfig) -> list[int]:
    """The places in which the number of rows has a 1."""
    return [place for place in range(config.rows.bit_length()) if config.rows >> place & 1]
