"""cimforge handover: a macro's views for the flows that take over."""

import shutil
import time
from pathlib import Path

import click

from cimforge.flow.handover.macro_views import HandoverReport, write_views
from cimforge.flow.handover.tech_lef import read_tech_lef
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import read_library
from cimforge.flow.liberty.library_path import Found, find_libraries
from cimforge.flow.synth.static_timing import STA, TimingError, check_timed
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_file import names_engine
from cimforge.hdl.params.errors import shown
from cimforge.scripts.clock_report import check_clock
from cimforge.scripts.options import (
    CheckFailedError,
    cell_option,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    show_table,
    steps,
)

__all__ = ["handover"]

CONTRACT = ("name", "folder", "files", "ports", "min_period_ns", "area_um2", "estimated", "notes")


@click.command(epilog=config_epilog, short_help="Write LEF, Liberty, SDC and more for other flows.")
@config_options
@click.option(
    "--liberty",
    multiple=True,
    metavar="FILE",
    help="Cell library (.lib, .lib.gz), or a part of the name of one below PDK_ROOT, for the "
    "Liberty abstract and the areas; repeatable. Needs OpenSTA.  [default: none, and no abstract]",
)
@cell_option
@click.option(
    "--lef",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Technology LEF: its layers and tracks for the pins.  [default: made-up ones]",
)
@click.option(
    "--clock",
    metavar="NS",
    type=float,
    callback=check_clock,
    help="Clock period of the constraints.  [default: 10]",
)
def handover(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    liberty: tuple[str, ...],
    cells: dict[str, str],
    lef: Path | None,
    clock: float | None,
) -> None:
    """Write the views of CONFIG for the flows that take over, to the folder handover of the
    output: LEF, Liberty abstract, black box, SDC, UPF, scan notes, LibreLane and OpenROAD
    settings."""
    started = time.perf_counter()
    if names_engine(config, overrides):
        raise InputError(f"{shown(config)} is an engine; views are of its macro, a configuration")
    macro = load_config(config, overrides)
    if cells and not liberty:
        raise InputError("--cell: only with --liberty FILE")
    tech = read_tech_lef(lef) if lef else None
    found = Found(())
    if liberty:
        check_storage(macro, LIBERTY, "--liberty")
        found = find_libraries(liberty)
        library = read_library(*found.paths)
        check_timed(library)
        choose_cells(library, cells, latches=bool(macro.storage_traits.control_ports))
        if shutil.which(STA) is None:
            way = "install OpenSTA (Debian: apt install opensta), or leave --liberty out"
            raise InputError(f"--liberty: the abstract needs {STA}, not on PATH; {way}")
    folder = default_folder(output, macro)
    with steps(f"handing over {macro.module}") as announce:
        try:
            emit_macro(macro, folder)
            report = write_views(
                macro,
                folder,
                liberty=found.paths,
                overrides=cells,
                tech=tech,
                clock=clock,
                announce=announce,
            )
        except (TimingError, YosysError) as error:
            if as_json:
                print_json({**dict.fromkeys(CONTRACT), "failed": str(error)})
            raise CheckFailedError(error) from None
    if as_json:
        facts = report.as_json()
        print_json({**facts, "notes": [*found.notes, *facts["notes"]]})
    else:
        _show(report, found, time.perf_counter() - started)


def _show(report: HandoverReport, found: Found, seconds: float) -> None:
    show_table(report.name, [*report.files.items()], ("file", "what it is"))
    outline, arcs = report.outline, report.arcs
    origin = "estimated" if outline.estimated else "of a layout"
    facts = [
        ("ports", f"{report.ports}, the same in every view"),
        ("outline", f"{outline.width:,.2f} x {outline.height:,.2f} µm, {origin}"),
    ]
    if report.area is not None:
        facts.append(("cells", f"{report.area:,.1f} µm²"))
    if report.leakage is not None:
        facts.append(("leakage", f"{report.leakage:,.1f} nW"))
    if arcs:
        checks = sum(map(len, arcs.checks.values()))
        delays = sum(map(len, arcs.delays.values()))
        facts.append(("arcs", f"{checks} setup and hold, {delays} delays"))
        facts.append(("shortest period inside", f"{arcs.period:.3f} ns"))
    facts += [("clock of the constraints", f"{report.clock:g} ns")]
    facts += [("note", note) for note in (*found.notes, *report.notes)]
    facts += [("time", f"{seconds:.1f} s")]
    show_table("", facts, below=[("written to", report.folder)])
