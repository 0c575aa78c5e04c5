"""The proof of emitted adders: presets, diverse and drawn macros pass, planted faults each fail."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from cimforge.flow.formal.adder_proof import AdderProof, prove_adders, prove_claims
from cimforge.flow.formal.sat_proofs import WHOLE_BITS
from cimforge.flow.formal.tree_claims import macro_claims, negated_claims
from cimforge.flow.formal.tree_rules import RULES
from cimforge.flow.tests.tree_designs import LEAVES, SEED, configs, write_macros
from cimforge.hdl.emit.outputs import CELLS
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config


@pytest.fixture(scope="module")
def proof(tmp_path_factory) -> AdderProof:
    """All macros proven at once."""
    print(f"CIMFORGE_SEED={SEED}")
    folder = tmp_path_factory.mktemp("proof")
    source = write_macros(folder, configs())
    claims, others = (
        [claim for each in configs() for claim in said(each)]
        for said in (macro_claims, negated_claims)
    )
    assert len(others) > 2
    return prove_claims(folder, [source], claims, others)


def test_presets_and_drawn_macros_are_proven(proof):
    assert [str(fault) for fault in proof.faults] == []
    finals = [name for name in proof.adders if name.endswith("_final")]
    assert len(proof.adders) - len(finals) == sum(len(macro_claims(each)) for each in configs())
    assert len(finals) > 3


def test_every_full_tree_has_its_cells(proof):
    """Bits in less bits out full adders, and a half adder or parity at most a bit of the result."""
    for config in (config for config in configs() if config.tree == "csa" and config.rows > 1):
        if config.final_adder != "ripple" or config.carry_save:
            continue  # an adder in place of many, or none
        bits = sum(config.operand_widths)
        extra = proof.adders[f"{config.module}_tree"] - (bits - config.tree_bits)
        assert 0 <= extra <= 2 * config.tree_bits, config.module


def test_small_adders_are_proven_whole(proof):
    claims = [claim for config in configs() for claim in macro_claims(config)]
    small = {claim.module for claim in claims if claim.input_bits <= WHOLE_BITS}
    assert set(proof.whole) == small | {n for n in proof.adders if n.endswith("_final")}
    assert len(small) > 20
    assert any(claim.depth for claim in claims if claim.module in small)
    assert any(claim.modular for claim in claims if claim.module in small)
    assert proof.leaves == {
        "cim_fa": "a + b + ci = s + 2 co",
        "cim_ha": "a + b = s + 2 co",
        "cim_c42": "a + b + c + d + ci = s + 2 co + 2 cout",
    }


SUBJECTS = {
    "csa": ["rows=11", "tree_stages=2", "bits_per_cycle=2"],
    "ripple": ["rows=7", "tree=ripple", "tree_stages=1", "storage=latch"],
    "behavioral": ["rows=9", "tree=behavioral", "tree_stages=2"],
    "kept": ["rows=11", "tree_stages=2", "bits_per_cycle=2", "accumulate=carry_save"],
}
WORD = r"(_final add_words \(\.terms\(\{\{)"  # the second word at a final adder
OPERAND = r"terms\[\d+(?::\d+)?\]"
# (pattern, replacement) in the text of a tree, and the rule that breaks; the first place is taken.
FAULTS = {
    "swapped carry weight": {
        "csa": (r"\.s\((\w+)\), \.co\((\w+)\)", r".s(\2), .co(\1)", "weight"),
        "ripple": (r"\.s\((\w+)\), \.co\((\w+)\)", r".s(\2), .co(\1)", "weight"),
        "behavioral": (r"= a(\d+)\[1\];", r"= a\1[2];", "used once"),
    },
    "dropped bit": {
        "csa": (rf"\.a\({OPERAND}\)", ".a(1'h0)", "dropped"),
        "ripple": (rf"\.b\({OPERAND}\)", ".b(1'h0)", "dropped"),
        "behavioral": (r"terms\[3:0\]", "{1'h0, terms[2:0]}", "dropped"),
    },
    "bit used twice": {
        "csa": (rf"\.a\(({OPERAND})\), \.b\({OPERAND}\)", r".a(\1), .b(\1)", "used once"),
        "ripple": (rf"\.a\(({OPERAND})\), \.b\({OPERAND}\)", r".a(\1), .b(\1)", "used once"),
        "behavioral": (r"terms\[7:4\]", "terms[3:0]", "used once"),
    },
    "missing register": {
        "csa": (r"(cim_fa \w+ \([^;]*?)(\w+?)_q1\)", r"\1\2)", "used once|depth"),
        "ripple": (r"(cim_fa \w+ \([^;]*?)(\w+?)_q1\)", r"\1\2)", "used once|depth"),
        "behavioral": (r"(= [^;<]*\+[^;<]*?)\b(a\d+)_(\d+)_q1", r"\1\2[\3]", "used once|depth"),
    },
    "wrong cell": {
        "csa": (r"cim_fa (\w+ \(.*?), \.ci\([^)]+\)", r"cim_ha \1", "dropped"),
        "ripple": (r"cim_ha (\w+ \()", r"cim_fa \1.ci(1'h1), ", "constant"),
        "behavioral": (r" \+ ", " | ", "cell"),
    },
}
for styles in FAULTS.values():
    styles["kept"] = styles["csa"]


@cache
def emitted_text(config: MacroConfig) -> str:
    """The emitted Verilog of a macro, its modules as in its file."""
    return modules_to_verilog(macro_modules(config))


def write_macro(config: MacroConfig, folder: Path) -> None:
    """What the proof reads of an emitted macro."""
    (folder / f"{config.module}.v").write_text(emitted_text(config))
    (folder / CELLS).write_text(LEAVES)


def test_what_is_proven_is_what_is_emitted(tmp_path):
    config = load_config("tiny")
    emit_macro(config, tmp_path)
    assert (tmp_path / f"{config.module}.v").read_text().endswith(emitted_text(config))
    assert (tmp_path / CELLS).read_text() == LEAVES


@pytest.mark.parametrize("style", SUBJECTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_fails(fault, style, tmp_path):
    config = load_config("tiny", SUBJECTS[style])
    pattern, replacement, rule = FAULTS[fault][style]
    write_macro(config, tmp_path)
    text = emitted_text(config)
    start = text.index(f"module {config.module}_tree (")
    body, end = text[start:].split("endmodule", 1)
    broken = re.sub(pattern, replacement, body, count=1)
    assert broken != body
    (tmp_path / f"{config.module}.v").write_text(f"{text[:start]}{broken}endmodule{end}")
    faults = prove_adders(config, tmp_path).faults
    assert {each.module for each in faults} == {f"{config.module}_tree"}
    assert any(re.fullmatch(rule, each.rule) for each in faults), [str(f) for f in faults]
    assert all(each.cell or each.bit or each.rule == "whole" for each in faults)
    assert {each.rule for each in faults} <= set(RULES)


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"= (terms\S+) \| (terms[^;]+);", r"= \1 & \2;"),
        (r"= (\S+) & (\S+) \| exact &[^;]+;", r"= \1 | \2;"),
        (r"= (terms\S+) & ~exact;", "= 1'h0;"),
        (r"terms\[0\] \|", "terms[8] |"),
        (r"exact(\w*) \?", r"~exact\1 ?"),
    ],
)
@pytest.mark.parametrize("tree", ["approx1", "approx2"])
def test_a_fault_in_pairs_of_rows_fails(tree, pattern, replacement, tmp_path):
    config = load_config("tiny", [f"tree={tree}", "rows=7", "tree_stages=1"])
    write_macro(config, tmp_path)
    assert not prove_adders(config, tmp_path).faults
    path = tmp_path / f"{config.module}.v"
    broken = re.sub(pattern, replacement, path.read_text(), count=1)
    assert broken != path.read_text()
    path.write_text(broken)
    assert {each.module for each in prove_adders(config, tmp_path).faults} == {
        f"{config.module}_tree"
    }


@pytest.mark.parametrize(
    ("module", "pattern", "replacement", "rule"),
    [
        ("tree_final", r"(= \w+\[\d+\]) \^", r"\1 |", "whole"),
        ("tree_final", r"(= g\d_\d) \|", r"\1 &", "whole"),
        ("accumulate_sum_final", r"(assign s\d+ = \w+) \^", r"\1 |", "whole"),
        ("tree", rf"{WORD}(\w+), (\w+)}}", r"\1\2, \2}", "used once"),
        ("tree", rf"{WORD}(\w+), (\w+)}}", r"\1\3, \2}", "weight"),
        ("tree", rf"{WORD}(\w+), (\w+)}}", r"\g<1>1'h0, \3}", "dropped"),
    ],
)
def test_a_fault_in_a_final_adder_fails(module, pattern, replacement, rule, tmp_path):
    """In it, by SAT; where it is placed, as at the + that stands for it."""
    config = load_config("tiny", ["rows=40", "final_adder=prefix"])
    write_macro(config, tmp_path)
    path = tmp_path / f"{config.module}.v"
    head, start, rest = path.read_text().partition(f"module {config.module}_{module} (")
    body, end, tail = rest.partition("endmodule")
    broken = re.sub(pattern, replacement, body, count=1)
    assert broken != body
    path.write_text("".join((head, start, broken, end, tail)))
    faults = prove_adders(config, tmp_path).faults
    assert {fault.module for fault in faults} == {f"{config.module}_{module}"}
    assert rule in {fault.rule for fault in faults}, [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("module", "pattern", "replacement", "rule"),
    [
        ("tree", r"= (\w+) \^ (negate\w*);", r"= \1;", "weight"),
        ("tree", r"= (\w+) \^ (negate\w*);", r"= \1 & ~\2;", "dropped"),
        ("tree", r"= (\w+) \^ (negate\w*);", r"= \1 ^ ~\2;", "weight"),
        ("accumulate_sum", r"\.a\((\S+)\), \.b\((\S+)\)", r".a(\1), .b(\1)", "used once"),
        ("accumulate_sum", r"\.s\((\w+)\), \.co\((\w+)\)", r".s(\2), .co(\1)", "weight"),
        ("result_sum", r"\.terms\({{terms\[\d+\]", ".terms({{1'h0", "dropped"),
        ("result_sum", r"<= (\w+)\[0\];", r"<= \1[1];", "used once"),
        ("result_sum_6_6_final", r"\.ci\((\w+)\)", ".ci(1'h0)", "whole"),
    ],
)
def test_a_fault_in_a_sum_of_two_words_fails(module, pattern, replacement, rule, tmp_path):
    """A sign plane that is not negated is missed where negate is high alone."""
    told = ["rows=11", "bits_per_cycle=2", "accumulate=carry_save", "final_stages=1"]
    config = load_config("tiny", told)
    write_macro(config, tmp_path)
    path = tmp_path / f"{config.module}.v"
    head, start, rest = path.read_text().partition(f"module {config.module}_{module} (")
    body, end, tail = rest.partition("endmodule")
    broken = re.sub(pattern, replacement, body, count=1)
    assert broken != body
    path.write_text("".join((head, start, broken, end, tail)))
    faults = prove_adders(config, tmp_path).faults
    assert {fault.module for fault in faults} == {f"{config.module}_{module}"}
    assert any(re.fullmatch(rule, each.rule) for each in faults), [str(f) for f in faults]


@pytest.mark.parametrize(
    ("leaf", "old", "new", "told"),
    [
        ("cim_fa", "a ^ b ^ ci", "a ^ b | ci", r"breaks a \+ b \+ ci = s \+ 2 co at a=0 b=1 ci=1"),
        ("cim_ha", "co = a & b;", "co = a | b;", r"breaks a \+ b = s \+ 2 co at a=0 b=1 s=1 co=1"),
        (
            "cim_c42",
            "co = (t & d) | (ci & (t ^ d))",
            "co = (t & d) | (ci & t)",
            r"breaks a \+ b \+ c \+ d \+ ci = s \+ 2 co \+ 2 cout at a=0",
        ),
        ("cim_fa", "input  wire ci,", "input  wire ci, input wire cj,", "must have the pins of a"),
    ],
)
def test_a_wrong_leaf_fails(leaf, old, new, told, tmp_path):
    config = load_config("tiny", ["rows=7", "tree=csa42"] if leaf == "cim_c42" else ["rows=3"])
    write_macro(config, tmp_path)
    cells = tmp_path / CELLS
    assert old in cells.read_text()
    cells.write_text(cells.read_text().replace(old, new, 1))
    faults = prove_adders(config, tmp_path).faults
    named = Counter((fault.rule, fault.text.split()[0]) for fault in faults)
    assert named["cell", leaf] > 1
    assert any(re.search(told, fault.text) for fault in faults), faults[0]


def test_all_registers_lost_are_missed_at_the_result(tmp_path):
    """Equal depths are not enough: the depth must be that of the other stations."""
    config = load_config("tiny", ["tree_stages=1"])
    write_macro(config, tmp_path)
    path = Path(tmp_path / f"{config.module}.v")
    start = path.read_text().index("_tree (")
    head, body = path.read_text()[:start], path.read_text()[start:]
    tree, rest = body.split("endmodule", 1)
    assigned = re.sub(r"^  always .*\n", "", tree, flags=re.M)
    assigned = re.sub(r"^    (\w+) <= (\S+);", r"  assign \1 = \2;", assigned, flags=re.M)
    assigned = re.sub(r"^  end\n", "", assigned, flags=re.M).replace("  reg ", "  wire ")
    path.write_text(f"{head}{assigned}endmodule{rest}")
    faults = prove_adders(config, tmp_path).faults
    assert [fault.rule for fault in faults] == ["depth"]
    assert "comes through 0 registers, not 1" in faults[0].text


@pytest.mark.parametrize(
    ("pattern", "replacement", "told"),
    [
        (r"posedge clk", "negedge clk", "clock or enable is inverted"),
        (r"posedge clk\) if \(enable\)", "posedge clk)", "takes nothing as its enable"),
        (r"if \(\w+\) begin", "if (terms[0]) begin", "takes terms.0. as its enable"),
    ],
)
def test_registers_follow_clk_and_enable(pattern, replacement, told, tmp_path):
    config = load_config("tiny", ["tree_stages=1"])
    write_macro(config, tmp_path)
    path = tmp_path / f"{config.module}.v"
    start = path.read_text().index("_tree (")
    body = re.sub(pattern, replacement, path.read_text()[start:], count=1)
    path.write_text(path.read_text()[:start] + body)
    faults = prove_adders(config, tmp_path).faults
    assert any(re.search(told, fault.text) for fault in faults), [str(f) for f in faults]


@pytest.mark.parametrize(
    ("pattern", "replacement", "rule", "told"),
    [
        (r"\.terms\(products_0\)", ".terms({products_0[31:1], 1'h0})", "wiring", "constant 0"),
        (
            r"\.terms\(products_0\)",
            ".terms({products_0[31:1], products_0[1]})",
            "wiring",
            r"takes the net of tree0.terms.0.",
        ),
        (
            r"(_column \([^;]*\);)",
            r"\1 wire s, c; cim_fa more (.a(w_code[0]), .b(w_code[1]), .ci(1'h0), .s(s), .co(c));",
            "claim",
            "is a cim_fa in a module of which nothing is claimed",
        ),
        ("_plane_sum\\b", "_counter", "claim", "is not in the netlist"),
    ],
)
def test_rules_between_modules(pattern, replacement, rule, told, tmp_path):
    config = load_config("tiny")
    write_macro(config, tmp_path)
    path = tmp_path / f"{config.module}.v"
    text = re.sub(pattern, replacement, path.read_text())
    assert text != path.read_text()
    path.write_text(text)
    faults = prove_adders(config, tmp_path).faults
    assert any(f.rule == rule and re.search(told, f.text) for f in faults), [str(f) for f in faults]


@pytest.mark.parametrize(
    ("pattern", "replacement", "told"),
    [
        (r"sums\[31\], sums\[31:23\]", "sums[30], sums[31:23]", "takes another net than"),
        (r"sums\[23:16\]", "sums[7:0]", r"takes the net of fused2_sum0.terms.0."),
        (r"y1\[9:0\] \}", "y1[8:0], 1'h1 }", "takes the constant 1"),
    ],
)
def test_fused_slices_are_extended_and_used_once(pattern, replacement, told, tmp_path):
    config = load_config("tiny", ["slice_bits=1"])
    write_macro(config, tmp_path)
    path = tmp_path / f"{config.module}.v"
    text = re.sub(pattern, replacement, path.read_text(), count=1)
    assert text != path.read_text()
    path.write_text(text)
    faults = prove_adders(config, tmp_path).faults
    assert {fault.rule for fault in faults} == {"wiring"}
    assert any(re.search(told, fault.text) for fault in faults), [str(f) for f in faults]


@pytest.mark.parametrize(
    ("copies", "others", "told"),
    [
        ("plane_ending", "plane_ending, sign, plane_ending", r"takes another net than terms\[17\]"),
        ("plane_negate", "plane_negate, top[0], plane_negate", r"another net than terms\[14\]"),
        ("plane_negate", "1'h0, plane_negate, plane_negate", r"another net than terms\[14\]"),
        ("plane_ending", ", ".join(["plane_negate"] * 3), r"takes the net of sum\.terms\[14\]"),
        ("plane_ending", "1'h0, 1'h0, 1'h0", "takes the constant 0"),
    ],
)
def test_copies_of_an_operand_are_one_net_of_their_own(copies, others, told, tmp_path):
    """Of seven rows, ``plane_negate`` and ``plane_ending`` stand for a 1 in three places each."""
    config = load_config("tiny", ["rows=7", "bits_per_cycle=2"])
    write_macro(config, tmp_path)
    assert not prove_adders(config, tmp_path).faults
    path = tmp_path / f"{config.module}.v"
    text, old = path.read_text(), ", ".join([copies] * 3)
    pins = re.compile(r"(?<=\.terms\(\{ )plane_ending.*")
    broken = pins.sub(lambda terms: terms[0].replace(old, others), text)
    assert broken != text
    path.write_text(broken)
    (fault,) = prove_adders(config, tmp_path).faults
    assert (fault.module, fault.rule) == (f"{config.module}_input_sum", "wiring")
    assert re.search(told, fault.text), fault
