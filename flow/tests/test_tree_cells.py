"""What the checker makes of cells and modules no macro has yet: hand-written designs, each with its
verdict."""

import re

import pytest

from cimforge.flow.formal.adder_proof import prove_claims
from cimforge.flow.formal.emitted_design import read_design
from cimforge.flow.formal.leaf_laws import Leaves
from cimforge.flow.formal.tree_claims import Claim, Pair, Word
from cimforge.flow.tests.tree_designs import LEAVES, adder, check, sum_claim
from cimforge.hdl.emit.outputs import CELLS

MORE = """
module cim_c5 (input a, input b, input c, input d, input ci, output s, output c1, output c2);
  wire t;
  cim_fa first (.a(a), .b(b), .ci(c), .s(t), .co(c1));
  assign {c2, s} = t + d + ci;
endmodule
module cim_fa_n (input a, input b, input ci, output s_n, output co_n);
  assign s_n = ~(a ^ b ^ ci);
  assign co_n = ~((a & b) | (ci & (a | b)));
endmodule
module cim_and (input a, input b, output y);
  assign y = a & b;
endmodule
module cim_or (input a, input b, output y);
  assign y = a | b;
endmodule
module cim_nand (input a, input b, output y);
  assign y = ~(a & b);
endmodule
module cim_xor3 (input a, input b, input c, output y);
  assign y = a ^ b ^ c;
endmodule
"""
# Nine bits: three full adders of inverted outputs, two of inverted inputs, two half adders.
NINE = """
  wire [2:0] s_n, c_n;
  wire t, u, v, w;
  cim_fa_n f0 (.a(terms[0]), .b(terms[1]), .ci(terms[2]), .s_n(s_n[0]), .co_n(c_n[0]));
  cim_fa_n f1 (.a(terms[3]), .b(terms[4]), .ci(terms[5]), .s_n(s_n[1]), .co_n(c_n[1]));
  cim_fa_n f2 (.a(terms[6]), .b(terms[7]), .ci(terms[8]), .s_n(s_n[2]), .co_n(c_n[2]));
  cim_fa_n f3 (.a(s_n[0]), .b(s_n[1]), .ci(s_n[2]), .s_n(total[0]), .co_n(t));
  cim_fa_n f4 (.a(c_n[0]), .b(c_n[1]), .ci(c_n[2]), .s_n(u), .co_n(v));
  cim_ha h0 (.a(t), .b(u), .s(total[1]), .co(w));
  cim_ha h1 (.a(v), .b(w), .s(total[2]), .co(total[3]));
"""
COMPRESSED = """
  wire s, c1, c2;
  cim_c5 c (.a(terms[0]), .b(terms[1]), .c(terms[2]), .d(terms[3]), .ci(terms[4]), .s(total[0]),
    .c1(c1), .c2(c2));
  cim_ha h (.a(c1), .b(c2), .s(total[1]), .co(total[2]));
"""
PAIRS = (
    *(Pair("or", (3, 2), 1), Pair("and", (4, 5), 2)),
    Pair("and", (Pair("or", (6, 7)), Pair("and", (8, 9))), 1),
)
APPROXIMATE = Claim("adder", "", (Word(0, 1, 0, 1), Word(1, 1, 0, 1)), 4, pairs=PAIRS)
ONE_FA = "cim_fa f (.a(terms[0]), .b(terms[1]), .ci({}), .s(total[0]), .co(total[1]));"
PROVEN = {
    "4:2 compressor": (COMPRESSED, sum_claim([1] * 5)),
    "inverted polarity": (NINE, sum_claim([1] * 9)),
    "an inverter before and behind": (
        "wire n; wire [1:0] m; cim_fa_n f (.a(n), .b(~terms[1]), .ci(~terms[2]), .s_n(m[0]),"
        " .co_n(m[1])); assign n = !terms[0]; assign total = m;",
        sum_claim([1] * 3),
    ),
    "a parity at the top of a modulus": (
        "cim_xor3 x (.a(terms[0]), .b(terms[1]), .c(terms[2]), .y(total));",
        sum_claim([1] * 3, bits=1, modular=True),
    ),
    "a carry that nothing can reach": (  # 3 + 3 is at most 6, though the whole sum reaches 36
        "wire [3:0] t = terms[1:0] + terms[3:2]; assign total = t[2:0] + terms[8:4];",
        sum_claim([2, 2, 5]),
    ),
    "an operand that never takes its largest values": (
        "wire [2:0] t = terms[2:0] + terms[5:3]; assign total = t;",
        Claim("adder", "a sum", (Word(0, 3, 0, 3), Word(3, 3, 0, 4)), 3),
    ),
    "words on one carry chain, with room between them": (
        "assign total = {terms[2], 2'b0, terms[0]} + {3'b0, terms[1]};",
        Claim("adder", "a sum", (Word(0, 1, 0, 1), Word(1, 1, 0, 1), Word(2, 1, 3, 1)), 4),
    ),
    "a module inside": (
        "pair p (terms, total); endmodule module pair (input [1:0] x, output [1:0] y);"
        " cim_ha h (.a(x[0]), .b(x[1]), .s(y[0]), .co(y[1]));",
        sum_claim([1, 1]),
    ),
    "approximate pairs": (  # of four bits, of bits that are pairs, and two exact ones
        "wire o0, a0, o1, a1, p, c; cim_or g0 (.a(terms[2]), .b(terms[3]), .y(o0));"
        " cim_and g1 (.a(terms[4]), .b(terms[5]), .y(a0)); assign o1 = terms[6] | terms[7];"
        " assign a1 = terms[9] & terms[8]; assign p = o1 & a1;"
        " cim_ha h (.a(terms[0]), .b(terms[1]), .s(total[0]), .co(c));"
        " assign total[3:1] = c + o0 + {a0, p};",
        APPROXIMATE,
    ),
    "registers placed anywhere": (
        "reg t, u, v, w; always @(posedge clk) if (enable) begin t <= terms[0]; u <= terms[1]; end"
        " wire s, c; cim_ha h (.a(t), .b(u), .s(s), .co(c));"
        " always @(posedge clk) if (enable) {v, w} <= {c, s}; assign total = {v, w};",
        sum_claim([1, 1], depth=2),
    ),
}
FAULTY = {
    "an inverter forgotten": (
        NINE.replace(".ci(c_n[2])", ".ci(~c_n[2])"),
        sum_claim([1] * 9),
        ("weight", "pin ci has weight 2, pin a weight 2 inverted"),
    ),
    "a result inverted": (
        ONE_FA.format("terms[2]")
        .replace("cim_fa", "cim_fa_n")
        .replace(".s(", ".s_n(")
        .replace(".co(", ".co_n("),
        sum_claim([1] * 3),
        ("weight", "has weight 1 inverted where 1 belongs"),
    ),
    "a constant added": (
        ONE_FA.format("1'b1"),
        sum_claim([1] * 2),
        ("constant", "constants add up to"),
    ),
    "an unknown constant": (
        ONE_FA.format("1'bx"),
        sum_claim([1] * 2),
        ("driven", "nothing drives it at f.ci"),
    ),
    "a pin left open": (
        "cim_fa f (.a(terms[0]), .b(terms[1]), .s(total[0]), .co(total[1]));",
        sum_claim([1] * 2),
        ("cell", "pin ci is not connected"),
    ),
    "two drivers": (
        ONE_FA.format("terms[2]") + " cim_ha h (.a(terms[3]), .b(terms[4]), .s(total[0]));",
        sum_claim([1] * 5),
        ("driven", "has another driver"),
    ),
    "a loop": (
        "wire l, m; cim_fa f (.a(terms[0]), .b(terms[1]), .ci(l), .s(m), .co(total[1]));"
        " cim_ha h (.a(m), .b(terms[2]), .s(l), .co(total[0]));",
        sum_claim([1] * 3),
        ("driven", "stands in a loop"),
    ),
    "a sum too narrow": (
        "wire [1:0] t = terms[1:0] + terms[3:2]; assign total = t + terms[8:4];",
        sum_claim([2, 2, 5]),
        ("dropped", "its carry: is cut off and may be 1: it weighs 4, 6 may come to it"),
    ),
    "a carry that the operand's range lets through": (
        "wire [2:0] t = terms[2:0] + terms[5:3]; assign total = t;",
        Claim("adder", "a sum", (Word(0, 3, 0, 4), Word(3, 3, 0, 4)), 3),
        ("dropped", "it weighs 8, 8 may come to it"),
    ),
    "a parity where the carry counts": (
        "assign total = {1'b0, terms[0] ^ terms[1]};",
        sum_claim([1, 1]),
        ("dropped", "its carry"),
    ),
    "an AND": (
        "cim_and g (.a(terms[0]), .b(terms[1]), .y(total[0])); assign total[1] = 0;",
        sum_claim([1, 1]),
        ("cell", "cim_and is no adder cell, nor a pair that is claimed, of weight 1 and weight 1"),
    ),
    "another gate": (
        "cim_nand g (.a(terms[0]), .b(terms[1]), .y(total[0])); assign total[1] = 0;",
        sum_claim([1, 1]),
        ("cell", "cim_nand keeps no weighted sum of its inputs"),
    ),
    "an AND where an OR is claimed": (
        "assign total = terms[0] & terms[1];",
        Claim("adder", "", (), 1, pairs=(Pair("or", (0, 1)),)),
        ("cell", "nor a pair that is claimed, of no weight outside its pair"),
    ),
    "a pair's bit added": (
        "assign total = terms[0] ^ terms[1];",
        Claim("adder", "", (), 1, pairs=(Pair("or", (0, 1)),)),
        ("weight", "pin A has no weight outside its pair"),
    ),
    "half a pair": (
        "assign total = terms[0];",
        Claim("adder", "", (), 1, pairs=(Pair("or", (0, 1)),)),
        ("weight", "has no weight outside its pair where 1 belongs"),
    ),
    "pairs whose sum is cut": (
        "wire t = (terms[0] | terms[1]) ^ (terms[2] | terms[3]); assign total = t;",
        Claim("adder", "", (), 1, pairs=(Pair("or", (0, 1)), Pair("or", (2, 3)))),
        ("dropped", "it weighs 2, 2 may come to it"),
    ),
    "a latch": (
        "cim_latch l (.gate(terms[0]), .d(terms[1]), .q(total[0])); assign total[1] = 0;",
        sum_claim([1, 1]),
        ("cell", "cim_latch is not a small module of gates"),
    ),
    "signed words": (
        "assign total = $signed(terms[1:0]) + $signed(terms[3:2]);",
        sum_claim([2, 2]),
        ("cell", r"\$add of signed words"),
    ),
    "a product": (
        "assign total = terms[1:0] * terms[3:2];",
        sum_claim([2, 2]),
        ("cell", r"\$mul is no adder cell"),
    ),
    "a multiplexer": (
        "assign total = terms[0] ? terms[1] : terms[2];",
        sum_claim([1] * 3),
        ("cell", "a multiplexer that holds no register"),
    ),
    "paths of different depth": (
        "reg t; always @(posedge clk) if (enable) t <= terms[0];"
        " cim_ha h (.a(t), .b(terms[1]), .s(total[0]), .co(total[1]));",
        sum_claim([1, 1], depth=1),
        ("depth", "pin b is 0 registers behind the inputs, that of pin a 1"),
    ),
    "an enable that is added": (
        "reg t, u; always @(posedge clk) if (enable) {t, u} <= terms;"
        " cim_fa h (.a(t), .b(u), .ci(enable), .s(total[0]), .co(total[1]));",
        sum_claim([1, 1], depth=1),
        ("used once", "a control line is added"),
    ),
    "a constant kept": (
        "reg t, u; always @(posedge clk) if (enable) {t, u} <= {terms[0], 1'b1};"
        " cim_ha h (.a(t), .b(u), .s(total[0]), .co(total[1]));",
        sum_claim([1, 1], depth=1),
        ("weight", "only constants come to it"),
    ),
    "words of other widths": (
        "assign total = terms[1:0] ^ terms[2];",
        sum_claim([2, 1]),
        ("cell", "words of different widths|has weight"),
    ),
    "no port for the last bit": (
        ONE_FA.format("terms[2]"),
        sum_claim([1] * 4, bits=2),
        ("dropped", r"terms\[3\]: is cut off and may be 1"),
    ),
}


@pytest.fixture(scope="module")
def designs(tmp_path_factory):
    """Every hand-written module of the tables, read in one run of Yosys, by its name there."""
    folder = tmp_path_factory.mktemp("cells")
    texts, names = [], {}
    for place, (name, (body, claim, *_)) in enumerate({**PROVEN, **FAULTY}.items()):
        names[name] = f"adder{place}"
        text = adder(body, claim)["adder.v"].replace("module adder ", f"module adder{place} ")
        texts.append(text.replace("pair ", f"pair{place} "))
    (folder / "adders.v").write_text("".join(texts))
    (folder / CELLS).write_text(LEAVES + MORE)
    modules = read_design(folder, CELLS, ["adders.v"], list(names.values()))
    return {name: {**modules, "adder": modules[module]} for name, module in names.items()}


@pytest.mark.parametrize("name", PROVEN)
def test_a_sound_design_is_proven(name, designs):
    assert [str(fault) for fault in check(designs[name], PROVEN[name][1])] == []


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_design_is_refused(name, designs):
    _, claim, (rule, told) = FAULTY[name]
    faults = check(designs[name], claim)
    assert any(f.rule == rule and re.search(told, str(f)) for f in faults), list(map(str, faults))


def test_laws_come_from_the_cells(designs):
    leaves = Leaves(designs["a latch"])
    assert {name: str(leaves.law(name)) for name in ("cim_fa_n", "cim_xor3")} == {
        "cim_fa_n": "a + b + ci = -1 s_n + -2 co_n + 3",
        "cim_xor3": "a + b + c = y",
    }
    assert str(leaves.law("cim_c5")) == "a + b + c + d + ci = s + 2 c1 + 2 c2"


@pytest.mark.parametrize(
    ("name", "keeps"),
    [("inverted polarity", {"cim_fa_n", "cim_ha"}), ("approximate pairs", {"cim_ha"})],
)
def test_a_design_of_new_leaves_is_proven_whole_by_sat(name, keeps, tmp_path):
    body, claim = PROVEN[name]
    for file, text in adder(body, claim, LEAVES + MORE).items():
        (tmp_path / file).write_text(text)
    proof = prove_claims(tmp_path, ["adder.v"], [claim])
    assert (proof.faults, proof.whole) == ((), ("adder",))
    assert proof.leaves.keys() == keeps


def test_sat_alone_finds_a_wrong_sum(tmp_path):
    """The miter is a proof of its own: here it is asked about another sum than is built."""
    body, claim = PROVEN["4:2 compressor"]
    wrong = Claim("adder", "", (*claim.words[:4], Word(4, 1, 1, 1)), 3)
    for name, text in adder(body, claim, LEAVES + MORE).items():
        (tmp_path / name).write_text(text)
    faults = prove_claims(tmp_path, ["adder.v"], [wrong]).faults
    assert "SAT finds a pattern that breaks the sum" in [fault.text for fault in faults]
