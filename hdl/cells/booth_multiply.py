"""Radix-4 multiplication: a row's operand is a multiple of its weight, inverted where its digit is
negative, and one correction of the inputs alone makes that right."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import plan_sum
from cimforge.hdl.cells.booth_serialiser import BoothSerialiser
from cimforge.hdl.cells.input_sum import late_planes, shared_staging
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES, MultiplyStyle
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BoothCorrection", "BoothMultiplier", "build_digit_sum"]


class BoothMultiplier(Block):
    """Operands of one row in one column: for each digit d of the row's input |d| times the active
    bank's code, inverted where d is negative.

    ``products`` holds k / 2 unsigned operands of weight_bits + 1 bits, digit i's at
    i (weight_bits + 1): ``|d| code`` where d >= 0, else ``2^(weight_bits+1) - 1 - |d| code``.
    ``planes_n`` holds BoothSerialiser's lines, ``stored`` and ``bank_select`` are as Multiplier's:
    no bit set selects a code of 0. An OR-AND-invert and an exclusive OR a bit. Combinational
    (latency 0).
    """

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._config = config
        banks, width = config.selected_banks, config.weight_bits
        ports = {
            "stored": In(banks * width),
            "bank_select": In(banks if banks > 1 else 0),
            "planes_n": In(config.row_lines),
            "products": Out(config.trees * (width + 1)),
        }
        super().__init__(config.module, "multiplier", ports)

    def elaborate(self, platform):
        m = Module()
        size = self._config.weight_bits + 1
        code_n = self._build_code(m)
        once_n, twice_n = Cat(code_n, Const(1, 1)), Cat(Const(1, 1), code_n)
        for digit in range(self._config.trees):
            one_n, two_n, negative_n = self.planes_n.word_select(digit, 3)
            multiple_n = (once_n | one_n.replicate(size)) & (twice_n | two_n.replicate(size))
            operand = multiple_n ^ negative_n.replicate(size)
            m.d.comb += self.products.word_select(digit, size).eq(operand)
        return m

    def _build_code(self, m: Module) -> Signal:
        """The active bank's code, inverted."""
        width, banks = self._config.weight_bits, self._config.selected_banks
        code_n = Signal(width)
        if banks == 1:
            m.d.comb += code_n.eq(self.stored)
            return code_n
        words = [
            self.stored.word_select(b, width) & self.bank_select[b].replicate(width)
            for b in range(banks)
        ]
        m.d.comb += code_n.eq(~reduce(or_, words))
        return code_n


def _constants(config: MacroConfig) -> tuple[list[int], list[int]]:
    """Places, from weight 2^(weight_bits-1) up, that have a 1 in the last cycle of a pass, and in
    all others: those of ``rows``, and of ``-rows`` modulo what is above."""
    bits = range(config.correction_bits - (config.weight_bits - 1))
    last, others = ([b for b in bits if n >> b & 1] for n in (config.rows, -config.rows))
    return last, others


def build_digit_sum(config: MacroConfig) -> Structure:
    """Adds what the digits of a cycle correct, modulo 2^correction_bits, with as many register
    ranks as the column trees.

    Terms in order: k / 2 times ``rows`` negative lines, digit i's of weight 4^i; then from weight
    2^(weight_bits-1) up k + 1 times ``rows`` bits, a place each; both of _constants.
    """
    k, rows, place = config.bits_per_cycle, config.rows, config.weight_bits - 1
    shifts = [2 * digit for digit in range(config.trees) for _ in range(rows)]
    shifts += [place + bit for bit in range(k + 1) for _ in range(rows)]
    shifts += [place + bit for bits in _constants(config) for bit in bits]
    operands = [Operand((term,), shift) for term, shift in enumerate(shifts)]
    plan = plan_sum(config.tree, operands, config.correction_bits, final=config.final_adder)
    comment = "Sum of a cycle's negative digits, of what signed weights add, and of a constant."
    staging = shared_staging(config, plan)
    return build_adder(config.module, "digit_sum", comment, staging, role="accumulate")


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
        super().__init__(config.module, "input_sum", ports, {"sum": build_digit_sum(config)})

    def elaborate(self, platform):
        m = Module()
        enable = self.value("enable")
        early = Cat(self._build_terms(m), self.plane_ending)
        late = late_planes(m, self._config, early, enable)
        ending, going_on = Signal(), Signal()
        m.d.comb += [ending.eq(late[-1]), going_on.eq(~ending)]
        last, others = (len(places) for places in _constants(self._config))
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


MULTIPLY_STYLES.register(
    "booth",
    MultiplyStyle(
        BoothMultiplier,
        BoothCorrection,
        inverted_code=lambda config: config.selected_banks == 1,
        serialiser=BoothSerialiser,
    ),
)
