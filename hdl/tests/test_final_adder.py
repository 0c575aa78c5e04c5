"""Final adders: each equals + at every size, in trees and behind registers, and is ready sooner."""

import re

import pytest
from hypothesis import given, settings

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.final_adder import FINALS, build_final
from cimforge.hdl.arith.plan import Plan
from cimforge.hdl.arith.planners import plan_column, plan_sum, word_operands
from cimforge.hdl.arith.staging import divided
from cimforge.hdl.macro.accumulator import accumulate_plan
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.netlist.module import distinct_modules
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.ranges import unsigned_width
from cimforge.hdl.params.trees import FINAL_ADDERS, TREES
from cimforge.hdl.tests.test_adder_verilog import FROM_ZEROS, prove, reference, write_sources
from cimforge.hdl.tests.test_plans import (
    OPERANDS,
    check_shapes,
    evaluate,
    input_patterns,
    operand_sum,
    st,
)
from cimforge.hdl.tests.tools import yosys

COLUMNS = [name for name, traits in TREES.items() if traits.columns]
EXACT = [name for name in COLUMNS if not TREES[name].pairings]
SIZES = [(n, m) for n in range(1, 9) for m in range(1, n + 1)] + [(16, 9), (23, 23), (40, 17)]


def column_plan(tree: str, final: str, count: int, width: int) -> Plan:
    """The plan of a column's tree."""
    return plan_column(tree, [width] * count, unsigned_width(count * (2**width - 1)), final)


def texts(name: str, plan: Plan, stages: int = 0) -> list[str]:
    """The emitted modules of a plan, the final adder's first."""
    tree = build_adder(name, "tree", name, divided(plan, stages), role="tree")
    return [m.verilog() for m in distinct_modules(tree) if not m.name.startswith("cim_")]


def test_the_parameter_s_words_are_the_planners():
    assert list(FINAL_ADDERS) == ["ripple", *FINALS]


@pytest.mark.parametrize("style", FINALS)
def test_final_adders_equal_plus(style, tmp_path):
    """Modulo 2^n, for a second word of any shorter length."""
    modules, pairs = [], []
    for n, m in SIZES:
        name = f"{style}_{n}_{m}"
        modules += [build_final(name, "final", style, (n, m), "tree").verilog()]
        modules += [
            f"module {name} (input [{n + m - 1}:0] terms, output [{n - 1}:0] total);\n"
            f"  assign total = terms[{n - 1}:0] + terms[{n + m - 1}:{n}];\nendmodule\n"
        ]
        pairs.append((name, f"{name}_final"))
    write_sources(tmp_path, *modules)
    yosys(tmp_path, prove(pairs))


@pytest.mark.parametrize(
    ("style", "old", "new"), [("split", "?", "| 1'h1 ?"), ("prefix", "|", "&")]
)
def test_the_proof_notices_a_wrong_final_adder(style, old, new, tmp_path):
    text = build_final("gate", "final", style, (9, 6), "tree").verilog()
    assert old in text
    gold = (
        "module gold (input [14:0] terms, output [8:0] total);\n"
        "  assign total = terms[8:0] + terms[14:9];\nendmodule\n"
    )
    write_sources(tmp_path, text.replace(old, new, 1), gold)
    with pytest.raises(AssertionError, match="proof did fail"):
        yosys(tmp_path, prove([("gold", "gate_final")]))


@pytest.mark.parametrize("final", FINALS)
@pytest.mark.parametrize("tree", EXACT)
def test_trees_with_a_final_adder_equal_plus(tree, final, tmp_path):
    modules, pairs = [], []
    for count, width in [(1, 3), (2, 4), (5, 2), (3, 3), (7, 2), (12, 1)]:
        name = f"sum_{count}x{width}"
        plan = column_plan(tree, final, count, width)
        modules += texts(name, plan)
        modules.append(reference(name, word_operands([width] * count), len(plan.result)))
        pairs.append((name, f"{name}_tree"))
    write_sources(tmp_path, *modules)
    assert "_final" in "".join(modules)
    yosys(tmp_path, prove(pairs))


@pytest.mark.parametrize("final", FINALS)
def test_ranks_stand_before_and_behind_a_final_adder(final, tmp_path):
    modules, pairs = [], []
    plan = column_plan("csa", final, 4, 3)
    for stages in range(1, plan.levels + 1):
        modules += texts(f"sum_{stages}", plan, stages)
        words = word_operands([3] * 4)
        modules.append(reference(f"sum_{stages}", words, len(plan.result), stages))
        pairs.append((f"sum_{stages}", f"sum_{stages}_tree"))
    write_sources(tmp_path, *modules)
    yosys(tmp_path, prove(pairs, FROM_ZEROS))


@pytest.mark.parametrize("final", FINALS)
@pytest.mark.parametrize("tree", EXACT)
@given(operands=OPERANDS, width=st.integers(5, 12))
@settings(max_examples=40, deadline=None)
def test_any_operands_add_modulo_the_width(tree, final, operands, width):
    plan = plan_sum(tree, operands, width, final=final)
    patterns = list(range(2**plan.input_bits))
    check_shapes(plan)
    assert len(plan.result) == width
    assert evaluate(plan, patterns) == [operand_sum(operands, p, width) for p in patterns]


@pytest.mark.parametrize("final", FINALS)
@pytest.mark.parametrize("tree", [name for name in COLUMNS if name != "csa42"])
def test_the_last_bit_is_ready_sooner(tree, final):
    """In the tree and in the accumulating sum of 64 rows of 8 bits; with one final adder, no half
    adder more and no full adder more. (A level of csa42 is two adders deep, or one.)"""
    plans = [column_plan(tree, style, 64, 8) for style in ("ripple", final)]
    config = MacroConfig(tree=tree, final_adder=final)
    late = accumulate_plan(config.model_copy(update={"final_adder": "ripple"}), [0] * 14)
    for rippled, fast in (plans, (late, accumulate_plan(config, [0] * 14))):
        assert fast.levels < rippled.levels
        kinds = fast.counts()
        assert kinds[final] == 1
        assert all(kinds[kind] <= rippled.counts()[kind] for kind in kinds if kind != final)


@pytest.mark.parametrize("final", FINALS)
def test_nothing_is_left_to_a_final_adder_that_does_not_help(final):
    """Two rows of one bit need a half adder; three of them a full adder."""
    for count in (1, 2, 3):
        assert column_plan("csa", final, count, 1) == column_plan("csa", "ripple", count, 1)


@pytest.mark.parametrize("final", FINALS)
@pytest.mark.parametrize("tree", [name for name in COLUMNS if TREES[name].pairings])
def test_approximate_trees_make_the_same_of_any_final_adder(tree, final):
    for exact in (0, 1):
        found = [column_plan(tree, style, 13, 3) for style in ("ripple", final)]
        patterns = input_patterns(39, seed=5)
        if exact:  # one row at a time: its code in the low places
            patterns = [code << 3 * row for row in range(13) for code in range(8)]
        bits = [[p >> i & 1 for i in range(39)] for p in patterns]
        slow, fast = (
            plan.evaluate(bits, {"exact": exact}) % (8 if exact else 128) for plan in found
        )
        assert slow.tolist() == fast.tolist()


@pytest.mark.parametrize("tree", ["ripple", "behavioral"])
def test_a_tree_without_columns_has_no_final_adder(tree):
    rule = (
        rf"final_adder prefix needs a tree of columns \({', '.join(COLUMNS)}\), not {tree} "
        r"\(nearest legal value: 'ripple'\)"
    )
    with pytest.raises(ConfigError, match=rf"^{rule}$"):
        MacroConfig(tree=tree, final_adder="prefix")


def test_an_unknown_final_adder_is_refused():
    rule = r"final_adder must be one of ripple, split, prefix, not 'prefx' \(.*'prefix'\)"
    with pytest.raises(ConfigError, match=f"^{rule}$"):
        MacroConfig(final_adder="prefx")


def test_names_and_digests_without_one_stay():
    plain, fast = MacroConfig(), MacroConfig(final_adder="prefix")
    assert plain.module == "cim_r64c16_w8x8_k1_b1_flop_csa"
    assert re.fullmatch(plain.module + "_[0-9a-f]{6}", fast.module)
    assert MacroConfig(final_adder="ripple").digest == plain.digest != fast.digest
    assert fast.latency() == plain.latency()
    assert tree_plan(fast).counts()["prefix"] == 1
