"""The input sum without its plan: each plane counted, the counts added and subtracted behind the
trees' registers."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.planners import plan_sum, word_operands
from cimforge.hdl.arith.staging import divided
from cimforge.hdl.cells.input_sum import InputSum, late_planes
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["PLAIN"]


def _build_count(config: MacroConfig) -> Structure:
    """Counts the zeros of one plane, with as many register ranks as the column trees."""
    operands, width = word_operands([1] * config.rows), unsigned_width(config.rows)
    plan = plan_sum(config.tree, operands, width, final=config.final_adder)
    staging = divided(plan, config.pipeline_stages)
    comment = "Zeros of a bit plane."
    return build_adder(config.module, "plane_sum", comment, staging, role="accumulate")


def _elaborate(self: InputSum, platform: Any) -> Module:
    """``rows (2^k - 1) + (rows while ending) - sum of +-2^j count_j``, as it is written."""
    m, k, rows = Module(), self._config.bits_per_cycle, self._config.rows
    ones = [rows - _count(self, m, plane) for plane in range(k)]
    top = ones[-1] << (k - 1)
    summed = self._config.sums_constants
    negate = _delayed(self, m, self.plane_negate) if summed else self.negate
    total = Signal(range(-rows * 2 ** (k - 1), rows * 2**k))
    low = sum((count << plane for plane, count in enumerate(ones[:-1])), Const(0))
    m.d.comb += total.eq(Mux(self.sign, low + Mux(negate, -top, top), 0))
    base = Mux(self.ending, rows * 2**k, rows * (2**k - 1))
    m.d.comb += self.correction.eq(base - total)
    return m


def _count(self: InputSum, m: Module, plane: int) -> Signal:
    """Zeros of a plane, as late as the columns' operands."""
    rows = self._config.rows
    zeros = Signal(rows, name=f"zeros_{plane}")
    count = Signal(unsigned_width(rows), name=f"count_{plane}")
    planes_n = self._planes_n()[plane * rows : (plane + 1) * rows]
    m.d.comb += zeros.eq(late_planes(m, self._config, planes_n, self.value("enable")))
    pins = {"enable": self.enable} if self._config.ranks else {}
    m.submodules[f"sum_{plane}"] = self.instance("sum", **pins, terms=zeros, total=count)
    return count


def _delayed(self: InputSum, m: Module, bit: Value) -> Value:
    """A bit that comes with the planes, beside their counts."""
    for rank in range(self._config.ranks):
        late = Signal(name=f"negate_q{rank + 1}", reset_less=True)
        with m.If(self.enable):
            m.d.sync += late.eq(bit)
        bit = late
    return bit


PLACE = "cimforge.hdl.cells.input_sum"
PLAIN = {
    f"{PLACE}:build_plane_sum": _build_count,
    f"{PLACE}:InputSum.elaborate": _elaborate,
}
