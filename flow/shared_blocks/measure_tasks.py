"""What processes do for a sweep, each on its own: describe macros, map blocks, measure macros."""

import json
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.shared_blocks.assembled_macro import assemble, measure_period, measure_sizes
from cimforge.flow.shared_blocks.block_mapping import leaf_gates, map_block
from cimforge.flow.shared_blocks.content_modules import (
    ContentModule,
    content_modules,
    content_verilog,
)
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.synth.synth_report import synth_macro
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["Described", "Raw", "describe", "leaf_names", "map_packed", "measure", "measure_whole"]

Raw = dict[str, float]  # roles, total, ffs, rams, and period where it was asked for
Packed = Mapping[str, bytes]  # mapped modules, as they are kept


@dataclass(frozen=True)
class Described:
    """A macro by content; no ``modules`` where it has RAMs, which are measured whole."""

    config: MacroConfig
    modules: tuple[ContentModule, ...]


def describe(configs: Sequence[MacroConfig]) -> list[Described]:
    """The modules of each macro."""
    return [Described(c, () if c.models else tuple(content_modules(c))) for c in configs]


def leaf_names(target: MappingTarget) -> tuple[str, ...]:
    """Leaf modules that every mapping on ``target`` yields beside its blocks, where used."""
    return tuple(leaf_gates(target)) if target.kind == LIBERTY else ()


def map_packed(
    blocks: Sequence[ContentModule],
    others: Sequence[ContentModule],
    target: MappingTarget,
    folder: Path,
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The mapped modules of ``blocks`` (map_block), packed, and why not, of those that fail. They
    become Verilog together, and are mapped one by one. The folder is removed."""
    mapped: dict[str, bytes] = {}
    texts, broken = _written(blocks)
    for block in blocks:
        if block.name in broken:
            continue
        try:
            found = map_block(block, texts[block.name], others, target, folder)
        except (YosysError, InputError) as error:
            broken[block.name] = str(error)
        else:
            mapped |= {name: zlib.compress(json.dumps(m).encode()) for name, m in found.items()}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return mapped, broken


def _written(blocks: Sequence[ContentModule]) -> tuple[dict[str, str], dict[str, str]]:
    """The blocks' Verilog by name, and why there is none; one by one where they fail together."""
    try:
        return content_verilog(blocks), {}
    except YosysError as error:
        if len(blocks) == 1:
            return {}, {blocks[0].name: str(error)}
    told = [_written([block]) for block in blocks]
    texts = {name: text for each, _ in told for name, text in each.items()}
    return texts, {name: why for _, each in told for name, why in each.items()}


def measure(
    described: Described, packed: Packed, target: MappingTarget, period: bool, folder: Path
) -> Raw | str:
    """What a macro comes to (measure_sizes and, with ``period``, measure_period), or why there is
    nothing. The folder is removed."""
    try:
        macro = _assembled(described, packed, target)
        raw: Raw = {**measure_sizes(macro, target), "rams": 0}  # those with RAMs are measured whole
        if not period:
            return raw
        found = measure_period(macro, target, folder)
        return found if isinstance(found, str) else {**raw, "period": found}
    except InputError as error:
        return str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_whole(
    config: MacroConfig, target: MappingTarget, period: bool, folder: Path
) -> Raw | str:
    """The same of a macro by itself (synth_macro); RAMs of a memory compiler do not count."""
    try:
        emit_macro(config, folder)
        report = synth_macro(
            config, folder, target.kind, liberty=target.libraries, announce=lambda text: None
        )
    except (YosysError, InputError) as error:
        return str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raw: Raw = {**report.breakdown, "total": report.total, "ffs": report.ffs}
    raw["rams"] = sum(report.ram_blocks.values())
    if not period:
        return raw
    if report.timing is None:
        return next((note for note in report.notes if "period" in note), "no clock period")
    return {**raw, "period": report.timing.period}


def _assembled(described: Described, packed: Packed, target: MappingTarget) -> Any:
    """The macro put together; InputError where its library has no latch for it."""
    config, modules = described.config, described.modules
    if target.kind == LIBERTY:
        choose_cells(target.library, latches=bool(config.storage_traits.control_ports))
    names = [*(module.name for module in modules), *(n for n in packed if n.startswith("cim_"))]
    blocks = {name: json.loads(zlib.decompress(packed[name])) for name in names}
    return assemble(config, modules, blocks, target)
