"""cimforge synth of an engine: its parts beside its macro."""

from pathlib import Path

from cimforge.flow.engine_area.engine_area import EngineArea, measure_engine
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.scripts.options import (
    CheckFailedError,
    default_folder,
    print_json,
    show_table,
    steps,
)

__all__ = ["synth_engine"]

UNITS = {"um2": "µm²", "luts": "LUTs", "cells": "cells"}


def synth_engine(
    config: EngineConfig,
    output: Path | None,
    target: str,
    liberty: tuple[str, ...],
    as_json: bool,
) -> None:
    """Synthesise an engine behind AXI4-Lite and AXI4, part by part, and its macro."""
    if liberty and target != LIBERTY:
        raise InputError(f"--liberty: only with --target {LIBERTY}, not {target}")
    found = find_libraries(liberty).paths if target == LIBERTY else ()
    folder = default_folder(output, config.macro)
    top = build_engine_top(config, "axi4lite", "axi4")
    with steps(f"synthesising {config.module}") as announce:
        try:
            emit_macro(config.macro, folder, macro_extras(config.macro))
            area = measure_engine(config, top, folder, target, liberty=found, announce=announce)
        except YosysError as error:
            if as_json:
                facts = {"engine": config.module, "target": target, "failed": str(error)}
                print_json(facts)
            raise CheckFailedError(error) from None
    if as_json:
        print_json(area.as_json())
        return
    _show(area)


def _show(area: EngineArea) -> None:
    whole = area.own + area.macros
    rows = [
        (part, f"{size:,.0f}", f"{area.ffs[part]:,.0f}", f"{size / area.macros:.1%}")
        for part, size in area.parts.items()
    ]
    rows.append(("engine alone", f"{area.own:,.0f}", f"{sum(area.ffs.values()):,.0f}", ""))
    ffs = area.macro.ffs * area.config.macros
    rows.append(("macros", f"{area.macros:,.0f}", f"{ffs:,.0f}", "100.0%"))
    rows.append(("total", f"{whole:,.0f}", "", f"{whole / area.macros:.1%}"))
    heads = ("part", UNITS[area.unit], "flip-flops", "of the macros")
    show_table(f"{area.config.module} on {area.target}", rows, heads)
    bits = ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in area.bits.items())
    note = "counted as cells" if area.ram_blocks else "not counted: RAMs of their own"
    facts: list[tuple[str, str]] = [("bits of RAMs", f"{bits} ({note})")]
    facts += [(f"{kind} (RAM)", f"{count:,}") for kind, count in area.ram_blocks.items()]
    facts += [(kind, f"{count:,}") for kind, count in area.others.items()]
    show_table("", facts, below=[("netlist", area.folder / "netlist.json")])
