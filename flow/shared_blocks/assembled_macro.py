"""Measures macros put together of mapped blocks: sizes by role, and the shortest clock period."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.buffer_strength import buffer_strengths
from cimforge.flow.shared_blocks.block_mapping import adders_of_gates
from cimforge.flow.shared_blocks.content_modules import ContentModule, content_roles
from cimforge.flow.shared_blocks.flat_part import flat_part
from cimforge.flow.shared_blocks.load_cell import load_cell
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.synth.census import count_by_role, sum_cells
from cimforge.flow.synth.driver_sizing import size_drivers
from cimforge.flow.synth.static_timing import TimingError, analyse_timing
from cimforge.flow.synth.synthesis import Netlist
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["AssembledMacro", "assemble", "measure_period", "measure_sizes"]


@dataclass(frozen=True)
class AssembledMacro:
    """A macro's modules, and the mapped ones by name, drivers as strong as this macro asks for."""

    config: MacroConfig
    modules: tuple[ContentModule, ...]
    netlist: Mapping[str, Any]

    @property
    def top(self) -> str:
        """The name of the top module."""
        return self.modules[-1].name


def assemble(
    config: MacroConfig,
    modules: Sequence[ContentModule],
    blocks: Mapping[str, Any],
    target: MappingTarget,
) -> AssembledMacro:
    """The macro of ``modules``, whose mapped forms are ``blocks``: these are its own, for drivers
    are sized in place."""
    if target.kind == LIBERTY:
        strengths = buffer_strengths(target.library, target.leaves)
        size_drivers(blocks, content_roles(modules), target.library, strengths)
    return AssembledMacro(config, tuple(modules), blocks)


def measure_sizes(macro: AssembledMacro, target: MappingTarget) -> dict[str, float]:
    """Size of each role, their ``total`` and the number of flip-flops ``ffs``: um2 on a library,
    else units of the target, as synth_macro counts them. Raises InputError where a cell is of no
    library."""
    counts = count_by_role(macro.netlist, macro.top, content_roles(macro.modules))
    whole = sum(counts.values(), Counter())
    if target.kind == LIBERTY:
        cells = target.library.cells
        if unknown := sorted(kind for kind in whole if kind not in cells):
            named = ", ".join(unknown[:4])
            raise InputError(f"--liberty: {target.library.name} has no cell for {named}")
        sizes = sum_cells(counts, lambda kind: cells[kind].area)
        ffs = sum(count for kind, count in whole.items() if cells[kind].ff is not None)
    else:
        spec = TARGETS[target.kind]
        sizes = sum_cells(counts, spec.size)
        ffs = sum(count for kind, count in whole.items() if spec.is_flip_flop(kind))
    return {**sizes, "total": sum(sizes.values()), "ffs": ffs}


def measure_period(macro: AssembledMacro, target: MappingTarget, folder: Path) -> float | str:
    """The shortest period in ns, as synth_macro finds it, or why there is none. Files go to
    ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    library = target.library
    outputs = {kind: {pin.name for pin in cell.outputs} for kind, cell in library.cells.items()}
    pins = {kind: [pin.name for pin in cell.pins] for kind, cell in library.cells.items()}
    known = adders_of_gates(target)  # Yosys has read the cells' ports then
    drives = outputs if known else pins
    part = flat_part(macro.config, macro.top, macro.netlist, outputs, drives)
    (folder / "flat.v").write_text(part.verilog)
    loads = [load_cell(library.cells[kind]) for kind in sorted(part.loads)]
    library = replace(library, cells=library.cells | {cell.name: cell for cell in loads})
    used = {"cells": {cell.name: {"type": cell.name} for cell in loads}}
    netlist = Netlist(macro.top, {**macro.netlist, "loads": used}, folder)
    called = macro.config.model_copy(update={"name": macro.top})
    try:
        return analyse_timing(called, netlist, library).period
    except TimingError as error:
        return str(error)
