"""The proof of emitted adders: all presets and a draw pass, and planted faults each fail."""

import re
from pathlib import Path

import pytest

from cimforge.cocotb_tests.draw import draw_configs
from cimforge.flow.formal.adder_proof import prove_adders
from cimforge.hdl.emit.outputs import CELLS
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.presets import PRESETS

SEED = 5
PLANTED = load_config("tiny", ["rows=11", "tree_stages=2", "bits_per_cycle=2"])


def proven(config: MacroConfig, folder: Path):
    """The proof of a freshly emitted macro."""
    emit_macro(config, folder)
    return prove_adders(config, folder)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_proven(name, tmp_path):
    config = load_config(name)
    proof = proven(config, tmp_path)
    assert proof.faults == ()
    assert set(proof.adders) == {
        f"{config.module}_{kind}" for kind in ("tree", "popcount", "accumulate_sum")
    }
    assert min(proof.adders.values()) > 0


@pytest.mark.parametrize("config", draw_configs(6, SEED), ids=lambda config: config.module)
def test_a_draw_is_proven(config, tmp_path):
    proof = proven(config, tmp_path)
    assert proof.faults == (), config


def test_small_adders_are_proven_whole(tmp_path):
    config = load_config("tiny", ["rows=3", "weight_bits=5"])
    proof = proven(config, tmp_path)
    assert proof.whole == (f"{config.module}_tree", f"{config.module}_popcount")
    assert proof.leaves == ("cim_fa", "cim_ha")


def swap_carry(tree: str) -> str:
    """The sum of one full adder where its carry belongs, and the other way round."""
    return re.sub(r"\.s\((\w+)\), \.co\((\w+)\)", r".s(\2), .co(\1)", tree, count=1)


def drop_bit(tree: str) -> str:
    """A constant in place of one bit."""
    return re.sub(r"(cim_fa fa9 \(\.a\()[^)]+\)", r"\g<1>1'h0)", tree, count=1)


def use_twice(tree: str) -> str:
    """One bit in place of another of its adder."""
    return re.sub(r"(cim_fa fa9 \(\.a\()([^)]+)\), \.b\([^)]+\)", r"\1\2), .b(\2)", tree, count=1)


def lose_register(tree: str) -> str:
    """A bit taken from before a register."""
    return re.sub(r"(cim_fa \w+ \([^;]*?)(\w+?)_q1\)", r"\1\2)", tree, count=1)


def wrong_cell(tree: str) -> str:
    """A half adder in place of a full adder."""
    return re.sub(r"cim_fa (fa\d+) \((.*?), \.ci\([^)]+\)", r"cim_ha \1 (\2", tree, count=1)


@pytest.mark.parametrize(
    ("plant", "rule"),
    [
        (swap_carry, "different weights|must have weight"),
        (drop_bit, "is dropped and may be 1"),
        (use_twice, "is used 2 times"),
        (lose_register, "different register depths"),
        (wrong_cell, "is dropped and may be 1"),
    ],
)
def test_a_planted_fault_is_found(plant, rule, tmp_path):
    emit_macro(PLANTED, tmp_path)
    path = tmp_path / f"{PLANTED.module}.v"
    text = path.read_text()
    start = text.index(f"module {PLANTED.module}_tree (")
    end = text.index("endmodule", start)
    broken = plant(text[start:end])
    assert broken != text[start:end]
    path.write_text(text[:start] + broken + text[end:])
    proof = prove_adders(PLANTED, tmp_path)
    assert any(re.search(rule, fault.rule) for fault in proof.faults), proof.faults
    assert {fault.module for fault in proof.faults} == {f"{PLANTED.module}_tree"}


@pytest.mark.parametrize(
    ("old", "new"), [("a ^ b ^ ci", "a ^ b | ci"), ("assign co = a & b;", "assign co = a | b;")]
)
def test_a_wrong_leaf_is_found(old, new, tmp_path):
    emit_macro(PLANTED, tmp_path)
    cells = tmp_path / CELLS
    assert old in cells.read_text()
    cells.write_text(cells.read_text().replace(old, new))
    (fault,) = prove_adders(PLANTED, tmp_path).faults
    assert (fault.module, fault.rule) in {
        ("cim_fa", "does not compute its equation"),
        ("cim_ha", "does not compute its equation"),
    }


def test_a_carry_that_may_be_1_is_not_dropped(tmp_path):
    """Behavioral trees too: a sum one bit too narrow."""
    config = load_config("tiny", ["tree=behavioral"])
    emit_macro(config, tmp_path)
    path = tmp_path / f"{config.module}.v"
    text = path.read_text()
    narrow = re.sub(r"(module \w+_tree \(.*?wire \[)4(:0\] a0;)", r"\g<1>3\2", text, flags=re.S)
    assert narrow != text
    path.write_text(narrow)
    rules = {fault.rule for fault in prove_adders(config, tmp_path).faults}
    assert any(
        "dropped" in rule or "drops a carry" in rule or "comes from" in rule for rule in rules
    )
