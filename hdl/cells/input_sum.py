"""Input sum: the shared correction that makes offset-binary weights signed."""

from amaranth.hdl import Const, Module, Mux, Signal

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.planners import plan_sum, word_operands
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["InputSum", "build_popcount"]


def build_popcount(config: MacroConfig) -> Structure:
    """Counts the ones of one plane, with as many register ranks as the column trees."""
    plan = plan_sum(config.tree, word_operands([1] * config.rows), unsigned_width(config.rows))
    comment, stages = "Number of ones in a bit plane.", config.pipeline_stages
    return build_adder(config.module, "popcount", comment, plan, stages, role="accumulate")


class InputSum(Block):
    """What a signed weight's offset adds too much, taken from a constant: unsigned, so that no
    column spends adders on its sign.

    A signed weight is stored as ``code = w + 2^(weight_bits-1)``, so every cycle's totals are too
    large by 2^(weight_bits-1) times ``sum_j +-2^j count_j``, with count_j the ones in plane j and
    the top one negative while ``negate``. ``correction = rows (2^k - 1) + (rows while ending) -
    sum``, the sum counting while ``sign`` (the bank's) is high; ``ending`` is the last cycle of a
    pass. The constants of a pass are ``rows (2^k - 1) (2^(k (cycles-1)) + ... + 1) + rows = rows
    2^(k cycles)``, which the accumulators begin with, negated. correction_bits wide, for 0 .. rows
    (2^k + 2^(k-1)).

    ``planes_n`` carries k inverted planes of rows bits, plane j's at j * rows. Latency:
    config.ranks enabled cycles from planes_n (the array's lead and the trees' ranks), 0 from
    ``sign``, ``negate`` and ``ending``. Shared by all columns, so it costs each only 1/cols of a
    small tree.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.ranks
        ports = {
            "enable": In(1 if config.ranks else 0),
            "planes_n": In(config.rows * config.bits_per_cycle),
            "negate": In(1),
            "ending": In(1),
            "sign": In(1),
            "correction": Out(config.correction_bits),
        }
        popcount = build_popcount(config)
        inner = {f"popcount_{plane}": popcount for plane in range(config.bits_per_cycle)}
        super().__init__(config.module, "input_sum", ports, inner)

    def elaborate(self, platform):
        m = Module()
        k = self._config.bits_per_cycle
        counts = [self._build_count(m, j) for j in range(k)]

        rows = self._config.rows
        low = Signal(range(rows * 2**k))
        total = Signal(range(-rows * 2 ** (k - 1), rows * 2**k))
        top = counts[-1] << (k - 1)
        m.d.comb += low.eq(sum((count << j for j, count in enumerate(counts[:-1])), Const(0)))
        m.d.comb += total.eq(Mux(self.sign, low + Mux(self.negate, -top, top), 0))
        base = Mux(self.ending, rows * 2**k, rows * (2**k - 1))
        m.d.comb += self.correction.eq(base - total)
        return m

    def _build_count(self, m: Module, plane: int) -> Signal:
        """Ones in plane ``plane``, as late as the columns' operands."""
        rows = self._config.rows
        ones = Signal(rows, name=f"plane_{plane}")
        count = Signal(unsigned_width(rows), name=f"count_{plane}")
        m.d.comb += ones.eq(~self.planes_n[plane * rows : (plane + 1) * rows])
        for rank in range(self._config.storage_traits.lead):
            late = Signal(rows, name=f"plane_{plane}_q{rank + 1}", reset_less=True)
            with m.If(self.enable):
                m.d.sync += late.eq(ones)
            ones = late
        pins = {"enable": self.enable} if self._config.ranks else {}
        name = f"popcount_{plane}"
        m.submodules[name] = self.instance(name, **pins, terms=ones, total=count)
        return count
