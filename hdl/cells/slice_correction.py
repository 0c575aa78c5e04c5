"""What radix-4 digits make wrong in the slices of a weight: of those with a sign and of others."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.hdl.cells.booth_correction import build_digit_sum, digit_constants
from cimforge.hdl.cells.input_sum import late_planes
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["SliceCorrection"]


class SliceCorrection(Block):
    """BoothCorrection's value for each slice of a column, with n = slice_width in place of
    weight_bits: slice s's at s * correction_bits.

    Operands of negative digits are 2^(n+1) - 1 too large in every slice, but the bank's sign acts
    in a weight's top slice alone, so there are two sums of the digits d_i: of slices without sign,
    ``correction = N + 2^(n-1) (2 rows (2^k - 1) + 2 rows ending - 4 N)``, unsigned, with ``N =
    sum_i 4^i (number of negative digits d_i)`` over all rows, and of slices with one ``sum_i 4^i
    d_i`` taken off in the bracket. A row's share in that is 4 a negative digit, or ``d_i mod 4``:
    one bit a digit, or two, of which the inverses are added.

    ``planes_n`` and ``plane_ending`` are BoothCorrection's, and tell of these planes; ``sign``, a
    line for each slice, belongs to the result and selects.
    Latency: config.ranks enabled cycles (the array's lead and the trees' ranks), 0 from ``sign``.
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.ranks
        ports = {
            "enable": In(1 if config.ranks else 0),
            "planes_n": In(config.rows * config.row_lines),
            "plane_ending": In(1),
            "sign": In(config.slices),
            "correction": Out(config.correction_bits * config.slices),
        }
        k = config.bits_per_cycle
        self._places = {"digit_sum": range(2, k + 1, 2), "signed_digit_sum": range(k)}
        sums = {kind: build_digit_sum(config, kind, at) for kind, at in self._places.items()}
        super().__init__(config.module, "input_sum", ports, sums)

    def elaborate(self, platform):
        m = Module()
        rows, enable = self._config.rows, self.value("enable")
        late = late_planes(m, self._config, Cat(self.planes_n, self.plane_ending), enable)
        planes_n, ending, going_on = Signal(len(late) - 1), Signal(), Signal()
        m.d.comb += [planes_n.eq(late[:-1]), ending.eq(late[-1]), going_on.eq(~ending)]
        first = range(0, self._config.row_lines, 3)
        digits = [[~planes_n.word_select(i + n, rows) for n in range(3)] for i in first]
        negatives = Cat(negative for *_, negative in digits)
        values = Cat(Cat(one, two | (one & negative)) for one, two, negative in digits)
        unsigned = self._place_sum(m, "digit_sum", negatives, ~negatives, ending, going_on)
        signed = self._place_sum(m, "signed_digit_sum", negatives, ~values, ending, going_on)
        m.d.comb += self.correction.eq(Cat(Mux(sign, signed, unsigned) for sign in self.sign))
        return m

    def _place_sum(
        self, m: Module, kind: str, negatives: Value, shares: Value, ending: Value, going_on: Value
    ) -> Signal:
        """One of the sums, of this cycle's digits, as late as the columns' totals."""
        last, others = map(len, digit_constants(self._config, self._places[kind]))
        terms = Signal(len(negatives) + len(shares) + last + others, name=f"{kind}_terms")
        total = Signal(self._config.correction_bits, name=f"{kind}_total")
        ends = Cat(ending.replicate(last), going_on.replicate(others))
        m.d.comb += terms.eq(Cat(negatives, shares, ends))
        pins = {"enable": self.value("enable")} if self._config.ranks else {}
        m.submodules[kind] = self.instance(kind, **pins, terms=terms, total=total)
        return total
