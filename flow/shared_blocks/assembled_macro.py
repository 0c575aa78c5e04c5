"""Measures macros put together of mapped blocks: sizes by role, and the shortest clock period."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.buffer_strength import buffer_strengths
from cimforge.flow.liberty.liberty_writer import mapper_library
from cimforge.flow.liberty.mapper_cells import mapper_cells
from cimforge.flow.shared_blocks.block_mapping import adders_of_gates
from cimforge.flow.shared_blocks.content_modules import ContentModule, content_roles
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.synth.census import count_by_role, sum_cells
from cimforge.flow.synth.driver_sizing import size_drivers
from cimforge.flow.synth.static_timing import TimingError, analyse_timing
from cimforge.flow.synth.synthesis import (
    Netlist,
    _timing_part,  # what flow/synth keeps to itself is taken as it is: its text is not ours
)
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.netlist.yosys import run_yosys
from cimforge.hdl.params.config import MacroConfig

__all__ = ["AssembledMacro", "assemble", "measure_periods", "measure_sizes"]


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
    else units of the target, as synth_macro counts them."""
    counts = count_by_role(macro.netlist, macro.top, content_roles(macro.modules))
    whole = sum(counts.values(), Counter())
    if target.kind == LIBERTY:
        cells = target.library.cells
        sizes = sum_cells(counts, lambda kind: cells[kind].area)
        ffs = sum(count for kind, count in whole.items() if cells[kind].ff is not None)
    else:
        spec = TARGETS[target.kind]
        sizes = sum_cells(counts, spec.size)
        ffs = sum(count for kind, count in whole.items() if spec.is_flip_flop(kind))
    return {**sizes, "total": sum(sizes.values()), "ffs": ffs}


def measure_periods(
    macros: Sequence[AssembledMacro], target: MappingTarget, folder: Path
) -> list[float | str]:
    """The shortest period of each macro in ns, or why there is none. One run of Yosys flattens
    all. Files go to ``folder``. Raises YosysError."""
    script: list[str] = []
    if adders_of_gates(target):
        folder.mkdir(parents=True, exist_ok=True)
        library = mapper_library(target.library, mapper_cells(target.library))
        (folder / "cells.lib").write_text(library)
    for number, macro in enumerate(macros):
        own = folder / f"m{number}"
        own.mkdir(parents=True, exist_ok=True)
        top = {**macro.netlist[macro.top], "attributes": {"top": "1"}}  # the others go when flat
        (own / "netlist.json").write_text(
            json.dumps({"modules": {**macro.netlist, macro.top: top}})
        )
        script += [
            "design -reset",
            *(["read_liberty -lib cells.lib"] if adders_of_gates(target) else []),
            f"read_json m{number}/netlist.json",
            "splitnets",
            *_timing_part(_called(macro), False),
            f"write_verilog -noattr -noexpr -nohex -nodec m{number}/flat.v",
        ]
    run_yosys("\n".join(script) + "\n", folder)
    return [_period(macro, target, folder / f"m{number}") for number, macro in enumerate(macros)]


def _period(macro: AssembledMacro, target: MappingTarget, folder: Path) -> float | str:
    netlist = Netlist(macro.top, dict(macro.netlist), folder)
    try:
        return analyse_timing(_called(macro), netlist, target.library).period
    except TimingError as error:
        return str(error)


def _called(macro: AssembledMacro) -> MacroConfig:
    """The macro's parameters, called as its top module is."""
    return macro.config.model_copy(update={"name": macro.top})
