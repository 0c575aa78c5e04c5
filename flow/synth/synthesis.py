"""Synthesises an emitted macro: Yosys scripts for each target, and the netlist they leave."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.adder_gates import AdderGates, find_adder_gates
from cimforge.flow.liberty.buffer_strength import buffer_strengths
from cimforge.flow.liberty.leaf_cells import LeafCells
from cimforge.flow.liberty.liberty_writer import mapper_library
from cimforge.flow.liberty.library import Library
from cimforge.flow.liberty.mapper_cells import mapper_cells
from cimforge.flow.synth.census import area_roles
from cimforge.flow.synth.driver_sizing import size_drivers
from cimforge.flow.synth.free_polarity import free_polarity
from cimforge.flow.synth.targets import LIBERTY, TARGETS, mark_lone_carries
from cimforge.flow.synth.techmap import (
    COMPRESSOR,
    SET_CLEAR,
    enable_gate_commands,
    mapped_leaves,
    techmap_verilog,
)
from cimforge.hdl.emit.handover import render_sdc
from cimforge.hdl.emit.package import CELLS
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.drivers import LOADS
from cimforge.hdl.netlist.yosys import LOG, run_yosys
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = [
    "Netlist",
    "chain_commands",
    "driver_loads",
    "fold_commands",
    "library_folder",
    "map_to_library",
    "synthesise",
]

# Area first; nets inside a block get buffers where they have more than 32 loads.
ABC_SCRIPT = "+strash;ifraig;scorr;dc2;strash;dch;amap,-m;buffer,-N,32"

# Without what rebuilds logic for area, which makes a ripple of fast carries.
FAST_SCRIPT = "+strash;amap,-m;buffer,-N,8"


@dataclass(frozen=True)
class Netlist:
    """A synthesised macro: its modules as JSON data, and the folder with netlist.json and
    netlist.v."""

    top: str
    modules: dict[str, Any]
    folder: Path

    @property
    def cell_types(self) -> set[str]:
        """The types of all cells."""
        modules = self.modules.values()
        return {cell["type"] for module in modules for cell in module["cells"].values()}


def synthesise(config: MacroConfig, folder: Path, target: str, *, flatten: bool = False) -> Netlist:
    """Synthesise the macro emitted in ``folder`` for a target of TARGETS.

    Each distinct module is synthesised once and kept as a module, leaf cells are dissolved in
    theirs; with ``flatten`` all is one module. Files go to ``folder``/synth/``target``. Raises
    YosysError.
    """
    work = _prepare(config, folder, f"{target}{'_flat' if flatten else ''}")
    name = config.module
    _copy(work, "set_clear.v", SET_CLEAR)
    script = [
        f"read_verilog {CELLS} {name}.v",
        *_black_boxes(config, target),
        *fold_commands(target, work),
        f"hierarchy -check -top {name}",
        "techmap -map set_clear.v",
        *_keep(config, folder, flatten),
        *chain_commands(target, work),
        *TARGETS[target].stages(TARGETS[target].command.format(top=name), ""),
        "opt_clean",
        "write_json netlist.json",
        "write_verilog -noattr -noexpr netlist.v",
    ]
    run_yosys("\n".join(script) + "\n", work)
    netlist = _netlist(config, work)
    if target == "ice40":
        for module in netlist.modules.values():
            mark_lone_carries(module)
    return netlist


def map_to_library(
    config: MacroConfig, folder: Path, library: Library, leaves: LeafCells, *, flatten: bool = False
) -> Netlist:
    """Map the macro emitted in ``folder`` to a library's cells; leaf cells to those of ``leaves``.

    Besides the hierarchical netlist and its constraints, flat.v is written for static timing: one
    module, no buses. Files go to a folder of the library's own (library_folder). Raises YosysError.
    """
    name, text = config.module, (folder / f"{config.module}.v").read_text()
    if leaves.aoi21 is None and "cim_set_clear " in text:
        cause = f"{library.name} has no usable AND-OR-invert gate, two inputs and one"
        raise InputError(f"--liberty: {cause}; storage=latch needs none")
    work = _prepare(config, folder, library_folder(library, leaves, flatten))
    _copy(work, "leaves.v", techmap_verilog(leaves, driver_loads(config, folder)))
    _copy(work, "cells.lib", mapper_library(library, mapper_cells(library)))
    mapped = mapped_leaves(leaves)
    gates = [
        leaf for leaf in ("cim_fa", "cim_ha", "cim_latch", "cim_clkgate") if leaf not in mapped
    ]
    read = [
        f"read_verilog {CELLS}",
        f"blackbox {' '.join(mapped)}",
        f"read_verilog {name}.v",
        *_black_boxes(config, LIBERTY),
        f"hierarchy -check -top {name}",
    ]
    if "cim_c42" not in mapped:
        _copy(work, "compressor.v", COMPRESSOR)
        read.append("techmap -map compressor.v")
    adders = find_adder_gates(library) if "cim_fa" in gates else None
    if adders:
        read = _rewrite_adders(work, read, adders)
        gates.remove("cim_fa")
    script = [
        *read,
        *_keep(config, folder, flatten, gates),
        f"synth -flatten -noabc -top {name}",
        *enable_gate_commands(leaves),
        "dfflibmap -liberty cells.lib",
        *([] if flatten else _fast_commands(folder)),
        f"abc -liberty cells.lib -script {ABC_SCRIPT}",
        "techmap -map leaves.v",
        "opt_clean",
        "write_json netlist.json",
    ]
    run_yosys("\n".join(script) + "\n", work)
    _size_drivers(config, work, library, leaves)
    script = [
        "read_json netlist.json",
        # OpenSTA reads no concatenations in assigns.
        "splitnets",
        "write_verilog -noattr -noexpr -nohex -nodec -simple-lhs netlist.v",
        *_timing_part(config, flatten),
        "write_verilog -noattr -noexpr -nohex -nodec flat.v",
    ]
    mapping = (work / LOG).read_text()
    run_yosys("\n".join(script) + "\n", work)
    (work / LOG).write_text(mapping + (work / LOG).read_text())
    gate = leaves.cells["clkgate"]
    # The leaf is dissolved in its write port: the mapped gate's name follows the leaf's.
    gate_pin = f".mapped/{gate.pins['gate']}" if gate else None
    _copy(work, "netlist.sdc", render_sdc(config, gate_pin=gate_pin))
    return _netlist(config, work)


def _size_drivers(config: MacroConfig, work: Path, library: Library, leaves: LeafCells) -> None:
    """Give the drivers in netlist.json the strength that their loads ask for."""
    design = json.loads((work / "netlist.json").read_text())
    modules = {name: m for name, m in design["modules"].items() if not _is_blackbox(m)}
    areas = area_roles(build_macro(config))
    size_drivers(modules, areas, library, buffer_strengths(library, leaves))
    _copy(work, "netlist.json", json.dumps(design))


def _rewrite_adders(work: Path, read: list[str], gates: AdderGates) -> list[str]:
    """Commands that read what ``read`` does, its adders as gates of the library."""
    run_yosys("\n".join([*read, "proc", "write_json adders.json"]) + "\n", work)
    design = json.loads((work / "adders.json").read_text())
    design["modules"] = free_polarity(design["modules"], gates)
    if not design["modules"]:
        return read  # a delete of nothing would take everything
    _copy(work, "adders.json", json.dumps(design))
    rewritten = " ".join(design["modules"])
    return [*read, "read_liberty -lib cells.lib", f"delete {rewritten}", "read_json adders.json"]


def library_folder(library: Library, leaves: LeafCells, flatten: bool = False) -> str:
    """The name of a library's folder below synth: its name, 8 hex digits of its content, and the
    cells that the user named."""
    name = re.sub(r"\W+", "_", library.parts[0].name)[:60]
    named = [f"{role}_{cell}" for role, cell in sorted(leaves.named.items())]
    return "-".join([LIBERTY, name, library.digest, *named, *(["flat"] if flatten else [])])


def chain_commands(target: str, work: Path) -> list[str]:
    """Commands that make one carry chain of each +, where the target has carry chains."""
    if not TARGETS[target].carry_chains:
        return []
    return ["proc", "opt_clean", "wreduce", f"techmap -map {_own_file('add_to_alu.v', work)}"]


def fold_commands(target: str, work: Path) -> list[str]:
    """Commands that map leaf cells which a carry chain does by itself, where the target has carry
    chains: before modules are made for their parameters."""
    if not TARGETS[target].carry_chains:
        return []
    return [f"techmap -map {_own_file('flip_to_alu.v', work)}"]


def _own_file(name: str, work: Path) -> str:
    """A file of this package in the flow's folder."""
    _copy(work, name, files("cimforge.flow.synth").joinpath(name).read_text())
    return name


def driver_loads(config: MacroConfig, folder: Path) -> list[int]:
    """The different numbers of pins that the drivers of the macro emitted in ``folder`` have."""
    text = (folder / f"{config.module}.v").read_text()
    return sorted({int(count) for count in re.findall(r"\.LOADS\((\d+)\)", text)})


def _prepare(config: MacroConfig, folder: Path, flow: str) -> Path:
    """A flow's own folder, with the emitted sources: Yosys sees only what lies in it."""
    work = folder / "synth" / flow
    work.mkdir(parents=True, exist_ok=True)
    for source in (CELLS, *(f"{model}.v" for model in config.models), f"{config.module}.v"):
        _copy(work, source, (folder / source).read_text())
    return work


def _black_boxes(config: MacroConfig, target: str) -> list[str]:
    """Commands that read what is left as instances: RAMs, of which only the ports count; those of
    an FPGA's own as its vendor describes them, so that pins and parameters are checked."""
    if config.ram == target:
        described = " ".join(f"+/{name}" for name in TARGETS[target].vendor_cells)
        return [f"read_verilog -lib -specify {described}"]
    return [f"read_verilog -lib {model}.v" for model in config.models]


def _copy(work: Path, name: str, text: str) -> None:
    (work / name).write_text(text)


def _keep(
    config: MacroConfig, folder: Path, flatten: bool, leaves: Sequence[str] = ()
) -> list[str]:
    """Commands that keep the macro's modules, and these leaf modules where they are used."""
    if flatten:
        return []
    modules = json.loads((folder / "manifest.json").read_text())["modules"]
    return [f"setattr -mod -set keep_hierarchy 1 {' '.join([*modules, *leaves])}"]


def _fast_commands(folder: Path) -> list[str]:
    """Commands that map final adders as they are written: mapped for area, fast carries become slow
    again."""
    modules = json.loads((folder / "manifest.json").read_text())["modules"]
    finals = [module for module in modules if module.endswith("_final")]
    return [f"abc -liberty cells.lib -script {FAST_SCRIPT} {' '.join(finals)}"] if finals else []


def _timing_part(config: MacroConfig, flatten: bool) -> list[str]:
    """Commands that leave what timing needs, as one module: all but the columns that are copies of
    others behind drivers of their own. Drivers are kept, as loads of those before them."""
    width, slices = config.slice_width, config.slices
    served = max(1, LOADS // width // slices)  # columns behind one driver of planes
    names = ("col{}",) if slices == 1 else ("col{}_slice*", "fusion{}")
    copies = [f"c:{name.format(col)}" for col in range(served, config.cols) for name in names]
    copies = [] if flatten else copies
    return [
        "rename -enumerate -pattern g%",
        *([f"cd {config.module}", f"delete {' '.join(copies)}", "cd"] if copies else []),
        "setattr -mod -unset keep_hierarchy *",
        "flatten",
        "setattr -set keep 1 c:*drive_*",
        "splitnets -ports",
        "opt_clean",
    ]


def _netlist(config: MacroConfig, work: Path) -> Netlist:
    modules = json.loads((work / "netlist.json").read_text())["modules"]
    used = {name: module for name, module in modules.items() if not _is_blackbox(module)}
    return Netlist(config.module, used, work)


def _is_blackbox(module: dict[str, Any]) -> bool:
    return bool({"blackbox", "whitebox"} & set(module["attributes"]))
