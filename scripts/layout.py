"""cimforge layout: a macro placed and routed in an open technology, checked and timed."""

import shlex
from pathlib import Path

import click

from cimforge.flow.layout.lay_out import lay_out
from cimforge.flow.layout.layout_report import CONTRACT, LayoutReport
from cimforge.flow.layout.technology import TECHNOLOGIES, check_tools
from cimforge.flow.layout.tool_run import ToolError
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import canonical_command, load_config
from cimforge.scripts.library_macro import check_library_macro
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    show_table,
    steps,
)

__all__ = ["layout"]


@click.command(epilog=config_epilog, short_help="Place and route in an open technology.")
@config_options
@click.option(
    "--technology",
    type=click.Choice(list(TECHNOLOGIES)),
    default=next(iter(TECHNOLOGIES)),
    show_default=True,
    help="Cells and rules of the layout.",
)
def layout(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    technology: str,
) -> None:
    """Map CONFIG to cells, place and route them, and compare the layout with the netlist; area with
    wires, clock period with their loads, a picture."""
    macro = load_config(config, overrides)
    check_library_macro(macro, "layout", "holds")
    chosen = TECHNOLOGIES[technology]
    check_tools(chosen)
    folder = default_folder(output, macro)
    with steps(f"laying out {macro.module}") as announce:
        try:
            emit_macro(macro, folder, macro_extras(macro))
            report = lay_out(macro, folder, chosen, announce)
        except (YosysError, ToolError) as error:
            if as_json:
                print_json({**dict.fromkeys(CONTRACT), "failed": str(error)})
            raise CheckFailedError(error) from None
    if as_json:
        print_json(report.as_json())
    else:
        _show(report)
    if report.failures:
        raise CheckFailedError("; ".join(report.failures))


def _show(report: LayoutReport) -> None:
    told = report.as_json()
    width, height = told["die_um"]
    area = [
        ("cells, before the layout", f"{told['estimate_um2']:,.0f}", ""),
        ("cells placed", f"{told['cell_um2']:,.0f}", f"{_more(report, 'cell_um2')}"),
        ("rows with fillers", f"{told['row_um2']:,.0f}", f"{_more(report, 'row_um2')}"),
        ("die with pins", f"{told['die_um2']:,.0f}", f"{_more(report, 'die_um2')}"),
    ]
    show_table(f"{report.config.module} in {told['technology']}", area, ("area", "um2", ""))
    period = [(name, _ns(told[key])) for name, key in PERIODS.items()]
    layers = ", ".join(f"{name} {um:,.0f}" for name, um in told["wire_um_by_layer"].items())
    rules = told["broken_rules"]
    broken = ", ".join(f"{rule}: {places}" for rule, places in rules.items())
    facts = [
        ("die", f"{width:g} x {height:g} um, {told['utilisation']:.0%} of it cells"),
        ("cells", f"{told['cells']:,} and {told['fillers']:,} fillers"),
        (
            "nets",
            f"{told['nets']:,}, {told['unrouted'] or 'all routed'}"
            + (" without a route" if told["unrouted"] else ""),
        ),
        ("density", f"{told['density']:g}, {told['tries']} tried"),
        ("wires", f"{told['wire_um'] / 1000:.1f} mm ({layers} um), {told['wire_ff']:,.0f} fF"),
        ("vias", f"{told['vias']:,}"),
        ("layout against netlist", told["lvs"]),
        (
            "design rules",
            broken or f"none broken ({told['metal_patches']} small pieces of metal made longer)",
        ),
        *period,
        *(("note", note) for note in report.notes),
        ("time", ", ".join(f"{name} {s:.1f} s" for name, s in report.seconds.items())),
    ]
    show_table("", facts, below=[*report.files.items(), ("regression", _regression(report))])


PERIODS = {
    "clock period, before the layout": "estimate_period_ns",
    "with the wires' loads": "min_period_ns",
}


def _more(report: LayoutReport, key: str) -> str:
    """How much more an area is than the estimate."""
    told = report.as_json()
    return f"{told[key] / told['estimate_um2'] - 1:+.1%}" if told["estimate_um2"] else ""


def _ns(period: float | None) -> str:
    return (
        "not known: needs OpenSTA (Debian: apt install opensta)"
        if period is None
        else (f"{period:.3f} ns")
    )


def _regression(report: LayoutReport) -> str:
    """The command that checks the routed netlist against golden, as it is typed."""
    program, _, *chosen = shlex.split(canonical_command(report.config))
    files = report.files
    cells = ["--sources", str(files["netlist"]), "--models", str(files["models"])]
    return shlex.join([program, "verify", *chosen, *cells])
