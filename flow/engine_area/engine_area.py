"""What an engine comes to by part: its own blocks, its RAMs, and its macros."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cimforge.flow.engine_area.engine_netlist import engine_netlist
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.synth.synth_report import SynthReport, synth_macro
from cimforge.flow.synth.targets import LIBERTY, TARGETS, Target
from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.module import Module, distinct_modules
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["MEMORIES", "PARTS", "EngineArea", "count_parts", "measure_engine"]

# The parts, and the blocks (by kind) that are theirs; Verilog of a block of another kind is the
# queue's: the engine's own lines.
PARTS: dict[str, tuple[str, ...]] = {
    "queue": ("", "queue", "activity", "soft_reset"),
    "fetch": ("fetch", "read_arbiter"),
    "run": ("run", "gather", "activation_buffer"),
    "sums": ("sums",),
    "requantise": ("store_lanes", "requantiser", "channel_table"),
    "store": ("store", "burst_writer"),
    "registers": ("registers",),
    "bus fronts": ("axi4lite", "apb4", "wishbone", "axi4", "wishbone_master", "register_adapter"),
}
MEMORIES = "memories"


@dataclass
class EngineArea:
    """Size of an engine in ``unit`` by part; ``memories`` what RAMs take of it, whose ``bits`` by
    block are told apart, for of a library they are no cells; ``macro`` the macro's own report."""

    config: EngineConfig
    target: str
    unit: str
    parts: dict[str, float]
    ffs: dict[str, float]
    bits: dict[str, int]
    ram_blocks: dict[str, int]
    others: dict[str, int]
    macro: SynthReport
    folder: Path

    @property
    def own(self) -> float:
        """All parts, macros left out."""
        return sum(self.parts.values())

    @property
    def macros(self) -> float:
        """All macros."""
        return self.macro.total * self.config.macros

    def as_json(self) -> dict[str, Any]:
        """What ``cimforge synth`` tells of an engine."""
        return {
            **{"engine": self.config.module, "target": self.target, "unit": self.unit},
            "breakdown": {part: round(size, 1) for part, size in self.parts.items()},
            **{"ffs": self.ffs, "macros": round(self.macros, 1), "own": round(self.own, 1)},
            "total": round(self.own + self.macros, 1),
            "over_macro": round((self.own + self.macros) / self.macros, 4),
            **{"ram_bits": self.bits, "ram_blocks": self.ram_blocks, "dsp": self.others},
            "macro": self.macro.as_json(),
        }


def measure_engine(
    config: EngineConfig,
    top: Module,
    folder: Path,
    target: str,
    *,
    liberty: Sequence[Path] = (),
    announce: Callable[[str], None] = print,
) -> EngineArea:
    """Synthesise an engine's own modules and, from ``folder`` where it is emitted, its macro.

    Raises InputError where target and storage or library do not fit, YosysError where Yosys fails.
    """
    library = read_library(*liberty) if target == LIBERTY else None
    macro = build_macro(config.macro)
    place = folder / "synth" / f"engine-{target}"
    announce(f"synthesising {top.name} without its macros")
    netlist = engine_netlist(top, macro, place, target, library)
    counts = count_parts(netlist, top, macro.name)
    if library:
        unit, measure = "um2", _of_library(library)
    else:
        unit, measure = TARGETS[target].unit, _of_target(TARGETS[target])
    rams = [module for module in distinct_modules(top) if isinstance(module, Ram)]
    whole = sum(counts.values(), Counter())
    report = synth_macro(config.macro, folder, target, liberty=liberty, announce=announce)
    return EngineArea(
        config=config,
        target=target,
        unit=unit,
        macro=report,
        folder=place,
        parts={part: _sum(kinds, measure.size) for part, kinds in counts.items()},
        ffs={part: _sum(kinds, measure.flip_flop) for part, kinds in counts.items()},
        bits={ram.kind: ram.words * ram.width * _instances(top, ram) for ram in rams},
        ram_blocks={kind: whole[kind] for kind in sorted(whole) if measure.ram(kind)},
        others={kind: whole[kind] for kind in sorted(whole) if "MULT" in kind or "DSP" in kind},
    )


class _Measure(NamedTuple):
    """Size of a cell by type, and whether it is a flip-flop, or RAM."""

    size: Callable[[str], float]
    flip_flop: Callable[[str], bool]
    ram: Callable[[str], bool]


def _of_target(target: Target) -> _Measure:
    return _Measure(target.size, target.is_flip_flop, target.is_ram)


def _of_library(library: Library) -> _Measure:
    cells = library.cells
    return _Measure(
        lambda kind: cells[kind].area if kind in cells else 0,
        lambda kind: kind in cells and cells[kind].ff is not None,
        lambda kind: False,
    )


def _sum(kinds: Counter, measure: Callable[[str], float]) -> float:
    return sum(measure(kind) * count for kind, count in kinds.items())


def _instances(top: Module, wanted: Module) -> int:
    """How often a module stands below another."""
    return sum(
        (child.module.name == wanted.name) + _instances(child.module, wanted)
        for child in top.children
    )


def count_parts(netlist: Mapping[str, Any], top: Module, macro: str) -> dict[str, Counter]:
    """Cells of each type in each part, all instances."""
    found: dict[str, Counter] = {part: Counter() for part in (*PARTS, MEMORIES)}
    of_kind = {kind: part for part, kinds in PARTS.items() for kind in kinds}

    def visit(module: Module, part: str) -> None:
        part = MEMORIES if isinstance(module, Ram) else of_kind.get(module.kind, part)
        for cell in netlist.get(module.name, {"cells": {}})["cells"].values():
            if cell["type"] not in netlist and not cell["type"].startswith("$scope"):
                found[part][cell["type"]] += 1
        for child in module.children:
            if child.module.name != macro:
                visit(child.module, part)

    visit(top, "bus fronts")
    return found
