"""A design and its broken copy side by side, under the same inputs: what SAT and chance compare."""

import re
from pathlib import Path

from cimforge.hdl.netlist.yosys import YosysError, run_yosys

__all__ = ["PAIR", "proven_equal", "write_pair"]

PAIR = "pair"
STEPS = 4  # cycles that the induction assumes equal
# Without latches a step of the induction is a cycle; with them it is an edge, and proves less.
NO_LATCH = "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr"
PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);$", re.M)
# Payloads mean something only beside their valid.
MASKS = {"y_data": "y_valid", "q_data": "q_valid", "wb_dat_r": "(wb_ack | wb_err)"}


def _read(side: str, text: str, top: str, folder: Path) -> list[str]:
    """Commands that read one side from its text, as one module named after the side."""
    (folder / f"{side}.v").write_text(text)
    steps = [f"read_verilog -sv {side}.v", f"hierarchy -top {top}", "proc", "flatten", "opt_clean"]
    steps += ["rename -hide w:_*_"]  # Yosys' own numbers, which differ: no pairs
    return [*steps, f"rename {top} {side}", f"design -stash {side}"]


def proven_equal(unbroken: str, broken: str, module: str, folder: Path) -> bool:
    """Whether SAT proves by induction that ``module`` and all below it behave equally in both
    texts, whatever surrounds it.

    Registers of one name are taken as pairs; the proof is that pairs, and outputs, that were equal
    for some cycles stay so. No proof does not mean that they differ.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sides = {"gold": unbroken, "gate": broken}
    script = [line for side, text in sides.items() for line in _read(side, text, module, folder)]
    script += [f"design -copy-from {side} -as {side} {side}" for side in sides]
    clocking = "async2sync" if _succeeds([*script, NO_LATCH], folder) else "clk2fflogic"
    script += ["equiv_make gold gate equal", "hierarchy -top equal", clocking]
    script += ["opt_clean", "equiv_simple -undef", f"equiv_simple -seq {STEPS}"]
    script += [f"equiv_induct -seq {STEPS}", "equiv_status -assert"]
    return _succeeds(script, folder)


def _succeeds(script: list[str], folder: Path) -> bool:
    try:
        run_yosys("\n".join(script) + "\n", folder)
    except YosysError:
        return False
    return True


def write_pair(unbroken: str, broken: str, top: str, folder: Path) -> tuple[str, ...]:
    """Write pair.v, both designs under module PAIR, and return its ports.

    PAIR has the design's inputs, the unbroken one's outputs, and ``differs``: high from the first
    falling edge of clk at which outputs were unequal, payloads beside a low valid left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sides = {"gold": unbroken, "gate": broken}
    script = [line for side, text in sides.items() for line in _read(side, text, top, folder)]
    script += [f"design -copy-from {side} -as {side} {side}" for side in sides]
    script += ["write_verilog -noattr sides.v"]
    run_yosys("\n".join(script) + "\n", folder)
    text = (folder / "sides.v").read_text()
    gold = re.search(r"^module gold\b.*?^endmodule", text, re.M | re.S)
    assert gold is not None, "Yosys wrote no module gold"
    ports = {name: (way, int(high or 0)) for way, high, name in PORT.findall(gold[0])}
    (folder / f"{PAIR}.v").write_text(text + _pair(ports))
    return (*ports, "differs")


def _pair(ports: dict[str, tuple[str, int]]) -> str:
    lines = [f"module {PAIR}({', '.join([*ports, 'differs'])});", "  output reg differs = 0;"]
    for name, (way, high) in ports.items():
        lines.append(f"  {way} [{high}:0] {name};")
        if way == "output":
            lines.append(f"  wire [{high}:0] other_{name};")
    outputs = [name for name, (way, _) in ports.items() if way == "output"]
    for side, prefix in (("gold", ""), ("gate", "other_")):
        pins = [f".{name}({prefix if name in outputs else ''}{name})" for name in ports]
        lines.append(f"  {side} {side} ({', '.join(pins)});")
    unequal = [f"({MASKS.get(n, '1')} !== 1'b0 && {n} !== other_{n})" for n in outputs]
    lines += [f"  always @(negedge clk) if ({' || '.join(unequal)}) differs = 1;", "endmodule"]
    return "\n".join(lines) + "\n"
