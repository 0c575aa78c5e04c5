"""Input sum in front of tables: ones counted four rows at a time, then added on carry chains."""

from collections.abc import Sequence
from functools import reduce
from operator import or_, xor

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.arith.staging import levelled, unstaged
from cimforge.hdl.cells.input_sum import late_planes
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.leaf import flip_adder
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["TableInputSum"]

ROWS = 4  # of a count: each of its bits is one LUT of as many inputs


class TableInputSum(Block):
    """What a signed weight's offset adds too much in one cycle, negative: ``correction = -sum_j
    +-2^j count_j`` where ``sign`` (the bank's) is high, else 0; count_j are the ones in plane j, of
    which the top one is negative in the first cycle of a signed pass (``plane_negate``).

    ``planes_n`` carries k inverted planes of rows bits, plane j's at j * rows. ``correction`` is two's
    complement of correction_bits, to be added at weight 2^(weight_bits-1); with several slices each
    has its ``sign`` and its correction. Nothing is subtracted but the top plane's count, on a carry
    chain that inverts: ``-count_j`` of the others is the number of zeros less rows. Zeros, or ones,
    of up to four rows are one number of three bits, a LUT each.

    Latency: config.ranks less config.join_ranks enabled cycles from the planes (the sum joins the
    columns' totals), 0 from ``sign``. One sum for all columns.
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
        inner = {"ones": _build_sum(config, "ones_sum", [0], 0)}
        if config.bits_per_cycle > 1:
            shifts = range(config.bits_per_cycle - 1)
            inner["zeros"] = _build_sum(config, "zeros_sum", shifts, config.correction_bits)
        inner["top"] = flip_adder(config.correction_bits)
        super().__init__(config.module, "input_sum", ports, inner)

    def elaborate(self, platform):
        m = Module()
        bits, late = self._config.correction_bits, self._build_late(m)
        ones, others = late["ones"], late["others"]
        total = Signal(bits, name="total")
        top, less = Signal(bits, name="top_count"), Signal(bits, name="other_counts")
        shift = self._config.bits_per_cycle - 1
        m.d.comb += [top.eq(Cat(Const(0, shift), ones)), less.eq(others)]
        pins = {"a": less, "b": top, "flip": late["flip"], "y": total}
        m.submodules.top = self.instance("top", **pins)
        summed = Signal(bits, name="summed", reset_less=True)
        if self._config.pipeline_stages:
            with m.If(self.enable):
                m.d.sync += summed.eq(total)
        else:
            m.d.comb += summed.eq(total)
        m.d.comb += self.correction.eq(Cat(summed & s.replicate(bits) for s in self.sign))
        return m

    def _build_late(self, m: Module) -> dict[str, Value]:
        """The top plane's count, the other planes' with their constant, and whether the top one is
        subtracted, each as late as a rank before the last."""
        config, enable = self._config, self.enable
        k, rows, bits = config.bits_per_cycle, config.rows, config.correction_bits
        ranks = max(0, config.pipeline_stages - 1)
        planes = [self.planes_n.word_select(plane, rows) for plane in range(k)]
        early = Cat(_counts(~planes[-1]), ~self.plane_negate)
        late = late_planes(m, config, early, enable)
        ones = self._place(m, "ones", late[:-1])
        # -top = ~top + 1, and ~ inverts the zeros below it, too
        added = 1 << (k - 1)
        if k == 1:
            flip = _delayed(m, late[-1], ranks, enable)
            return {"ones": ones, "others": flip, "flip": flip}
        zeros = late_planes(m, config, Cat(*map(_counts, planes[:-1])), enable, name="zeros")
        less = -rows * (added - 1)
        constant = Signal(bits, name="constant")
        subtracted = less + 1  # all places below are inverted, too
        m.d.comb += constant.eq(Mux(late[-1], subtracted % (1 << bits), less % (1 << bits)))
        others = self._place(m, "zeros", Cat(zeros, constant))
        return {"ones": ones, "others": others, "flip": _delayed(m, late[-1], ranks, enable)}

    def _place(self, m: Module, name: str, terms: Value) -> Signal:
        """One of the sums."""
        module = next(child.module for child in self.children if child.instance == name)
        named = Signal(len(terms), name=f"{name}_terms")
        total = Signal(module.ports["total"].width, name=f"{name}_total")
        m.d.comb += named.eq(terms)
        pins = {"enable": self.enable} if "enable" in module.ports else {}
        m.submodules[name] = self.instance(name, **pins, terms=named, total=total)
        return total


def _build_sum(config: MacroConfig, kind: str, shifts: Sequence[int], constant: int) -> Structure:
    """Adds the counts of planes of these weights, and a ``constant`` of so many bits (then modulo
    that width), with a register behind its levels but for the last rank, which is the sum's."""
    operands: list[Operand] = []
    low = 0
    counts = [(shift, unsigned_width(size)) for shift in shifts for size in _sizes(config.rows)]
    for shift, bits in [*counts, *([(0, constant)] if constant else [])]:
        operands.append(Operand(tuple(range(low, low + bits)), shift))
        low += bits
    plan = plan_sum(config.tree, operands, constant or unsigned_width(config.rows))
    ranks = max(0, config.pipeline_stages - 1)
    staging = levelled(plan, ranks) if ranks else unstaged(plan)
    comment = "Sum of a cycle's counts."
    how = {"role": "accumulate", "chained": True}
    return build_adder(config.module, kind, comment, staging, **how)


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
