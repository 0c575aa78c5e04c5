"""Maps blocks of any macros to a target: what one becomes depends on its content alone."""

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.adder_gates import AdderGates, find_adder_gates
from cimforge.flow.liberty.liberty_writer import mapper_library
from cimforge.flow.liberty.mapper_cells import mapper_cells
from cimforge.flow.shared_blocks.content_modules import ContentModule
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.synth.synthesis import (
    ABC_SCRIPT,
    FAST_SCRIPT,
    _rewrite_adders,  # what flow/synth keeps to itself is taken as it is: its text is not ours
    chain_commands,
    fold_commands,
)
from cimforge.flow.synth.targets import LIBERTY, TARGETS, mark_lone_carries
from cimforge.flow.synth.techmap import (
    COMPRESSOR,
    SET_CLEAR,
    enable_gate_commands,
    mapped_leaves,
    techmap_verilog,
)
from cimforge.hdl.emit.package import CELLS
from cimforge.hdl.netlist.yosys import YosysError, run_yosys
from cimforge.hdl.params.config_file import InputError

__all__ = ["adders_of_gates", "leaf_gates", "map_block"]

POOL = "pool"  # the module that holds the block
CELL_KEYS = ("type", "parameters", "port_directions", "connections")
ADDER = re.compile(r"\bcim_(?:fa|c42)\b")  # a compressor becomes two full adders
GATE_LEAVES = ("cim_fa", "cim_ha", "cim_latch", "cim_clkgate")


def map_block(
    block: ContentModule,
    text: str,
    others: Iterable[ContentModule],
    target: MappingTarget,
    folder: Path,
) -> dict[str, Any]:
    """The mapped module of ``block``, whose Verilog is ``text``, by name, as Yosys' JSON, and leaf
    cells that are kept as modules; those of ``others`` that stand inside are ports alone. Drivers
    are not sized yet.

    The commands are those of synthesise and map_to_library (flow/synth). A block has a run of Yosys
    of its own: ABC's rewriting keeps scores of what paid from one module to the next, and names
    that an earlier module brought sort differently, so that behind others a block's cells would
    depend on them. Files go to ``folder``. Raises YosysError, InputError where the library lacks a
    cell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inside = {name for _, name, _ in block.inside}
    stubs = "".join(other.stub for other in others if other.name in inside)
    text = f"{text}\nmodule {POOL};\n  (* keep *) {block.name} one_{block.name} ();\nendmodule\n"
    written = {"blocks.v": text, "stubs.v": stubs, CELLS: _leaf_cells()}
    for name, content in written.items():
        (folder / name).write_text(content)
    if target.kind == LIBERTY:
        script = _library_script(block, text, target, folder)
    else:
        script = _target_script(block.name, target, folder)
    run_yosys("\n".join([*script, "opt_clean", "write_json mapped.json"]) + "\n", folder)
    try:
        mapped = json.loads((folder / "mapped.json").read_text())["modules"]
    except ValueError:
        raise YosysError(f"{folder}: Yosys wrote half a netlist; is the disk full?") from None
    if target.kind == "ice40":
        mark_lone_carries(mapped[block.name])
    wanted = {name for name in mapped if name in (block.name, *GATE_LEAVES)}
    return {name: _slim(mapped[name]) for name in sorted(wanted) if not _is_box(mapped[name])}


def _target_script(kept: str, target: MappingTarget, folder: Path) -> list[str]:
    spec = TARGETS[target.kind]
    (folder / "set_clear.v").write_text(SET_CLEAR)
    return [
        f"read_verilog {CELLS} blocks.v",
        "read_verilog -lib stubs.v",
        *fold_commands(target.kind, folder),
        f"hierarchy -check -top {POOL}",
        "techmap -map set_clear.v",
        f"setattr -mod -set keep_hierarchy 1 {kept}",
        *chain_commands(target.kind, folder),
        *spec.stages(spec.command.format(top=POOL), ""),
    ]


def _library_script(
    block: ContentModule, text: str, target: MappingTarget, folder: Path
) -> list[str]:
    library, leaves = target.library, target.leaves
    if leaves.aoi21 is None and "cim_set_clear " in text:
        cause = f"{library.name} has no usable AND-OR-invert gate, two inputs and one"
        raise InputError(f"--liberty: {cause}; storage=latch needs none")
    loads = sorted({int(count) for count in re.findall(r"\.LOADS\((\d+)\)", text)})
    (folder / "leaves.v").write_text(techmap_verilog(leaves, loads))
    (folder / "cells.lib").write_text(_mapper_text(target))
    mapped, gates = mapped_leaves(leaves), leaf_gates(target)
    read = [
        f"read_verilog {CELLS}",
        f"blackbox {' '.join(mapped)}",
        "read_verilog blocks.v",
        "read_verilog -lib stubs.v",
        f"hierarchy -check -top {POOL}",
    ]
    if "cim_c42" not in mapped:
        (folder / "compressor.v").write_text(COMPRESSOR)
        read.append("techmap -map compressor.v")
    gates_of_adder = _adder_gates(target)
    if gates_of_adder and ADDER.search(text):
        read = _rewrite_adders(folder, read, gates_of_adder)
    final = f"_{block.kind}".endswith("_final")
    fast = [f"abc -liberty cells.lib -script {FAST_SCRIPT} {block.name}"] if final else []
    return [
        *read,
        f"setattr -mod -set keep_hierarchy 1 {' '.join([block.name, *gates])}",
        f"synth -flatten -noabc -top {POOL}",
        *enable_gate_commands(leaves),
        "dfflibmap -liberty cells.lib",
        *fast,
        f"abc -liberty cells.lib -script {ABC_SCRIPT}",
        "techmap -map leaves.v",
    ]


@cache
def leaf_gates(target: MappingTarget) -> tuple[str, ...]:
    """Leaf modules that are kept, built of the library's gates."""
    mapped = mapped_leaves(target.leaves)
    gates = [leaf for leaf in GATE_LEAVES if leaf not in mapped]
    return tuple(leaf for leaf in gates if leaf != "cim_fa" or not adders_of_gates(target))


def adders_of_gates(target: MappingTarget) -> bool:
    """Whether full adders are made of gates of free polarity."""
    return bool(_adder_gates(target))


@cache
def _adder_gates(target: MappingTarget) -> AdderGates | None:
    """Those gates, where the library has them and no full adder."""
    if "cim_fa" in mapped_leaves(target.leaves):
        return None
    return find_adder_gates(target.library)


@cache
def _mapper_text(target: MappingTarget) -> str:
    """What ABC may use of the library."""
    return mapper_library(target.library, mapper_cells(target.library))


@cache
def _leaf_cells() -> str:
    return files("cimforge.hdl.cells").joinpath(CELLS).read_text()


def _slim(module: dict[str, Any]) -> dict[str, Any]:
    """A module without what only people read: names of nets, and where cells come from."""
    cells = {
        name: {key: cell[key] for key in CELL_KEYS if key in cell}
        for name, cell in module["cells"].items()
        if cell["type"] != "$scopeinfo"
    }
    return {"attributes": {}, "ports": module["ports"], "cells": cells}


def _is_box(module: dict[str, Any]) -> bool:
    return bool({"blackbox", "whitebox"} & set(module["attributes"]))
