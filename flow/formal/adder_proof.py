"""Proof that the adders of an emitted macro add: every tree, count of ones and accumulating sum."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from cimforge.flow.formal.adder_graph import ADDERS, AdderGraph, Fault
from cimforge.hdl.emit.outputs import CELLS
from cimforge.hdl.netlist.yosys import YosysError, run_yosys
from cimforge.hdl.params.config import MacroConfig

__all__ = ["AdderProof", "prove_adders"]

WHOLE_BITS = 16  # operand bits up to which an adder is also proven whole


@dataclass(frozen=True)
class AdderProof:
    """What was proven: ``adders`` names each module with the number of its cells, ``leaves`` the
    leaf cells whose equation SAT proved, ``whole`` the modules that SAT proved equal to a plain
    sum. Nothing is proven where there are ``faults``."""

    adders: dict[str, int]
    leaves: tuple[str, ...]
    whole: tuple[str, ...]
    faults: tuple[Fault, ...]


def prove_adders(config: MacroConfig, folder: Path) -> AdderProof:
    """Prove the adders of the macro emitted in ``folder``, from its Verilog alone.

    Structure: each bit's weight, each bit used exactly once, no dropped carry that may be 1, one
    register depth on all paths. Function: each leaf by SAT, and adders of up to WHOLE_BITS operand
    bits without registers whole. The final results are modulo 2^y_bits. Files go to
    ``folder``/proof. Raises YosysError where the Verilog cannot be read.
    """
    work = folder / "proof"
    work.mkdir(exist_ok=True)
    for source in (CELLS, f"{config.module}.v"):
        (work / source).write_text((folder / source).read_text())
    read = f"read_verilog {CELLS} {config.module}.v\nhierarchy -check -top {config.module}\nproc\n"
    run_yosys(f"{read}opt_clean\nopt_dff\nopt_clean\nwrite_json adders.json\n", work)
    modules = json.loads((work / "adders.json").read_text())["modules"]
    faults: list[Fault] = []
    counts, whole = {}, []
    for name, weights, modulo in _adders(config):
        module = modules[name]
        found = AdderGraph(name, module, weights, modulo).check()
        faults += found
        counts[name] = sum(_adds(cell) for cell in module["cells"].values())
        clocked = "clk" in module["ports"]
        if not found and len(weights) <= WHOLE_BITS and not clocked:
            whole.append(name)
            if not _is_sum(work, read, name, weights, len(module["ports"]["total"]["bits"])):
                faults.append(Fault(name, "total", "", "is not the sum of its operands"))
    used = {c["type"] for m in modules.values() for c in m["cells"].values()} & set(ADDERS)
    for leaf in sorted(used):
        if not _leaf_holds(work, leaf):
            faults.append(Fault(leaf, "", "", "does not compute its equation"))
    return AdderProof(counts, tuple(sorted(used)), tuple(whole), tuple(faults))


def _adders(config: MacroConfig) -> Iterator[tuple[str, list[int], int]]:
    """Name, weights of the operand bits and modulus of each adder of a macro."""
    k, y_bits = config.bits_per_cycle, config.y_bits
    tree = [1 << bit for width in config.operand_widths for bit in range(width)]
    yield f"{config.module}_tree", tree, 0
    yield f"{config.module}_popcount", [1] * config.rows, 0
    negate, feedback = [1 << k - 1], [1 << place for place in range(k, y_bits)]
    totals = chain(*([1 << plane + bit for bit in range(config.tree_bits)] for plane in range(k)))
    place = config.modes[0].correction_place
    correction = [1 << place + bit for bit in range(config.correction_bits)]
    terms = [*negate, *feedback, *totals, *correction]
    yield f"{config.module}_accumulate_sum", terms, 1 << y_bits


def _adds(cell: dict[str, Any]) -> bool:
    return cell["type"] in ADDERS or cell["type"] in ("$add", "$xor")


def _is_sum(work: Path, read: str, name: str, weights: list[int], width: int) -> bool:
    """Whether SAT proves the module equal to the plain sum of its weighted bits."""
    terms = " + ".join(f"{weight} * terms[{place}]" for place, weight in enumerate(weights))
    port = f"input [{len(weights) - 1}:0] terms, output [{width - 1}:0] total"
    (work / "sum.v").write_text(f"module sum({port}); assign total = {terms}; endmodule\n")
    return _equal(work, f"{read}read_verilog sum.v\n", name, "sum")


def _leaf_holds(work: Path, leaf: str) -> bool:
    """Whether SAT proves a leaf cell's equation."""
    equation = ADDERS[leaf]
    inputs = " + ".join(f"{weight} * {pin}" for pin, weight in equation.inputs.items())
    outputs = sorted(equation.outputs, key=lambda pin: equation.outputs[pin])
    parts = [
        f"assign {pin} = (({inputs}) >> {equation.outputs[pin].bit_length() - 1}) & 1;"
        for pin in outputs
    ]
    ports = [f"input {pin}" for pin in equation.inputs] + [f"output {pin}" for pin in outputs]
    text = f"module leaf({', '.join(ports)}); {' '.join(parts)} endmodule\n"
    (work / "leaf.v").write_text(text)
    return _equal(work, f"read_verilog {CELLS} leaf.v\nproc\n", leaf, "leaf")


def _equal(work: Path, read: str, gate: str, gold: str) -> bool:
    script = (
        f"{read}miter -equiv -flatten -make_outputs {gold} {gate} miter\nhierarchy -top miter\n"
        "flatten\nopt\nsat -verify -prove trigger 0 miter\n"
    )
    try:
        run_yosys(script, work)
    except YosysError as error:
        if "proof did fail" in str(error) or "-verify" in str(error):
            return False
        raise
    return True
