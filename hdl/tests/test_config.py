"""Every refusal of MacroConfig: its text, and that the nearest legal value it names is one."""

import ast
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.multiply import MULTIPLY, MultiplyTraits
from cimforge.hdl.params.trees import TREES
from cimforge.hdl.tests.configs import legal_parameters

NEAREST = re.compile(r"\(nearest legal value: (.+)\)$")
PARAMETERS = (
    "rows, cols, weight_bits, input_bits, bits_per_cycle, slice_bits, banks, storage, group, "
    "sram_words, sram_bits, sram_ports, ram, ram_cols, multiply, tree, tree_stages, final_adder, "
    "accumulate, final_stages, features, name"
)


def refusal(**parameters: Any) -> ConfigError:
    """The error these parameters raise."""
    with pytest.raises(ConfigError) as caught:
        MacroConfig(**parameters)
    return caught.value


REFUSALS = [
    # fields, one by one
    ({"rows": 0}, "rows must be an integer in 1..1024, not 0 (nearest legal value: 1)"),
    ({"rows": 1025}, "rows must be an integer in 1..1024, not 1025 (nearest legal value: 1024)"),
    ({"cols": -7}, "cols must be an integer in 1..1024, not -7 (nearest legal value: 1)"),
    ({"cols": "8"}, "cols must be an integer in 1..1024, not '8' (nearest legal value: 8)"),
    ({"rows": " -8 "}, "rows must be an integer in 1..1024, not ' -8 ' (nearest legal value: 1)"),
    (
        {"tree_stages": "AUTO"},
        "tree_stages must be an integer or 'auto', not 'AUTO' (nearest legal value: 'auto')",
    ),
    ({"cols": True}, "cols must be an integer in 1..1024, not True (nearest legal value: 16)"),
    (
        {"rows": float("nan")},
        "rows must be an integer in 1..1024, not nan (nearest legal value: 64)",
    ),
    (
        {"rows": float("inf")},
        "rows must be an integer in 1..1024, not inf (nearest legal value: 1024)",
    ),
    (
        {"rows": [1] * 99},
        "rows must be an integer in 1..1024, not "
        f"{str([1] * 99)[:37]}... (nearest legal value: 64)",
    ),
    (
        {"weight_bits": 17},
        "weight_bits must be an integer in 1..16, not 17 (nearest legal value: 16)",
    ),
    ({"input_bits": 0}, "input_bits must be an integer in 1..16, not 0 (nearest legal value: 1)"),
    (
        {"bits_per_cycle": 0},
        "bits_per_cycle must be an integer in 1..16, not 0 (nearest legal value: 1)",
    ),
    ({"banks": 65}, "banks must be an integer in 1..64, not 65 (nearest legal value: 64)"),
    ({"banks": None}, "banks must be an integer in 1..64, not None (nearest legal value: 1)"),
    (
        {"storage": "latsch"},
        "storage must be one of flop, latch, setclear, sram, lutram, bram, hybrid, "
        "not 'latsch' (nearest legal value: 'latch')",
    ),
    (
        {"storage": 3},
        "storage must be one of flop, latch, setclear, sram, lutram, bram, hybrid, not 3 "
        "(nearest legal value: 'flop')",
    ),
    (
        {"accumulate": "carry-save"},
        "accumulate must be one of binary, carry_save, not 'carry-save' "
        "(nearest legal value: 'carry_save')",
    ),
    (
        {"accumulate": "carry_save", "tree": "approx1"},
        "accumulate carry_save needs tree = csa or csa42, not approx1 "
        "(nearest legal value: 'binary')",
    ),
    (
        {"accumulate": "carry_save", "multiply": "xnor", "weight_bits": 1, "input_bits": 1},
        "accumulate carry_save needs multiply = plain, not xnor (nearest legal value: 'binary')",
    ),
    (
        {"final_stages": 2},
        "final_stages must be 0 with accumulate = binary, not 2 (nearest legal value: 0)",
    ),
    (
        {"accumulate": "carry_save", "final_stages": 7},
        "final_stages must be an integer in 0..4, not 7 (nearest legal value: 4)",
    ),
    (
        {"final_stages": -1},
        "final_stages must be an integer in 0..4, not -1 (nearest legal value: 0)",
    ),
    (
        {"tree": "wallace"},
        "tree must be one of csa, ripple, behavioral, csa42, approx1, approx2, not 'wallace' "
        "(nearest legal value: 'csa')",
    ),
    (
        {"tree_stages": "many"},
        "tree_stages must be an integer or 'auto', not 'many' (nearest legal value: 0)",
    ),
    (
        {"features": "ecc"},
        "features must be a list of strings, not 'ecc' (nearest legal value: [])",
    ),
    ({"features": [1]}, "features must be a list of strings, not 1 (nearest legal value: [])"),
    # parameters together
    (
        {"bits_per_cycle": 3},
        "bits_per_cycle must divide input_bits = 8, not 3 (nearest legal value: 2)",
    ),
    (
        {"bits_per_cycle": 7, "input_bits": 16},
        "bits_per_cycle must divide input_bits = 16, not 7 (nearest legal value: 8)",
    ),
    ({"slice_bits": 3}, "slice_bits must divide weight_bits = 8, not 3 (nearest legal value: 2)"),
    ({"slice_bits": 7}, "slice_bits must divide weight_bits = 8, not 7 (nearest legal value: 8)"),
    (
        {"slice_bits": 2, "weight_bits": 1, "input_bits": 1, "multiply": "xnor"},
        "slice_bits must divide weight_bits = 1, not 2 (nearest legal value: 1)",
    ),
    (
        {"storage": "block"},
        "storage must be one of flop, latch, setclear, sram, lutram, bram, hybrid, "
        "not 'block' (nearest legal value: 'flop')",
    ),
    # tables of sums
    (
        {"ram": "ecp5"},
        "ram is for storage = lutram or bram or hybrid alone, not flop (nearest legal value: None)",
    ),
    (
        {"storage": "latch", "ram_cols": 2},
        "ram_cols is for storage = lutram or bram or hybrid alone, not latch "
        "(nearest legal value: None)",
    ),
    (
        {"storage": "bram", "ram": "xilinx"},
        "ram must be one of ecp5, ice40, gowin, not 'xilinx' (nearest legal value: 'ecp5')",
    ),
    (
        {"storage": "bram", "ram": 5},
        "ram must be one of ecp5, ice40, gowin, not 5 (nearest legal value: 'ecp5')",
    ),
    (
        {"storage": "lutram", "ram": "gowin"},
        "ram must be ecp5 with storage lutram, not 'gowin' (nearest legal value: 'ecp5')",
    ),
    (
        {"storage": "hybrid", "ram": "ice40"},
        "ram must be ecp5 with storage hybrid, not 'ice40' (nearest legal value: 'ecp5')",
    ),
    (
        {"storage": "lutram", "ram_cols": 2},
        "ram_cols is for storage = hybrid alone, not lutram (nearest legal value: None)",
    ),
    (
        {"storage": "bram", "ram_cols": 0},
        "ram_cols is for storage = hybrid alone, not bram (nearest legal value: None)",
    ),
    (
        {"storage": "hybrid", "cols": 5, "ram_cols": 6},
        "ram_cols must be at most cols = 5, not 6 (nearest legal value: 5)",
    ),
    (
        {"storage": "hybrid", "ram_cols": -1},
        "ram_cols must be an integer in 0..1024, not -1 (nearest legal value: 0)",
    ),
    (
        {"storage": "hybrid", "ram_cols": "half"},
        "ram_cols must be an integer in 0..1024, not 'half' (nearest legal value: 0)",
    ),
    (
        {"storage": "lutram", "group": 5},
        "group must be 4 or 3 or 2 or 1 with storage lutram, not 5 (nearest legal value: 4)",
    ),
    (
        {"storage": "bram", "group": 4},
        "group must be 9 or 8 or 7 or 6 or 5 with storage bram, not 4 (nearest legal value: 5)",
    ),
    (
        {"storage": "bram", "group": 10},
        "group must be an integer in 1..9, not 10 (nearest legal value: 9)",
    ),
    (
        {"storage": "bram", "banks": 2, "group": 9},
        "group 9 needs 2^9 words for each of 2 banks, but a block of ecp5 has 512 "
        "(nearest legal value: 8)",
    ),
    (
        {"storage": "bram", "ram": "ice40", "banks": 3, "group": 7},
        "group 7 needs 2^7 words for each of 3 banks, but a block of ice40 has 256 "
        "(nearest legal value: 6)",
    ),
    (
        {"storage": "bram", "ram": "ice40", "group": 9},
        "group 9 needs 2^9 words for each of 1 banks, but a block of ice40 has 256 "
        "(nearest legal value: 8)",
    ),
    (
        {"storage": "bram", "banks": 17},
        "banks must be at most 16: groups of 5 rows need 2^5 words a bank, and a block of ecp5 "
        "has 512, not 17 (nearest legal value: 16)",
    ),
    (
        {"storage": "hybrid", "banks": 40},
        "banks must be at most 16: groups of 5 rows need 2^5 words a bank, and a block of ecp5 "
        "has 512, not 40 (nearest legal value: 16)",
    ),
    (
        {"storage": "bram", "ram": "ice40", "banks": 9, "group": 5},
        "banks must be at most 8: groups of 5 rows need 2^5 words a bank, and a block of ice40 "
        "has 256, not 9 (nearest legal value: 8)",
    ),
    (
        {"storage": "lutram", "tree": "approx1"},
        "tree approx1 takes single rows, but lutram stores sums of them "
        "(nearest legal value: 'csa')",
    ),
    (
        {"storage": "bram", "multiply": "booth", "bits_per_cycle": 2},
        "multiply booth takes single rows, but bram stores sums of them "
        "(nearest legal value: 'plain')",
    ),
    (
        {"storage": "hybrid", "multiply": "xnor", "weight_bits": 1, "input_bits": 1},
        "multiply xnor takes single rows, but hybrid stores sums of them "
        "(nearest legal value: 'plain')",
    ),
    (
        {"storage": "lutram", "group": 1, "tree": "approx2"},
        "tree approx2 takes single rows, but lutram stores sums of them "
        "(nearest legal value: 'csa')",
    ),
    (
        {"storage": "lutram", "sram_words": 16},
        "sram_words is for storage = sram alone, not lutram (nearest legal value: None)",
    ),
    (
        {"storage": "lutram", "rows": 8, "tree": "behavioral", "tree_stages": 2},
        "tree_stages must be in 0..1 (levels of this behavioral tree) or 'auto', not 2 "
        "(nearest legal value: 1)",
    ),
    (
        {"features": ["ecc"]},
        "features must be among zero_skip, not 'ecc' (nearest legal value: [])",
    ),
    (
        {"features": ["zero_skip", "ecc"]},
        "features must be among zero_skip, not 'ecc' (nearest legal value: ['zero_skip'])",
    ),
    (
        {"features": ["zero_skip", "zero_skip"]},
        "features must be named once each, in the order zero_skip "
        "(nearest legal value: ['zero_skip'])",
    ),
    (
        {"multiply": "planar"},
        "multiply must be one of plain, xnor, booth, not 'planar' (nearest legal value: 'plain')",
    ),
    (
        {"multiply": "booth", "bits_per_cycle": 1},
        "bits_per_cycle must be a multiple of 2 with multiply booth, not 1 "
        "(nearest legal value: 2)",
    ),
    (
        {"multiply": "booth", "input_bits": 12, "bits_per_cycle": 3},
        "bits_per_cycle must be a multiple of 2 with multiply booth, not 3 "
        "(nearest legal value: 2)",
    ),
    (
        {"multiply": "booth", "input_bits": 9, "bits_per_cycle": 3},
        "multiply booth takes 2 planes a digit, but 2 does not divide input_bits = 9 "
        "(nearest legal value: 'plain')",
    ),
    (
        {"multiply": "booth", "bits_per_cycle": 2, "group": 2},
        "group 2 needs multiply = plain, not booth (nearest legal value: 1)",
    ),
    (
        {"multiply": "xnor"},
        "multiply xnor needs weight_bits = input_bits = 1, not 8 and 8 "
        "(nearest legal value: 'plain')",
    ),
    (
        {"multiply": "xnor", "weight_bits": 1, "input_bits": 1, "group": 2},
        "group 2 needs multiply = plain, not xnor (nearest legal value: 1)",
    ),
    (
        {"name": "2 x"},
        "name must be a letter and then at most 62 letters, digits or _, not '2 x' "
        "(nearest legal value: 'm2_x')",
    ),
    (
        {"name": "module"},
        "name must not be a word of Verilog, 'module' (nearest legal value: 'module_0')",
    ),
    (
        {"name": "cim_fa"},
        "name must not be a leaf cell, 'cim_fa' (nearest legal value: 'cim_fa_0')",
    ),
    ({"name": 3}, "name must be text, not 3 (nearest legal value: '')"),
    (
        {"rows": 1024, "cols": 1024, "weight_bits": 8, "banks": 3, "storage": "latch"},
        "banks is 3, but rows * cols * weight_bits * banks must be at most 2^24 bits of latch "
        "(nearest legal value: 2)",
    ),
    (
        {"rows": 1024, "cols": 512, "banks": 3, "storage": "latch", "group": 2},
        "banks is 3, but rows * cols * weight_bits * banks must be at most 2^24 bits of latch, "
        "groups' sums included (nearest legal value: 2)",
    ),
    (
        {"rows": 1024, "cols": 1024, "weight_bits": 16, "group": 2},
        "group is 2, but one bank with its groups' sums must have at most 2^24 bits of flop "
        "(nearest legal value: 1)",
    ),
    (
        {"storage": "sram", "banks": 3, "sram_words": 2},
        "sram_words must be at least banks = 3, not 2 (nearest legal value: 3)",
    ),
    (
        {"storage": "sram", "sram_words": 0},
        "sram_words must be an integer in 1..65536, not 0 (nearest legal value: 1)",
    ),
    (
        {"storage": "sram", "sram_bits": 20000},
        "sram_bits must be an integer in 1..16384, not 20000 (nearest legal value: 16384)",
    ),
    (
        {"storage": "sram", "sram_ports": "1rw"},
        "sram_ports must be one of 1r1w, 1rw_reg, not '1rw' (nearest legal value: '1r1w')",
    ),
    (
        {"storage": "latch", "sram_words": 16},
        "sram_words is for storage = sram alone, not latch (nearest legal value: None)",
    ),
    (
        {"sram_ports": "1r1w"},
        "sram_ports is for storage = sram alone, not flop (nearest legal value: None)",
    ),
    (
        {"storage": "sram", "group": 2},
        "group must be 1 with storage sram, not 2 (nearest legal value: 1)",
    ),
    ({"group": 0}, "group must be an integer in 1..9, not 0 (nearest legal value: 1)"),
    ({"group": "two"}, "group must be an integer in 1..9, not 'two' (nearest legal value: 1)"),
    (
        {"group": 3, "storage": "latch"},
        "group must be 1 or 2 with storage latch, not 3 (nearest legal value: 2)",
    ),
    (
        {"rows": 1, "tree_stages": 1},
        "tree_stages must be in 0..0 (levels of this csa tree) or 'auto', not 1 "
        "(nearest legal value: 0)",
    ),
    (
        {"rows": 8, "tree": "behavioral", "tree_stages": 4},
        "tree_stages must be in 0..3 (levels of this behavioral tree) or 'auto', not 4 "
        "(nearest legal value: 3)",
    ),
    (
        {"rows": 8, "tree": "ripple", "tree_stages": -1},
        "tree_stages must be in 0..3 (levels of this ripple tree) or 'auto', not -1 "
        "(nearest legal value: 0)",
    ),
    # names
    ({"row": 3}, "row is not a parameter; did you mean 'rows'?"),
    ({"zzzz": 3}, f"zzzz is not a parameter; parameters: {PARAMETERS}"),
]


@pytest.mark.parametrize(("parameters", "message"), REFUSALS, ids=lambda value: str(value)[:40])
def test_refusal_says_the_parameter_the_rule_and_the_nearest_value(parameters, message):
    error = refusal(**parameters)
    assert str(error) == message
    assert error.key in parameters


def test_groups_need_plain_products_and_an_exact_tree(monkeypatch):
    inexact = TREES["ripple"]._replace(pairings=1)
    monkeypatch.setitem(TREES._entries, "rough", inexact)
    monkeypatch.setitem(MULTIPLY._entries, "odd", MultiplyTraits("not for groups"))
    assert str(refusal(group=2, multiply="odd")) == (
        "group 2 needs multiply = plain, not odd (nearest legal value: 1)"
    )
    assert str(refusal(group=2, tree="rough")) == (
        "group 2 needs an exact tree: csa or ripple or behavioral or csa42, not rough "
        "(nearest legal value: 1)"
    )
    assert MacroConfig(tree="rough", multiply="odd", group=1).group == 1


def test_cell_limit_is_exact():
    assert MacroConfig(rows=512, cols=512, weight_bits=1, banks=64)
    assert MacroConfig(rows=1024, cols=1024, weight_bits=16, banks=1)
    assert refusal(rows=513, cols=512, weight_bits=1, banks=64).key == "banks"


ILLEGAL_VALUES = st.one_of(
    st.integers(-5, 2000),
    st.integers(10**29, 10**30),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
    st.none(),
    st.sampled_from(["lach", "csa", "flop", "latch", "bram", "approx1", "Ripple", "auto", ""]),
    st.sampled_from(["lutram", "hybrid", "ecp5", "ice40", "gowin"]),
    st.text(max_size=50),
    st.lists(st.sampled_from(["ecc", "bist", "nonsense"]), max_size=2),
)
KEYS = sorted(MacroConfig.model_fields)


def complaint(parameters: dict[str, Any]) -> ConfigError | None:
    """The error the parameters raise, if any."""
    try:
        MacroConfig(**parameters)
    except ConfigError as error:
        return error
    return None


@example({"weight_bits": 2}, "slice_bits", True)
@example({"weight_bits": 2}, "slice_bits", 1.0)
@given(legal_parameters(), st.sampled_from(KEYS), ILLEGAL_VALUES)
@settings(max_examples=300, deadline=None)
def test_nearest_legal_value_is_legal(parameters, key, value):
    changed = parameters | {key: value}
    first = complaint(changed)
    if first is None:
        return
    named = NEAREST.search(str(first))
    assert named, f"no nearest value in: {first}"
    second = complaint(changed | {first.key: ast.literal_eval(named[1])})
    assert second is None or second.key != first.key, f"{first}; then: {second}"


def distance(key: str, value: float, near: float) -> float | None:
    """How far a value is from ``near``; None where illegal (inputs, weights of 12 bits)."""
    refused = complaint({"rows": 20, "weight_bits": 12, "input_bits": 12, key: value})
    return None if refused else abs(value - near)


NUMBERS = ["rows", "weight_bits", "bits_per_cycle", "slice_bits", "banks", "tree_stages"]


def check_nearest(key: str, near: float) -> None:
    """No value that is legal for ``key`` is nearer than the one the refusal of ``near`` names."""
    if distance(key, near, near) == 0:
        return
    error = refusal(**{"rows": 20, "weight_bits": 12, "input_bits": 12, key: near})
    distances = [distance(key, value, near) for value in [*range(70), 1024]]
    best = min(found for found in distances if found is not None)
    assert distance(error.key, ast.literal_eval(NEAREST.search(str(error))[1]), near) == best


@pytest.mark.parametrize("near", [-3, 0, 5, 7, 13, 17, 40, 1100])
@pytest.mark.parametrize("key", NUMBERS)
def test_no_legal_value_is_nearer_to_an_integer(key, near):
    check_nearest(key, near)


@pytest.mark.parametrize("near", [2.6, 7.5, 16.9])
@pytest.mark.parametrize("key", NUMBERS)
def test_no_legal_value_is_nearer_to_a_fraction(key, near):
    check_nearest(key, near)


@pytest.mark.parametrize("name", ["self", "", "config", "model_config", "\udcff"])
def test_no_unknown_name_escapes_as_another_error(name):
    assert "is not a parameter" in str(refusal(**{name: 1}))


@pytest.mark.parametrize("key", ["rows", "slice_bits", "banks", "tree_stages"])
def test_numbers_too_long_to_print_are_refused(key):
    assert refusal(**{key: 1 << 20000}).key == key


def test_a_config_cannot_change():
    with pytest.raises(ValidationError, match="frozen"):
        MacroConfig().rows = 3
