"""Proofs by SAT: laws of leaf cells, and small adder modules whole against a sum written as +."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cimforge.flow.formal.cell_laws import Law
from cimforge.flow.formal.tree_claims import Claim, Pair
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["WHOLE_BITS", "Goal", "law_goal", "prove_goals", "sum_goal"]

WHOLE_BITS = 16  # operand bits up to which a module is proven whole
PROVEN, BROKEN = "SUCCESS!", "model found: FAIL!"
# Whether every register's inputs come equally late, the checker says: here registers are wires.
WIRES = """
(* techmap_celltype = "$dffe" *)
module wire_dffe #(parameter WIDTH = 1, CLK_POLARITY = 1, EN_POLARITY = 1) (
  input CLK, EN, input [WIDTH-1:0] D, output [WIDTH-1:0] Q
);
  assign Q = D;
endmodule
(* techmap_celltype = "$dff" *)
module wire_dff #(parameter WIDTH = 1, CLK_POLARITY = 1) (
  input CLK, input [WIDTH-1:0] D, output [WIDTH-1:0] Q
);
  assign Q = D;
endmodule
"""

Goal = tuple[str, str]  # a name for the goal's files, and a module whose output `wrong` must be 0


def law_goal(module: str, law: Law, ports: Mapping[str, int], name: str = "") -> Goal:
    """That ``module``, with the input and output ``ports`` of these widths, keeps ``law``."""
    goal = f"law_{name or module}"
    inputs = [port for port in ports if any(pin.split("[")[0] == port for pin in law.inputs)]
    width = sum(map(abs, [*law.inputs.values(), *law.outputs.values(), law.constant])).bit_length()
    heads = [f"input [{ports[p] - 1}:0] {p}" for p in inputs]
    lines = [f"  wire [{w - 1}:0] {p};" for p, w in ports.items() if p not in inputs]
    pins = ", ".join(f".{port}({port})" for port in ports)
    left, right = (_signed_sum(side, width + 1) for side in (law.inputs, law.outputs))
    return goal, (
        f"module {goal} ({', '.join(heads)}, output wrong);\n"
        + "\n".join([*lines, f"  {module} leaf ({pins});"])
        + f"\n  assign wrong = ({left}) != ({right} + {_literal(law.constant, width + 1)});\n"
        "endmodule\n"
    )


def sum_goal(claim: Claim) -> Goal:
    """That the claim's module is the sum of its words, its registers taken as wires."""
    goal, bits = f"whole_{claim.module}", claim.input_bits
    # As wide as the exact sum, so that only the last line cuts.
    words = [
        f"({{1'b0, terms[{w.low + w.width - 1}:{w.low}]}} << {w.shift})"
        for w in claim.words
        if w.width
    ]
    words += [f"({{1'b0, {_pair_text(pair)}}} << {pair.shift})" for pair in claim.pairs]
    most = sum(word.most << word.shift for word in claim.words)
    width = (most + sum(1 << pair.shift for pair in claim.pairs)).bit_length() + 1
    legal = [
        f"terms[{w.low + w.width - 1}:{w.low}] <= {w.width}'d{w.most}"
        for w in claim.words
        if w.most < (1 << w.width) - 1
    ]
    clocked = ", .clk(1'b0), .enable(1'b1)" if claim.registers else ""
    clocked += "".join(f", .{port}(1'b{value})" for port, value in claim.ties)
    top = max(width, claim.total_bits + 1)
    cut = f"[{claim.total_bits - 1}:0]" if claim.modular else ""
    made = _result_text(claim)
    return goal, (
        f"module {goal} (input [{bits - 1}:0] terms, output wrong);\n"
        f"  wire [{len(claim.result) - 1}:0] total;\n  wire [{top - 1}:0] sum, made;\n"
        f"  {claim.module} proven (.terms(terms), .total(total){clocked});\n"
        f"  assign sum = {' + '.join(words)};\n"
        f"  assign made = {made};\n"
        f"  assign wrong = {' && '.join([f'(made{cut} != sum{cut})', *legal])};\n"
        "endmodule\n"
    )


def _result_text(claim: Claim) -> str:
    """What ``total`` says: a number, or bits of two words."""
    if not claim.places:
        return "total"
    bits = enumerate(claim.places)
    return " + ".join(
        f"({{{claim.total_bits + 1}'b0, total[{i}]}} << {place})" for i, place in bits
    )


def prove_goals(folder: Path, read: Sequence[str], goals: Sequence[Goal]) -> list[str]:
    """Those goals of which SAT finds a counterexample; the commands ``read`` get the modules that
    they name from files in ``folder``. One run of Yosys; raises YosysError where it gives no
    answer."""
    if not goals:
        return []
    (folder / "goals.v").write_text("".join(text for _, text in goals))
    (folder / "wires.v").write_text(WIRES)
    script = [*read, "setattr -mod -unset keep_hierarchy *"]
    script += ["read_verilog goals.v", "design -save all"]
    for place, (name, _) in enumerate(goals):
        script += [
            f"design -load all\nhierarchy -top {name}\nproc\nflatten\nopt_dff -simple-dffe",
            "opt_clean\ntechmap -map wires.v\nopt_clean",
            f"tee -q -o goal{place}.txt sat -prove wrong 0 {name}",
        ]
    run_yosys("\n".join(script) + "\n", folder)
    said = [(folder / f"goal{place}.txt").read_text() for place in range(len(goals))]
    assert all(PROVEN in text or BROKEN in text for text in said)
    return [name for (name, _), text in zip(goals, said, strict=True) if PROVEN not in text]


def _signed_sum(weights: Mapping[str, int], width: int) -> str:
    parts = [
        f"{_literal(weight, width)} * {{{width - 1}'b0, {p}}}" for p, weight in weights.items()
    ]
    return " + ".join(parts)


def _pair_text(pair: Pair) -> str:
    parts = [f"terms[{i}]" if isinstance(i, int) else _pair_text(i) for i in pair.inputs]
    return f"({(' & ' if pair.kind == 'and' else ' | ').join(parts)})"


def _literal(value: int, width: int) -> str:
    """A number of ``width`` bits, two's complement."""
    return f"{width}'d{value % (1 << width)}"
