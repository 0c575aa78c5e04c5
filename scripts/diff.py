"""cimforge diff: what changes where one macro takes another's place."""

from pathlib import Path
from typing import Any

import click

from cimforge.flow.config_diff import Change, ConfigDiff
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.measured_macro import MeasuredMacro, measure_macro
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.params.config_file import load_config
from cimforge.scripts.options import config_epilog, liberty_option, print_json, show_table, steps

__all__ = ["diff"]

STORE = Path(BUILD) / "measured"
HEADER = ("", "what", "before", "after", "")


def _sets(name: str, whose: str) -> Any:
    return click.option(
        name, multiple=True, metavar="KEY=VALUE", help=f"Change a parameter of {whose}; repeatable."
    )


@click.command(epilog=config_epilog, short_help="What differs between two macros.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@_sets("--set-old", "OLD")
@_sets("--set-new", "NEW")
@liberty_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def diff(
    old: str,
    new: str,
    set_old: tuple[str, ...],
    set_new: tuple[str, ...],
    liberty: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare the macros of two configurations: parameters, ports, registers behind a bus, cycles;
    with --liberty area and period too. It says whether connections and software made for OLD work
    with NEW."""
    found = ConfigDiff(load_config(old, set_old), load_config(new, set_new))
    told = found.as_json()
    sizes = _sizes(found, liberty) if liberty else ()
    told["sizes"] = [change._asdict() for change in sizes]
    if as_json:
        print_json(told)
        return
    rows = [
        (kind if not place else "", *_row(change))
        for kind, changes in (
            ("parameters", found.parameters),
            ("ports", found.ports),
            ("registers", found.registers),
            ("cycles", found.cycles),
            ("library", sizes),
        )
        for place, change in enumerate(changes)
    ]
    title = f"{found.old.module} → {found.new.module}"
    show_table(title, rows or [("", "nothing differs", "", "", "")], HEADER)
    breaks = {"breaks_connections": "connections", "breaks_software": "compiled software"}
    verdicts = [(name, "breaks" if told[key] else "goes on") for key, name in breaks.items()]
    show_table("made for OLD, with NEW", verdicts)


def _row(change: Change) -> tuple[str, str, str, str]:
    before, after = ("-" if each is None else str(each) for each in (change.before, change.after))
    return change.what, before, after, "breaks" if change.breaks else ""


def _sizes(found: ConfigDiff, liberty: tuple[str, ...]) -> tuple[Change, ...]:
    """Area and period of both, measured."""
    libraries = find_libraries(liberty)
    measured: list[MeasuredMacro] = []
    with steps("measuring") as announce:
        for config in (found.old, found.new):
            check_storage(config, LIBERTY)
            announce(f"measuring {config.module}")
            measured.append(measure_macro(config, libraries.paths, STORE, announce=announce))
    old, new = measured
    areas = Change("area, µm²", round(old.area, 1), round(new.area, 1))
    return areas, Change("period, ns", old.period or old.why, new.period or new.why)
