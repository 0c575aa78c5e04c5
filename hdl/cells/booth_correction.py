"""What radix-4 digits make wrong in all columns: one sum of the inputs' lines."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.cells.input_sum import late_planes, shared_staging
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BoothCorrection", "build_digit_sum", "digit_constants"]


def digit_constants(config: MacroConfig, places: Sequence[int]) -> tuple[list[int], list[int]]:
    """Places, from weight 2^(slice_width-1) up, that have a 1 in the last cycle of a pass, and in
    all others: those of ``rows (2^(k+1) - 2 - sum of 2^places)``, and in the last cycle ``2 rows``
    more, modulo what is above."""
    bits = range(config.correction_bits - (config.slice_width - 1))
    shares = sum(1 << place for place in places)
    others = config.rows * ((2 << config.bits_per_cycle) - 2 - shares)
    last = others + 2 * config.rows
    ones, more = ([b for b in bits if n >> b & 1] for n in (last, others))
    return ones, more


def build_digit_sum(config: MacroConfig, kind: str, places: Sequence[int]) -> Structure:
    """Adds what the digits of a cycle correct, modulo 2^correction_bits, with as many register
    ranks as the column trees.

    Terms in order: k / 2 times ``rows`` negative lines, digit i's of weight 4^i; then ``rows`` bits
    for each of ``places``, of weight 2^(slice_width-1) 2^place; both of digit_constants.
    """
    rows, low = config.rows, config.slice_width - 1
    shifts = [2 * digit for digit in range(config.trees) for _ in range(rows)]
    shifts += [low + place for place in places for _ in range(rows)]
    shifts += [low + bit for bits in digit_constants(config, places) for bit in bits]
    operands = [Operand((term,), shift) for term, shift in enumerate(shifts)]
    plan = plan_sum(config.tree, operands, config.correction_bits, final=config.final_adder)
    comment = "Sum of a cycle's negative digits, of what signed weights add, and of a constant."
    staging = shared_staging(config, plan)
    return build_adder(config.module, kind, comment, staging, role="accumulate")


class BoothCorrection(Block):
    """What a cycle's digits d_i make wrong, taken from a constant, for all columns: operands of
    negative digits are ``2^(weight_bits+1) - 1`` too large, and codes of signed banks ``2^(
    weight_bits-1)``.

    ``correction = N + 2^(weight_bits-1) (2 rows (2^k - 1) + 2 rows ending - V)``, unsigned, with
    ``N = sum_i 4^i (number of negative digits d_i)`` over all rows, ``V = 4 N`` and, of a signed
    bank, ``V = 4 N + sum_i 4^i d_i``. The constants of a pass are ``2 rows
    2^(weight_bits-1) 2^(k cycles)``, which the accumulators begin with, negated.

    A row's share in V is 4 or 0 a digit, with the sign ``d_i mod 4``: in both cases k + 1 bits at
    most, weights 1, 2, 4, .. 2^k, shared by neighbouring digits. Nothing is subtracted: their
    inverses are added, whose constant ``rows (2^(k+1) - 1)`` is one ``rows`` more than wanted, or
    in the last cycle less.

    ``planes_n`` carries the rows' lines, line by line (line l's of row r at l * rows + r), all
    inverted; ``plane_sign`` (the bank's, a line for each row) and ``plane_ending`` (a pass's last
    cycle) tell of these planes.
    Latency: config.ranks enabled cycles (the array's lead and the trees' ranks).
    """

    role = "accumulate"

    def __init__(self, config: MacroConfig):
        self._config = config
        self.latency = config.ranks
        ports = {
            "enable": In(1 if config.ranks else 0),
            "planes_n": In(config.rows * config.row_lines),
            "plane_ending": In(1),
            "plane_sign": In(config.rows),
            "correction": Out(config.correction_bits),
        }
        self._places = range(config.bits_per_cycle + 1)
        inner = {"sum": build_digit_sum(config, "digit_sum", self._places)}
        super().__init__(config.module, "input_sum", ports, inner)

    def elaborate(self, platform):
        m = Module()
        enable = self.value("enable")
        early = Cat(self._build_terms(m), self.plane_ending)
        late = late_planes(m, self._config, early, enable)
        ending, going_on = Signal(), Signal()
        m.d.comb += [ending.eq(late[-1]), going_on.eq(~ending)]
        last, others = map(len, digit_constants(self._config, self._places))
        named = Signal(len(late) - 1, name="terms")
        m.d.comb += named.eq(late[:-1])
        terms = Cat(named, ending.replicate(last), going_on.replicate(others))
        pins = {"enable": enable} if self._config.ranks else {}
        m.submodules.sum = self.instance("sum", **pins, terms=terms, total=self.correction)
        return m

    def _build_terms(self, m: Module) -> Value:
        """Negative lines, and the places of V, inverted."""
        rows = self._config.rows
        every = range(self._config.trees)
        lines = [[~self.planes_n.word_select(3 * i + n, rows) for n in range(3)] for i in every]
        sign = self.plane_sign
        shares: list[Value] = []
        below: Value = Const(0, rows)  # negative lines of the digit below
        for one, two, negative in lines:
            shares += [one & sign | below & ~sign, sign & (two | (one & negative))]
            below = negative
        shares.append(below & ~sign)
        return Cat(Cat(negative for *_, negative in lines), ~Cat(shares))
