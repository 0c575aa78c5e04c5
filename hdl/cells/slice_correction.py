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
        rows, digits = self._config.rows, range(self._config.trees)
        early = Cat(self.planes_n, self.plane_ending)
        late = late_planes(m, self._config, early, self.value("enable"))
        ending = Signal()
        going_on = Signal()
        m.d.comb += [ending.eq(late[-1]), going_on.eq(~ending)]
        ones, twos, negatives = (
            Signal(rows * len(digits), name=name) for name in ("ones", "twos", "negatives")
        )
        for number, line in enumerate((ones, twos, negatives)):
            m.d.comb += line.eq(Cat(~late.word_select(3 * i + number, rows) for i in digits))
        upper = Signal(len(twos))
        m.d.comb += upper.eq(twos | (ones & negatives))
        values = Cat(Cat(n.word_select(i, rows) for n in (ones, upper)) for i in digits)
        ends = ending, going_on
        plain = self._place_sum(m, "digit_sum", negatives, negatives, ends)
        signed = self._place_sum(m, "signed_digit_sum", negatives, values, ends)
        m.d.comb += self.correction.eq(Cat(Mux(sign, signed, plain) for sign in self.sign))
        return m

    def _place_sum(
        self, m: Module, kind: str, negatives: Value, shares: Value, ends: tuple[Signal, Signal]
    ) -> Signal:
        """One of the sums, of this cycle's digits, as late as the columns' totals."""
        counts = map(len, digit_constants(self._config, self._places[kind]))
        constants = Cat(end.replicate(count) for end, count in zip(ends, counts, strict=True))
        shares_n = Signal(len(shares), name=f"{kind}_shares_n")
        total = Signal(self._config.correction_bits, name=f"{kind}_total")
        m.d.comb += shares_n.eq(~shares)
        terms = Cat(negatives, shares_n, constants)
        pins = {"enable": self.value("enable")} if self._config.ranks else {}
        m.submodules[kind] = self.instance(kind, **pins, terms=terms, total=total)
        return total
