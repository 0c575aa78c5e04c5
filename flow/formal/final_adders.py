"""Final adders, which keep no weights bit by bit: each is proven whole, and taken as a + then."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from cimforge.flow.formal.sat_proofs import prove_goals, sum_goal
from cimforge.flow.formal.tree_claims import Claim, Word
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["PLAIN", "final_claims", "prove_finals", "write_plain"]

# Of a final adder's module, behind the name of the module that places it; behind the widths of its
# words where that has several.
SUFFIX = "_final"
PLAIN = "plain.v"


def final_claims(
    folder: Path, cells: str, sources: Sequence[str], adders: Sequence[str]
) -> list[Claim]:
    """That the final adder of each module of ``adders`` that has one adds two words, modulo
    2^total_bits: the first as wide as the total, behind it the second.

    Widths are those of the ports in the Verilog files of ``folder``: whatever they are, such a
    module adds, or is a fault. Raises YosysError.
    """
    text = "".join((folder / source).read_text() for source in sources)
    placed = "|".join(map(re.escape, adders))
    names = re.findall(rf"^module ((?:{placed})(?:_\d+_\d+)?{SUFFIX}) \(", text, re.M)
    if not names:
        return []
    read = "\n".join(f"read_verilog {source}" for source in (cells, *sources))
    run_yosys(f"{read}\nselect {' '.join(names)}\nwrite_json -selected finals.json\n", folder)
    modules = json.loads((folder / "finals.json").read_text())["modules"]
    return [_claim(name, modules[name]["ports"]) for name in names]


def _claim(name: str, ports) -> Claim:
    terms, size = (len(ports[port]["bits"]) for port in ("terms", "total"))
    words = [
        Word(low, width, 0, (1 << width) - 1) for low, width in ((0, size), (size, terms - size))
    ]
    return Claim(name, "sum of two words", tuple(words), size, modular=True)


def write_plain(folder: Path, claims: Sequence[Claim]) -> None:
    """PLAIN in ``folder``: modules of the claims' names in which a + stands for what was proven."""
    texts = []
    for claim in claims:
        first, second = claim.words
        ports = f"input [{claim.input_bits - 1}:0] terms, output [{claim.total_bits - 1}:0] total"
        words = [f"terms[{w.low + w.width - 1}:{w.low}]" for w in (first, second)]
        texts.append(f"module {claim.module} ({ports});\n  assign total = {' + '.join(words)};\n")
    (folder / PLAIN).write_text("".join(f"{text}endmodule\n" for text in texts))


def prove_finals(
    folder: Path, cells: str, sources: Sequence[str], claims: Sequence[Claim]
) -> list[str]:
    """The modules of those claims that SAT finds broken."""
    goals = {claim.module: sum_goal(claim) for claim in claims}
    read = [f"read_verilog {source}" for source in (cells, *sources)]
    broken = prove_goals(folder, read, list(goals.values()))
    return [module for module, (name, _) in goals.items() if name in broken]
