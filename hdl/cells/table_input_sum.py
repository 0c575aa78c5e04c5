"""Input sum in front of tables: ones counted four rows at a time, then added on carry chains."""

from functools import reduce
from operator import or_, xor

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.arith.staging import levelled, unstaged
from cimforge.hdl.cells.input_sum import late_planes
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.leaf import Leaf, flip_adder
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["TableInputSum"]

ROWS = 4  # of a count: each of its bits is one LUT of as many inputs
PLANES = 3  # as many lower planes are added as numbers of a row: with fewer, counts are smaller


class TableInputSum(Block):
    """What a signed weight's offset adds too much in one cycle, negative: ``correction = -sum_j
    +-2^j count_j`` where ``sign`` (the bank's) is high, else 0; count_j are the ones in plane j, of
    which the top one is negative in the first cycle of a signed pass (``plane_negate``).

    ``planes_n`` carries k inverted planes of rows bits, plane j's at j * rows. ``correction`` is
    two's complement of correction_bits, to be added at weight 2^(weight_bits-1); with several
    slices each has its ``sign`` and its correction. Nothing is subtracted: the top plane's count is
    inverted on a carry chain (cim_flip_add), and the sum, less 1, where a sign selects it. Ones of
    up to four rows of a plane are one number of three bits, a LUT each; of four planes and more
    each row's lower bits are a number as they are.

    Latency: config.ranks less config.join_ranks enabled cycles from the planes (the sum joins the
    columns' totals), and one from ``sign`` where there are ranks (config.sign_ranks less
    config.join_ranks). One sum for all columns.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.ranks - config.join_ranks
        ports = {
            "enable": In(1),
            "planes_n": In(config.rows * config.bits_per_cycle),
            "plane_negate": In(1),
            "sign": In(config.slices),
            "correction": Out(config.correction_bits * config.slices),
        }
        top = _build_sum(config, "top")
        inner: dict[str, Structure | Leaf] = {"top": top}
        lower = config.bits_per_cycle - 1
        if lower:
            inner["lower"] = _build_sum(config, "lower")
        inner["whole"] = flip_adder(config.correction_bits)
        super().__init__(config.module, "input_sum", ports, inner)

    def elaborate(self, platform):
        m = Module()
        config, enable, bits = self._config, self.enable, self._config.correction_bits
        k, rows = config.bits_per_cycle, config.rows
        # counted behind a register, as the tables' addresses are behind theirs
        offered = Cat(~self.planes_n, self.plane_negate)
        every = late_planes(m, config, offered, enable, ranks=range(1))
        planes, negate = [every.word_select(plane, rows) for plane in range(k)], every[-1]
        flip = _delayed(m, negate, config.lead - 1 + max(0, config.pipeline_stages - 1), enable)
        top, lower = Signal(bits, name="top_count"), Signal(bits, name="lower_count")
        counted = self._late(m, "top", _counts(planes[-1]))
        m.d.comb += top.eq(Cat(Const(0, k - 1), self._place(m, "top", counted)))
        m.d.comb += lower.eq(~flip.replicate(bits))  # -1, but beside ~top = -top - 1
        if k > 1:
            each = planes[:-1] if k > PLANES else [_counts(plane) for plane in planes[:-1]]
            lines = self._late(m, "lower", Cat(each, ~negate))
            line = lines[-1].replicate(bits)
            m.d.comb += lower.eq(self._place(m, "lower", Cat(lines[:-1], line)))
        total = Signal(bits, name="total")
        pins = {"a": lower, "b": top, "flip": flip, "y": total}
        m.submodules.whole = self.instance("whole", **pins)
        signed = Cat(~total & s.replicate(bits) for s in self.sign)
        if config.pipeline_stages:  # behind the sign, for the way to the columns is long
            summed = Signal(len(signed), name="summed", reset_less=True)
            with m.If(enable):
                m.d.sync += summed.eq(signed)
            signed = summed
        m.d.comb += self.correction.eq(signed)
        return m

    def _late(self, m: Module, name: str, terms: Value) -> Value:
        """The terms of one of the sums, as late as its own ranks leave the array's lead."""
        ranks = self._config.lead + max(0, self._config.pipeline_stages - 1)
        behind = ranks - _sum_ranks(self._config, _words(self._config, name))
        return late_planes(m, self._config, terms, self.enable, name, ranks=range(1, behind))

    def _place(self, m: Module, name: str, terms: Value) -> Signal:
        """One of the sums."""
        module = next(child.module for child in self.children if child.instance == name)
        named = Signal(module.ports["terms"].width, name=f"{name}_terms")
        total = Signal(module.ports["total"].width, name=f"{name}_total")
        m.d.comb += named.eq(terms)
        pins = {"enable": self.enable} if "enable" in module.ports else {}
        m.submodules[name] = self.instance(name, **pins, terms=named, total=total)
        return total


Words = list[Operand]


def _counted(rows: int, planes: int) -> Words:
    """The counts of so many planes, one behind the other."""
    words, low = [], 0
    for plane in range(planes):
        for size in _sizes(rows):
            bits = unsigned_width(size)
            words.append(Operand(tuple(range(low, low + bits)), plane))
            low += bits
    return words


def _lower_words(config: MacroConfig) -> Words:
    """What is added of the planes below the top one: counts, or each row's bits as a number; and
    the constant -1, a line at each of its bits."""
    rows, lower = config.rows, config.bits_per_cycle - 1
    words = _counted(rows, lower)
    if lower >= PLANES:
        words = [
            Operand(tuple(row + plane * rows for plane in range(lower))) for row in range(rows)
        ]
    line = 1 + max(bit for word in words for bit in word.bits)
    return [*words, Operand(tuple(range(line, line + config.correction_bits)))]


def _words(config: MacroConfig, kind: str) -> Words:
    """What the sum of the ``top`` plane adds, or that of the ``lower`` ones."""
    return _counted(config.rows, 1) if kind == "top" else _lower_words(config)


def _sum_ranks(config: MacroConfig, words: Words) -> int:
    """Registers in a sum of words: one behind each level of their pairs, or as many as there are
    ranks but the last, which is the whole sum's, and the lead but the first two, of planes and of
    counts."""
    ranks = config.pipeline_stages - 1 + max(0, config.lead - 2) if config.pipeline_stages else 0
    return min((len(words) - 1).bit_length(), ranks)


def _build_sum(config: MacroConfig, kind: str) -> Structure:
    """Adds words."""
    words = _words(config, kind)
    bits = unsigned_width(config.rows) if kind == "top" else config.correction_bits
    plan, ranks = plan_sum(config.tree, words, bits), _sum_ranks(config, words)
    staging = levelled(plan, ranks) if ranks else unstaged(plan)
    comment = "Ones of the top plane." if kind == "top" else "Ones of the lower planes, less 1."
    return build_adder(
        config.module, f"{kind}_sum", comment, staging, role="accumulate", chained=True
    )


def _sizes(rows: int) -> list[int]:
    """Rows of each count of a plane."""
    return [min(ROWS, rows - low) for low in range(0, rows, ROWS)]


def _counts(bits: Value) -> Value:
    """The numbers of ones among each four bits, the last of fewer."""
    counts, low = [], 0
    for size in _sizes(len(bits)):
        counts.append(_count(list(bits[low : low + size])))
        low += size
    return Cat(counts)


def _count(bits: list[Value]) -> Value:
    """The number of ones among up to four bits, each of its bits a function of them all."""
    odd = reduce(xor, bits)
    if len(bits) == 1:
        return odd
    two = reduce(or_, (a & b for n, a in enumerate(bits) for b in bits[n + 1 :]))
    if len(bits) < ROWS:
        return Cat(odd, two)
    every = Cat(bits).all()
    return Cat(odd, two & ~every, every)


def _delayed(m: Module, line: Value, ranks: int, enable: Value) -> Value:
    """A line some enabled cycles later."""
    for rank in range(ranks):
        later = Signal(name=f"flip_q{rank + 1}", reset_less=True)
        with m.If(enable):
            m.d.sync += later.eq(line)
        line = later
    return line
