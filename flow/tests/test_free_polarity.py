"""Adders rewritten to a library's gates compute what they did, and cost what was counted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cimforge.flow.liberty.adder_gates import find_adder_gates
from cimforge.flow.liberty.cell_models import cell_models
from cimforge.flow.liberty.library import read_library
from cimforge.flow.synth.free_polarity import free_polarity
from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.planners import plan_sum, word_operands
from cimforge.hdl.arith.staging import divided
from cimforge.hdl.netlist.yosys import YosysError, run_yosys

SG13G2 = read_library(Path(__file__).parent / "data" / "sg13g2_typ.lib.gz")
CELLS = Path(__file__).parents[2] / "hdl" / "cells" / "cim_cells.v"
SHAPES = {"4 x 3": [3] * 4, "7 x 1": [1] * 7, "mixed": [4, 1, 3, 2, 2], "6 x 4": [4] * 6}


def rewritten(folder: Path, widths: list[int], tree: str = "csa", stages: int = 0) -> dict:
    """The adder of words of these widths in the library's gates; its modules before and after are
    written to ``folder``."""
    plan = plan_sum(tree, word_operands(widths), sum(2**w - 1 for w in widths).bit_length())
    adder = build_adder("m", "sum", "A sum.", divided(plan, stages), role="tree")
    (folder / "gold.v").write_text(CELLS.read_text() + adder.verilog())
    script = "read_verilog gold.v\nhierarchy -top m_sum\nproc\nwrite_json adders.json\n"
    run_yosys(script, folder)
    design = json.loads((folder / "adders.json").read_text())
    gates = find_adder_gates(SG13G2)
    assert gates
    design["modules"] = free_polarity(design["modules"], gates)
    (folder / "gate.json").write_text(json.dumps(design))
    return design["modules"]["m_sum"]


def prove(folder: Path) -> None:
    """Both designs in ``folder`` are equal, by SAT; YosysError where they are not."""
    design = json.loads((folder / "gate.json").read_text())
    used = {cell["type"] for cell in design["modules"]["m_sum"]["cells"].values()}
    models = [SG13G2.cells[name] for name in sorted(used) if name in SG13G2.cells]
    (folder / "models.v").write_text(cell_models(models))
    flat = "hierarchy -top m_sum\nproc\nflatten\nopt_clean\nrename m_sum {0}\ndesign -stash {0}\n"
    run_yosys(
        f"read_verilog gold.v\n{flat.format('gold')}"
        f"read_verilog models.v\nread_json gate.json\n{flat.format('gate')}"
        "design -copy-from gold -as gold gold\ndesign -copy-from gate -as gate gate\n"
        "miter -equiv -flatten gold gate miter\nhierarchy -top miter\n"
        "sat -verify -set-init-zero -tempinduct -prove trigger 0 miter\n",
        folder,
    )


CASES = [*((shape, "csa", 0) for shape in SHAPES), ("mixed", "ripple", 0), ("4 x 3", "csa", 2)]


@pytest.mark.parametrize(("shape", "tree", "stages"), CASES)
def test_a_rewritten_adder_is_the_same_adder(shape, tree, stages, tmp_path):
    rewritten(tmp_path, SHAPES[shape], tree, stages)
    prove(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sg13g2_xor2_1", "sg13g2_xnor2_1"),
        ("sg13g2_a22oi_1", "sg13g2_a21oi_1"),
        ("sg13g2_inv_1", "sg13g2_buf_1"),
    ],
)
def test_the_proof_notices_a_wrong_gate(old, new, tmp_path):
    module = rewritten(tmp_path, SHAPES["4 x 3"])
    design = json.loads((tmp_path / "gate.json").read_text())
    cells = design["modules"]["m_sum"]["cells"]
    assert old in {cell["type"] for cell in module["cells"].values()}
    name = next(name for name, cell in cells.items() if cell["type"] == old)
    pins = cells[name]["connections"]
    if "a22oi" in old:
        pins["B1"] = pins["B2"] = pins["A1"]
    elif "inv" in old:
        cells[name] |= {"type": new, "connections": {"A": pins["A"], "X": pins["Y"]}}
        cells[name]["port_directions"] = {"A": "input", "X": "output"}
    else:
        other = SG13G2.cells[new]
        renamed = {"X": "Y"} if "Y" in {pin.name for pin in other.pins} else {}
        cells[name] |= {"type": new, "connections": {renamed.get(p, p): b for p, b in pins.items()}}
    (tmp_path / "gate.json").write_text(json.dumps(design))
    with pytest.raises(YosysError, match=r"proof did fail|Called with -verify"):
        prove(tmp_path)


def test_a_full_adder_costs_two_xors_and_a_carry(tmp_path):
    """Worked by hand: seven bits take four full adders, which need no inverter inside."""
    module = rewritten(tmp_path, SHAPES["7 x 1"])
    area = sum(SG13G2.cells[cell["type"]].area for cell in module["cells"].values())
    xor, aoi22 = SG13G2.cells["sg13g2_xor2_1"].area, SG13G2.cells["sg13g2_a22oi_1"].area
    inverter = SG13G2.cells["sg13g2_inv_1"].area
    most = 4 * (2 * xor + aoi22 + 0.1)
    assert area <= most + 2 * inverter


def test_a_library_without_the_gates_is_left_to_the_mapper():
    cells = {name: cell for name, cell in SG13G2.cells.items() if "a22oi" not in name}
    assert find_adder_gates(replace(SG13G2, cells=cells)) is None
