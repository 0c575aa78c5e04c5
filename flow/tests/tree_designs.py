"""Designs the tests of the proof share: many macros' adders read in one run of Yosys, and small
modules written by hand."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cimforge.cocotb_tests.draw import draw_configs
from cimforge.flow.formal.leaf_laws import Leaves
from cimforge.flow.formal.netlist_graph import read_graph
from cimforge.flow.formal.tree_checker import check_module
from cimforge.flow.formal.tree_claims import Claim, Word
from cimforge.flow.formal.tree_rules import Fault
from cimforge.hdl.emit.outputs import CELLS
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.module import behavioural_models
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.presets import PRESETS
from cimforge.hdl.tests.configs import DIVERSE

__all__ = ["DRAWN", "LEAVES", "SEED", "adder", "check", "configs", "sum_claim", "write_macros"]

LEAVES = (Path(__file__).parents[2] / "hdl" / "cells" / CELLS).read_text()
SEED = int(os.environ.get("CIMFORGE_SEED", "1"))
DRAWN = int(os.environ.get("CIMFORGE_CONFIGS", "5"))


def configs() -> list[MacroConfig]:
    """Every preset, the diverse dozen, and CIMFORGE_CONFIGS drawn ones, each once."""
    presets = [MacroConfig(**preset.parameters) for preset in PRESETS.values()]
    chosen = [*presets, *DIVERSE.values(), *draw_configs(DRAWN, SEED)]
    return list({config.module: config for config in chosen}.values())


def write_macros(folder: Path, chosen: Iterable[MacroConfig]) -> str:
    """The Verilog of several macros, with their RAMs' models, as one file beside the leaf cells;
    returns its name."""
    modules = [module for config in chosen for module in macro_modules(config)]
    models = "".join(behavioural_models(modules).values())
    (folder / "macros.v").write_text(models + modules_to_verilog(modules))
    (folder / CELLS).write_text(LEAVES)
    return "macros.v"


def sum_claim(widths: list[int], bits: int = 0, depth: int = 0, modular: bool = False) -> Claim:
    """That the module ``adder`` sums unsigned words of these widths to ``bits``."""
    words, low = [], 0
    for width in widths:
        words.append(Word(low, width, 0, (1 << width) - 1))
        low += width
    bits = bits or sum(word.most for word in words).bit_length()
    return Claim("adder", "a sum", tuple(words), bits, depth, modular)


def adder(body: str, claim: Claim, leaves: str = LEAVES) -> dict[str, str]:
    """Files of a module ``adder`` of this body, with the ports of the claim."""
    clocked = "input clk, input enable, " if claim.depth else ""
    ports = (
        f"{clocked}input [{claim.input_bits - 1}:0] terms, output [{claim.total_bits - 1}:0] total"
    )
    return {"adder.v": f"module adder ({ports});\n{body}\nendmodule\n", CELLS: leaves}


def check(modules: Mapping[str, Any], claim: Claim) -> list[Fault]:
    """The faults of one module of a design."""
    leaves = Leaves(modules)
    return check_module(read_graph(claim.module, modules, leaves), claim)
