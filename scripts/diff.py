"""cimforge diff: what changes where one macro or engine takes another's place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cimforge.flow.config_diff import Change, ConfigDiff
from cimforge.flow.engine_area.engine_area import EngineArea, measure_engine
from cimforge.flow.engine_diff import EngineDiff
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import read_library
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.measured_luts import MeasuredLuts, measure_luts
from cimforge.flow.measured_macro import measure_macro
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_file import load_engine, names_engine
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    liberty_option,
    print_json,
    show_table,
    steps,
)

__all__ = ["diff"]

STORE = Path(BUILD) / "measured"
HEADER = ("", "what", "before", "after", "")
UNITS = {"um2": "µm²", "luts": "LUT sites", "cells": "cells"}
NO_PERIOD = "not timed: a board's, cimforge fpga"
BREAKS = {
    "breaks_connections": "connections",
    "breaks_wrapper_connections": "connections of the Wishbone wrapper",
    "breaks_software": "compiled software",
    "breaks_queues": "queues of commands",
}
Sizes = dict[str, float | str]
Announce = Callable[[str], None]


def _sets(name: str, whose: str) -> Any:
    return click.option(
        name, multiple=True, metavar="KEY=VALUE", help=f"Change a parameter of {whose}; repeatable."
    )


@click.command(epilog=config_epilog, short_help="What differs between two macros, or engines.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@_sets("--set-old", "OLD")
@_sets("--set-new", "NEW")
@click.option(
    "--target",
    type=click.Choice([*TARGETS, LIBERTY]),
    help="Synthesise both for it, and tell their sizes.  [default: with --liberty liberty]",
)
@liberty_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def diff(
    old: str,
    new: str,
    set_old: tuple[str, ...],
    set_new: tuple[str, ...],
    target: str | None,
    liberty: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare two macros, or two engines: parameters, ports, registers, cycles; with --target or
    --liberty their area too, and of a library a macro's period. It says whether connections,
    software and an engine's queues made for OLD work with NEW."""
    target = target or (LIBERTY if liberty else None)
    if liberty and target != LIBERTY:
        raise InputError(f"--liberty: only with --target {LIBERTY}, not {target}")
    found = _compared(old, new, set_old, set_new)
    told = found.as_json()
    told["target"] = target
    sizes = _sizes(found, target, liberty) if target else ()
    told["sizes"] = [change._asdict() for change in sizes]
    if as_json:
        print_json(told)
        return
    kinds = [(name.replace("_", " "), getattr(found, name)) for name in _kinds(told)]
    rows = [
        (kind if not place else "", *_row(change))
        for kind, changes in (*kinds, (_measured_on(target), sizes))
        for place, change in enumerate(changes)
    ]
    title = f"{found.old.module} → {found.new.module}"
    show_table(title, rows or [("", "nothing differs", "", "", "")], HEADER)
    verdicts = [
        (name, "breaks" if told[key] else "still works")
        for key, name in BREAKS.items()
        if key in told
    ]
    show_table("made for OLD, used with NEW", verdicts)


def _compared(
    old: str, new: str, set_old: tuple[str, ...], set_new: tuple[str, ...]
) -> ConfigDiff | EngineDiff:
    """Both as macros, or both as engines. Raises InputError where they are of two kinds."""
    first, second = names_engine(old, set_old), names_engine(new, set_new)
    if first != second:
        engine, macro = (old, new) if first else (new, old)
        raise InputError(f"{engine} is an engine and {macro} a macro; compare two of one kind")
    if first:
        return EngineDiff(load_engine(old, set_old), load_engine(new, set_new))
    return ConfigDiff(load_config(old, set_old), load_config(new, set_new))


def _measured_on(target: str | None) -> str:
    """What the rows of sizes are called."""
    return "on the cell library" if target == LIBERTY else f"on {target}"


def _kinds(told: dict[str, Any]) -> list[str]:
    return [name for name, value in told.items() if isinstance(value, list) and name != "sizes"]


def _row(change: Change) -> tuple[str, str, str, str]:
    before, after = ("-" if each is None else _shown(each) for each in change[1:3])
    return change.what, before, after, "breaks" if change.breaks else ""


def _shown(value: Any) -> str:
    return f"{value:,}" if type(value) in (int, float) else str(value)


def _sizes(
    found: ConfigDiff | EngineDiff, target: str, liberty: tuple[str, ...]
) -> tuple[Change, ...]:
    """Sizes of both, measured. Raises InputError before anything is where one cannot be."""
    paths = find_libraries(liberty).paths if target == LIBERTY else ()
    both = (found.old, found.new)
    macros = [each.macro if isinstance(each, EngineConfig) else each for each in both]
    for macro in macros:
        check_storage(macro, target)
    if paths:
        latches = any(macro.storage_traits.control_ports for macro in macros)
        choose_cells(read_library(*paths), latches=latches)
    with steps("measuring") as announce:
        try:
            old, new = (_size(config, target, paths, announce) for config in both)
        except YosysError as error:
            raise CheckFailedError(error) from None
    names = [*old, *(name for name in new if name not in old)]
    return tuple(Change(name, old.get(name, 0), new.get(name, 0)) for name in names)


def _size(
    config: MacroConfig | EngineConfig, target: str, paths: tuple[Path, ...], announce: Announce
) -> Sizes:
    announce(f"measuring {config.module}")
    if isinstance(config, EngineConfig):
        folder = STORE / config.macro.module
        emit_macro(config.macro, folder, macro_extras(config.macro))
        top = build_engine_top(config)
        return _of_engine(
            measure_engine(config, top, folder, target, liberty=paths, announce=announce)
        )
    if target == LIBERTY:
        macro = measure_macro(config, paths, STORE, announce=announce)
        period = macro.why if macro.period is None else macro.period
        return {"area, µm²": round(macro.area, 1), "period, ns": period}
    return _of_luts(measure_luts(config, target, STORE, announce=announce))


def _of_luts(measured: MeasuredLuts) -> Sizes:
    area: Sizes = {f"area, {UNITS[measured.unit]}": measured.total, "flip-flops": measured.ffs}
    return {**area, **measured.ram_blocks, "period, ns": NO_PERIOD}


def _of_engine(area: EngineArea) -> Sizes:
    """Of its own blocks and of its macros; engines are not timed on a library."""
    unit = UNITS[area.unit]
    parts = {"engine alone": area.own, "macros": area.macros, "total": area.own + area.macros}
    sizes: Sizes = {f"{name}, {unit}": round(size, 1) for name, size in parts.items()}
    timing = area.macro.timing
    period = NO_PERIOD if timing is None else round(timing.period, 4)
    return {**sizes, **area.ram_blocks, "period of the macro, ns": period}
