"""Radix-4 digits as hardware: lines, operands, and where they meet the rest of the macro."""

from random import Random

import pytest

from cimforge.hdl.cells.booth_multiply import BoothMultiplier
from cimforge.hdl.cells.booth_serialiser import BoothSerialiser
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.sequencer_run import first_cycle
from cimforge.hdl.tests.test_blocks import fits, random_values, simulate


def digits(**parameters) -> MacroConfig:
    """A small macro of digits."""
    shape = {"rows": 1, "cols": 1, "weight_bits": 3, "input_bits": 4, "bits_per_cycle": 2}
    return MacroConfig(**{**shape, **parameters}, multiply="booth")


def lines_n(values: list[int]) -> int:
    """The lines of digits, inverted: one, two, negative of each."""
    lines = [(abs(d) == 1, abs(d) == 2, d < 0) for d in values]
    every = [line for each in lines for line in each]
    return sum((not line) << place for place, line in enumerate(every))


def digits_of(value: int, count: int) -> list[int]:
    """Radix-4 digits by the place values of two neighbouring planes, lowest first."""
    bits = [0, *(value >> place & 1 for place in range(2 * count))]
    return [bits[2 * i] + bits[2 * i + 1] - 2 * bits[2 * i + 2] for i in range(count)]


SERIALISERS = [(2, 2), (6, 2), (8, 2), (4, 4), (16, 4), (12, 6), (8, 8)]


@pytest.mark.parametrize(("input_bits", "k"), SERIALISERS)
def test_serialiser_hands_out_the_digits_of_every_precision(input_bits, k):
    """Group after group they sum to the element, whatever its bits above the precision: the first
    is the offered element's, the others are the held one's."""
    config, random = digits(input_bits=input_bits, bits_per_cycle=k), Random(input_bits)
    block, half = BoothSerialiser(config), k // 2

    async def drive(ctx):
        for x_bits, signed in ((b, s) for b in range(1, input_bits + 1) for s in (False, True)):
            elements = [random.getrandbits(input_bits) for _ in range(4)]
            for element in (*elements, 0, -1 & (1 << input_bits) - 1, 1 << x_bits - 1):
                value = element % 2**x_bits
                value -= 2**x_bits if signed and value >> x_bits - 1 else 0
                cycles = config.cycles_per_pass(x_bits, signed)
                expected = digits_of(value, cycles * half)
                assert sum(d * 4**i for i, d in enumerate(expected)) == value
                held = element % 2**config.held_bits
                fill, sign_plane = first_cycle(config, x_bits, signed)
                for group in reversed(range(cycles)):
                    first = group == cycles - 1
                    told = {"x": element if first else ~element % 2**input_bits}
                    told |= {"first": first << group, "following": (not first) << group}
                    told |= {"element": ~held % 2**config.held_bits if first else held}
                    fits(ctx, block, {**told, "fill": fill, "sign_plane": sign_plane})
                    want = lines_n(expected[group * half : group * half + half])
                    assert ctx.get(block.planes_n) == want, (element, x_bits, signed, group)

    simulate(block, drive)


@pytest.mark.parametrize(("input_bits", "k"), SERIALISERS)
def test_serialiser_reads_back_with_the_lowest_digit_alone(input_bits, k):
    config, random = digits(input_bits=input_bits, bits_per_cycle=k), Random(k)
    block = BoothSerialiser(config)

    async def drive(ctx):
        for _ in range(20):
            names = ("x", "element", "fill", "sign_plane", "read_row")
            values = random_values(block, random, names)
            fits(ctx, block, {**values, "first": 0, "following": 0})
            assert ctx.get(block.planes_n) == lines_n([values["read_row"], *[0] * (k // 2 - 1)])

    simulate(block, drive)


@pytest.mark.parametrize("storage", ["flop", "sram"])
@pytest.mark.parametrize("banks", [1, 3])
@pytest.mark.parametrize("weight_bits", [1, 2, 5])
def test_multiplier_makes_multiples_and_inverts_those_of_negative_digits(
    weight_bits, banks, storage
):
    config = digits(weight_bits=weight_bits, bits_per_cycle=4, banks=banks, storage=storage)
    block, random, ones = BoothMultiplier(config), Random(weight_bits), (2 << weight_bits) - 1
    selected = config.selected_banks

    async def drive(ctx):
        for bank in [*range(selected), None] * 20 if selected > 1 else [0] * 40:
            stored = random.getrandbits(selected * weight_bits)
            values = [random.randint(-2, 2) for _ in range(2)]
            select = 0 if bank is None else 1 << bank
            told = {"stored": stored, "bank_select": select, "planes_n": lines_n(values)}
            fits(ctx, block, told)
            word = stored if selected == 1 else ~(stored >> (bank or 0) * weight_bits)
            code = 0 if bank is None else ~word % 2**weight_bits
            operands = [d * code if d >= 0 else ones + d * code for d in values]
            want = operands[0] | operands[1] << weight_bits + 1
            assert ctx.get(block.products) == want, (code, values)

    simulate(block, drive)


def test_widths_are_those_of_digits():
    """Half as many trees, operands a bit wider, one cycle more of unsigned vectors."""
    config = MacroConfig(multiply="booth", bits_per_cycle=4)
    assert (config.trees, config.row_lines, config.tree_bits) == (2, 6, 15)  # 64 * 511
    assert config.operand_widths == (9,) * 64
    assert (config.cycles_per_pass(), config.cycles_per_pass(0, True)) == (3, 2)
    assert config.max_planes == 3
    assert (config.latency(8), config.latency(8, True)) == (4, 3)
    assert config.correction_bits == 19  # 64 * 2^(4 + 8)
    assert config.macs_1b == MacroConfig(bits_per_cycle=4).macs_1b


def test_planes_alone_build_nothing_of_digits():
    """Names of modules that only digits need; every other style's text stays as it is."""
    kinds = {module.kind for module in macro_modules(MacroConfig(rows=2, cols=1))}
    more = {module.kind for module in macro_modules(digits(rows=2))}
    assert more - kinds == {"digit_sum"}
    assert kinds - more == {"plane_sum"}


def test_slices_are_columns_of_narrow_weights():
    """Their operands, sums and accumulators are those of weights as wide as a slice; two sums
    correct them, and the signs go to each."""
    config = digits(rows=5, weight_bits=6, slice_bits=2, bits_per_cycle=4)
    assert config.operand_widths == digits(rows=5, weight_bits=2, bits_per_cycle=4).operand_widths
    for name in ("tree_bits", "correction_bits", "pass_excess"):
        assert getattr(config, name) == getattr(config.slice, name), name
    modules = {module.kind: module for module in macro_modules(config)}
    kinds = {kind for kind in modules if kind.endswith("digit_sum")}
    assert kinds == {"digit_sum", "signed_digit_sum"}
    assert "plane_sign" not in modules["sequencer"].ports
    assert modules["input_sum"].ports["correction"].width == 3 * config.correction_bits
