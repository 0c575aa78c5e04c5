"""cimforge synth: area or LUTs of a macro, by role."""

from pathlib import Path

import click

from cimforge.flow.liberty.library_path import Found, find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.synth.ram_file import RamFile, read_ram
from cimforge.flow.synth.ram_wrapper import assign_pins
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.synth_report import SynthReport, synth_macro
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import LOG, YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_file import load_engine, names_engine
from cimforge.hdl.params.errors import shown
from cimforge.hdl.params.storage import STORAGE
from cimforge.scripts.clock_report import check_clock, check_search, run_search
from cimforge.scripts.engine_synth import synth_engine
from cimforge.scripts.options import (
    CheckFailedError,
    cell_option,
    config_epilog,
    config_options,
    default_folder,
    liberty_option,
    print_json,
    show_table,
    steps,
)

__all__ = ["synth"]

DEFAULT_TARGET = "generic"

CONTRACT = (
    *("target", "macs_1b", "total", "unit", "ffs", "per_1b_mac", "breakdown", "adders", "cells"),
    *("min_period_ns", "tops", "tops_per_mm2", "seconds"),
)


def _sram_pins(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Parse ``PIN=ROLE``."""
    pairs = [value.partition("=") for value in values]
    for (pin, _, role), value in zip(pairs, values, strict=True):
        if not pin or not role:
            example = "must be PIN=ROLE, for example CEN=!enable"
            raise click.BadParameter(f"{example}, not {shown(value)}")
    return {pin.strip(): role.strip() for pin, _, role in pairs}


def _check_sram(
    macro: MacroConfig, target: str, sram: Path | None, pins: dict[str, str]
) -> RamFile | None:
    """The RAM of --sram; InputError where the macro has no RAMs, or nothing counts in um2."""
    if sram is None:
        if pins:
            raise InputError("--sram-pin: only with --sram FILE")
        return None
    if target != LIBERTY:
        raise InputError(f"--sram: only with --target {LIBERTY}, not {target}")
    if not macro.storage_traits.memory:
        styles = " or ".join(name for name, traits in STORAGE.items() if traits.memory)
        rule = f"storage {macro.storage} has no RAMs"
        raise InputError(f"--sram: {rule} (nearest legal value: --set storage={styles})")
    ram = read_ram(sram)
    assign_pins(macro, ram, pins)  # refuse before anything is written
    return ram


@click.command(epilog=config_epilog, short_help="Measure area or LUTs, by role.")
@config_options
@click.option(
    "--target",
    type=click.Choice([*TARGETS, LIBERTY]),
    help="What to synthesise for.  [default: generic, of RAM blocks their FPGA, with --clock "
    "liberty]",
)
@click.option(
    "--clock",
    metavar="NS",
    type=float,
    callback=check_clock,
    help="Search ranks, adders and accumulator for this clock period: the least area that reaches "
    "it on a library, as a configuration for generate.",
)
@liberty_option
@cell_option
@click.option(
    "--sram",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="LEF or Liberty file of one RAM: its area counts, and sram_wrapper.v puts it in.",
)
@click.option(
    "--sram-pin",
    "sram_pins",
    metavar="PIN=ROLE",
    multiple=True,
    callback=_sram_pins,
    help="What a pin of that RAM does, where its name does not tell: clk, write, !write, 0, …; "
    "repeatable.",
)
@click.option("--flatten", is_flag=True, help="One module, for comparison; no split by role.")
def synth(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    target: str | None,
    clock: float | None,
    liberty: tuple[str, ...],
    cells: dict[str, str],
    sram: Path | None,
    sram_pins: dict[str, str],
    flatten: bool,
) -> None:
    """Synthesise CONFIG and count its cells: each distinct block once, times its instances. Of an
    engine (cimforge engine) its parts are told beside its macro."""
    if names_engine(config, overrides):
        refused = {"--clock": clock, "--cell": cells, "--sram": sram, "--flatten": flatten}
        for option, given in refused.items():
            if given:
                raise InputError(f"{option}: only for a macro, not for the engine {shown(config)}")
        own = load_engine(config, overrides)
        synth_engine(own, output, target or own.macro.ram or DEFAULT_TARGET, liberty, as_json)
        return
    macro = load_config(config, overrides)
    target = target or (macro.ram or DEFAULT_TARGET if clock is None else LIBERTY)
    check_storage(macro, target, "" if clock is None else "--clock")
    if clock is not None:
        check_search(target, flatten, sram)
    if target != LIBERTY and (liberty or cells):
        option = "--liberty" if liberty else "--cell"
        raise InputError(f"{option}: only with --target {LIBERTY}, not {target}")
    ram = _check_sram(macro, target, sram, sram_pins)
    found = find_libraries(liberty) if target == LIBERTY else Found(())
    folder = default_folder(output, macro)
    if clock is not None:
        run_search(macro, clock, folder, found, cells, as_json)
        return
    with steps(f"synthesising {macro.module}") as announce:
        try:
            emit_macro(macro, folder, macro_extras(macro))
            report = synth_macro(
                macro,
                folder,
                target,
                liberty=found.paths,
                overrides=cells,
                flatten=flatten,
                ram=ram,
                ram_pins=sram_pins,
                announce=announce,
            )
        except YosysError as error:
            if as_json:
                facts = {"target": target, "macs_1b": macro.macs_1b, "failed": str(error)}
                print_json({**dict.fromkeys(CONTRACT), **facts})
            raise CheckFailedError(error) from None
    report.notes[:0] = found.notes
    if as_json:
        print_json(report.as_json())
    else:
        _show(report)


def _show(report: SynthReport) -> None:
    unit = {"um2": "µm²", "luts": "LUTs", "cells": "cells"}[report.unit]
    macs = report.config.macs_1b
    rows = [
        (role, f"{size:,.0f}", f"{size / max(report.total, 1e-9):.1%}", f"{size / macs:.3f}")
        for role, size in report.breakdown.items()
    ]
    total = (f"{report.total:,.0f}", "100.0%", f"{report.per_1b_mac:.3f}")
    show_table(
        f"{report.config.module} on {report.target}",
        [*rows, ("total", *total)],
        ("role", unit, "share", f"{unit} per 1b-MAC"),
    )
    adders = f"{report.adders['fa']:,} full, {report.adders['ha']:,} half"
    facts = [("flip-flops", f"{report.ffs:,}"), ("adders of the trees", adders)]
    facts += [("register ranks of the trees", str(report.config.pipeline_stages))]
    if report.cells:
        facts += [("cells", "\n".join(f"{role}: {name}" for role, name in report.cells.items()))]
        facts += [("drivers of broadcast nets", f"{report.drivers:,}")]
    if report.ram and report.ram["cell"]:
        facts += [("RAMs", f"{report.ram['instances']} {report.ram['cell']}")]
        facts += [("RAM pins", "\n".join(f"{p}: {r}" for p, r in report.ram["pins"].items()))]
    for kind, count in report.ram_blocks.items():
        facts += [(f"{kind} (RAM)", f"{count:,}")]
    if report.ram:
        total, unused = report.ram["total_bits"], report.ram["unused_bits"]
        facts += [("bits of RAM, unused", f"{total:,}, {unused:,}")]
    facts += [("note", note) for note in report.notes]
    if report.timing:
        path = " → ".join(f"{s.block} {s.delay:.2f} ({s.cells})" for s in report.timing.path)
        wires = f"wire loads {report.timing.wires}" if report.timing.wires else "wires not counted"
        facts += [("shortest clock period", f"{report.timing.period:.2f} ns, {wires}")]
        facts += [("critical path, ns (cells)", path)]
        rate = f"{report.tops:.2f} TOPS, {report.tops_per_mm2:.1f} TOPS/mm² of cells"
        facts += [("binary, at that period", f"{rate}; int8: by 64")]
    facts += [("time", f"{report.seconds:.1f} s")]
    below: list[tuple[str, object]] = [("netlist", report.folder / "netlist.v")]
    below += [("log", report.folder / LOG), *(("library", path) for path in report.libraries)]
    show_table("", facts, below=below)
