"""Synthesises an engine's own modules: its macros, and of a library its RAMs, stay instances."""

import json
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.liberty_writer import mapper_library
from cimforge.flow.liberty.library import Library
from cimforge.flow.liberty.mapper_cells import mapper_cells
from cimforge.flow.synth.synthesis import ABC_SCRIPT
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.netlist.module import Module, distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["engine_modules", "engine_netlist"]

SOURCE = "engine.v"


def engine_modules(top: Module, macro: str) -> list[Module]:
    """The modules below ``top`` that are not those of the module ``macro``."""
    modules = distinct_modules(top)
    inner = next(module for module in modules if module.name == macro)
    shared = {module.name for module in distinct_modules(inner)}
    return [module for module in modules if module.name not in shared]


def engine_netlist(
    top: Module, macro: Module, folder: Path, target: str, library: Library | None = None
) -> dict[str, Any]:
    """The modules, as Yosys' JSON, of ``top`` without ``macro``, each synthesised once for a target
    of TARGETS, or with ``library`` mapped to its cells.

    Files go to ``folder``. Raises YosysError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = engine_modules(top, macro.name)
    (folder / SOURCE).write_text(f"{modules_to_verilog(own)}\n{_stub(macro)}")
    rams = [module.name for module in own if isinstance(module, Ram)] if library else []
    kept = [module.name for module in own if module.name not in rams]
    script = [
        f"read_verilog {SOURCE}",
        f"blackbox {' '.join([macro.name, *rams])}",
        f"hierarchy -check -top {top.name}",
        f"setattr -mod -set keep_hierarchy 1 {' '.join(kept)}",
    ]
    if library:
        (folder / "cells.lib").write_text(mapper_library(library, mapper_cells(library)))
        script += [
            f"synth -flatten -noabc -top {top.name}",
            "dfflibmap -liberty cells.lib",
            f"abc -liberty cells.lib -script {ABC_SCRIPT}",
        ]
    else:
        script += TARGETS[target].stages(TARGETS[target].command.format(top=top.name), "")
    run_yosys("\n".join([*script, "opt_clean", "write_json netlist.json"]) + "\n", folder)
    modules = json.loads((folder / "netlist.json").read_text())["modules"]
    names = set(kept)
    return {name: module for name, module in modules.items() if name in names}


def _stub(module: Module) -> str:
    """A module of which only the ports are told."""
    ports = ",\n".join(
        f"  {p.direction} wire {'' if p.width == 1 else f'[{p.width - 1}:0] '}{p.name}"
        for p in module.ports.values()
    )
    return f"module {module.name} (\n{ports}\n);\nendmodule\n"
