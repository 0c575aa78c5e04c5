"""Widths and cycle formulas of MacroConfig against brute force and literal tables."""

from itertools import product

import pytest

from cimforge.hdl.macro.accumulator import accumulate_plan
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import nearest_divisor, nearest_word, signed_width, unsigned_width

ROWS = (1, 2, 3, 7, 64, 100, 1023, 1024)


def element_range(bits: int, signed: bool) -> tuple[int, int]:
    """Lowest and highest number of ``bits`` bits."""
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def least_width(numbers: list[int]) -> int:
    """Bits of the narrowest two's complement number that holds all of ``numbers``."""
    return next(
        width
        for width in range(1, 100)
        if all(-(2 ** (width - 1)) <= n < 2 ** (width - 1) for n in numbers)
    )


def result_extremes(rows: int, input_bits: int, weight_bits: int) -> list[int]:
    """The products at the corners of the four sign modes, summed over all rows."""
    corners = []
    for x_signed, w_signed in product((False, True), repeat=2):
        xs, ws = element_range(input_bits, x_signed), element_range(weight_bits, w_signed)
        corners += [rows * x * w for x, w in product(xs, ws)]
    return corners


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("input_bits", range(1, 17))
def test_y_bits_is_the_least_width_of_all_sign_modes(rows, input_bits):
    for weight_bits in range(1, 17):
        config = MacroConfig(rows=rows, cols=1, input_bits=input_bits, weight_bits=weight_bits)
        assert config.y_bits == least_width(result_extremes(rows, input_bits, weight_bits))


@pytest.mark.parametrize(("input_bits", "weight_bits"), list(product((1, 2, 3), repeat=2)))
def test_corners_are_the_extremes_of_all_vectors(input_bits, weight_bits):
    """The brute force above looks at corners only; here all products of two rows are tried."""
    sums = set()
    for x_signed, w_signed in product((False, True), repeat=2):
        x_low, x_high = element_range(input_bits, x_signed)
        w_low, w_high = element_range(weight_bits, w_signed)
        products = {x * w for x in range(x_low, x_high + 1) for w in range(w_low, w_high + 1)}
        sums |= {a + b for a, b in product(products, repeat=2)}
    config = MacroConfig(rows=2, cols=1, input_bits=input_bits, weight_bits=weight_bits)
    assert config.y_bits == least_width(sorted(sums))


@pytest.mark.parametrize(
    ("rows", "input_bits", "weight_bits", "y_bits"),
    [
        (64, 8, 8, 23),
        (1, 1, 1, 2),
        (3, 1, 1, 3),
        (64, 4, 4, 15),
        (1024, 16, 16, 43),
        (1, 16, 1, 17),
    ],
)
def test_y_bits_of_known_geometries(rows, input_bits, weight_bits, y_bits):
    config = MacroConfig(rows=rows, input_bits=input_bits, weight_bits=weight_bits)
    assert config.y_bits == y_bits


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("weight_bits", [1, 2, 5, 8, 16])
def test_tree_bits_hold_the_largest_sum_and_no_more(rows, weight_bits):
    bits = MacroConfig(rows=rows, cols=1, weight_bits=weight_bits).tree_bits
    largest = rows * (2**weight_bits - 1)
    assert 2 ** (bits - 1) <= largest < 2**bits


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("planes", range(1, 17))
def test_correction_bits_hold_every_input_sum_taken_from_its_constants(rows, planes):
    """Rows all alike are the extremes: a plane counts 0 or rows, the top one negative or not."""
    low = rows * (2 ** (planes - 1) - 1)
    top = rows * 2 ** (planes - 1)
    sums = [sign * t + lo for sign in (1, -1) for t in (0, top) for lo in (0, low)]
    values = [rows * (2**planes - 1 + final) - each for each in sums for final in (0, 1)]
    config = MacroConfig(rows=rows, cols=1, input_bits=planes, bits_per_cycle=planes)
    assert min(values) == 0
    assert 2 ** (config.correction_bits - 1) <= max(values) < 2**config.correction_bits


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 63, 64])
def test_numbering_widths_reach_the_last_row_and_bank(count):
    config = MacroConfig(rows=count, banks=count, cols=1)
    least = min(bits for bits in range(8) if count - 1 < 2**bits)
    assert config.row_bits == config.bank_bits == least
    assert (config.row_bits == 0) == (count == 1)


@pytest.mark.parametrize("input_bits", range(1, 17))
def test_x_bits_port_holds_every_precision(input_bits):
    width = MacroConfig(input_bits=input_bits).x_bits_width
    assert 2 ** (width - 1) <= input_bits < 2**width


@pytest.mark.parametrize("input_bits", [1, 6, 16])
def test_cycles_are_the_planes_rounded_up(input_bits):
    for k in (k for k in range(1, input_bits + 1) if input_bits % k == 0):
        config = MacroConfig(input_bits=input_bits, bits_per_cycle=k)
        groups = [len(range(0, bits, k)) for bits in range(1, input_bits + 1)]
        cycles = [config.cycles_per_pass(bits) for bits in range(1, input_bits + 1)]
        assert cycles == groups
        assert config.max_planes == groups[-1]


@pytest.mark.parametrize("x_bits", [0, 9, 15, 255, -1])
def test_no_or_too_large_precision_means_full(x_bits):
    config = MacroConfig(input_bits=8, bits_per_cycle=2)
    assert config.effective_x_bits(x_bits) == 8
    assert config.cycles_per_pass(x_bits) == config.cycles_per_pass() == 4
    assert config.latency(x_bits) == config.latency()


@pytest.mark.parametrize(
    ("parameters", "x_bits", "latency", "read_latency"),
    [
        ({}, 0, 9, 2),
        ({}, 3, 4, 2),
        ({"bits_per_cycle": 8}, 0, 2, 2),
        ({"bits_per_cycle": 4, "tree_stages": 3}, 5, 6, 5),
        ({"input_bits": 1, "tree_stages": 1}, 1, 3, 3),
    ],
)
def test_latency_is_planes_and_ranks_and_one(parameters, x_bits, latency, read_latency):
    config = MacroConfig(**parameters)
    assert (config.latency(x_bits), config.read_latency) == (latency, read_latency)


def test_work_and_write_figures():
    config = MacroConfig(rows=10, cols=3, weight_bits=5, input_bits=4, bits_per_cycle=2, banks=7)
    assert config.macs_1b == 10 * 3 * 5 * 2
    assert {config.write_cycles(row) for row in range(12)} == {1}
    assert config.load_cycles() == config.load_cycles(fill=True) == 10
    assert (config.write_landing, MacroConfig(storage="latch").write_landing) == (0, 1)


@pytest.mark.parametrize(
    ("rows", "weight_bits", "widths", "bits"),
    [(1, 8, (8,), 8), (2, 8, (9,), 25), (5, 3, (4, 4, 3), 23), (4, 1, (2, 2), 8)],
)
def test_a_group_makes_one_operand_and_stores_its_sums(rows, weight_bits, widths, bits):
    config = MacroConfig(rows=rows, weight_bits=weight_bits, group=2)
    assert config.operand_widths == widths
    assert config.stored_bits == bits
    assert config.tree_bits == MacroConfig(rows=rows, weight_bits=weight_bits).tree_bits


def test_entries_of_any_group_are_as_wide_as_their_largest_sum():
    config = MacroConfig(weight_bits=2)
    assert config.entry_widths(1) == (2,)
    assert config.entry_widths(3) == (2, 2, 3, 2, 3, 3, 4)


def test_write_figures_of_groups():
    config = MacroConfig(rows=5, group=2, tree_stages=2)
    assert [config.write_cycles(row) for row in range(7)] == [6, 6, 6, 6, 1, 1, 1]
    assert [config.fill_cycles(row) for row in range(7)] == [1, 2, 1, 2, 1, 1, 1]
    assert (config.load_cycles(), config.load_cycles(fill=True)) == (25, 7)
    assert (config.write_landing, config.pairs) == (1, 2)


def test_signed_width_against_all_short_ranges():
    for low, high in product(range(-20, 1), range(20)):
        assert signed_width(low, high) == least_width([low, high])


def test_unsigned_width_against_all_short_ranges():
    assert [unsigned_width(n) for n in range(9)] == [0, 1, 2, 2, 3, 3, 3, 3, 4]


def test_nearest_divisor_prefers_the_smaller_of_two():
    for whole, near in product(range(1, 40), range(45)):
        divisors = [d for d in range(1, 50) if whole % d == 0]
        found = nearest_divisor(whole, near)
        assert found in divisors
        assert all((abs(d - near), d) >= (abs(found - near), found) for d in divisors)


def test_nearest_word_ignores_case_and_gives_up_on_nonsense():
    assert nearest_word("Latsch", ["flop", "latch"]) == "latch"
    assert nearest_word("qqqq", ["flop", "latch"]) is None


@pytest.mark.parametrize("bits", [(1, 1), (1, 2), (2, 1), (1, 4)], ids=str)
@pytest.mark.parametrize("rows", range(1, 70))
def test_no_correction_is_wider_than_the_results_it_is_added_to(rows, bits):
    """Narrow macros: the accumulator takes every bit of the correction that it is offered."""
    weight_bits, input_bits = bits
    config = MacroConfig(rows=rows, cols=1, weight_bits=weight_bits, input_bits=input_bits)
    plan = accumulate_plan(config, [0] * config.tree_bits)
    width = 1 + config.y_bits - 1 + config.tree_bits + config.correction_bits
    assert plan.input_bits == width
