"""cimforge energy: what a network moves and takes on macros, beside a von Neumann machine."""

from collections.abc import Sequence
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import Any

import click

from cimforge.compiler.energy.constants import DEFAULT, EnergyConstants, load_constants
from cimforge.compiler.energy.movement import DESIGNS, LayerEnergy, layer_energies, summed
from cimforge.compiler.graph.graph import GraphError
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.power.power_report import measure_power
from cimforge.flow.power.toggle_run import WrongResultsError, check_icarus
from cimforge.flow.power.workload import drawn_workload
from cimforge.flow.simulate.bounded_run import CommandError
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import (
    CheckFailedError,
    OutputPath,
    config_epilog,
    liberty_option,
    print_json,
    set_option,
    show_table,
    simulation_progress,
)

__all__ = ["energy", "energy_of_macro", "measured_energy"]

MEASURED = "measured"
ENERGIES = ("in all", "computing", "moving")
DATA, VECTORS, SEED = "uniform", 100, 0
EXAMPLE = "53.03, what base in latches takes on SG13G2"


@click.command(
    epilog=f"MODEL: a .tflite or .onnx file. {config_epilog}",
    short_help="Count a network's data movement and energy, layer by layer.",
)
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
@click.option("--config", metavar="CONFIG", default="base", show_default=True, help="The macro.")
@set_option
@click.option(
    "--macros", type=click.IntRange(1, 4096), metavar="N", default=1, show_default=True,
    help="How many of it, side by side.",
)  # fmt: skip
@click.option(
    "--items", type=click.IntRange(1, 4096), metavar="N", default=1, show_default=True,
    help="Items that pass the network; where they stay apart, on weights that are loaded once.",
)  # fmt: skip
@click.option(
    "--resident",
    is_flag=True,
    help="Weights are in the macros, and in the other machine's SRAM, before; all must fit.",
)
@click.option(
    "--macro-energy",
    metavar="FJ",
    help=f"fJ a 1b-MAC, as cimforge power tells it; or {MEASURED}: measured here, with --liberty.",
)
@liberty_option
@click.option(
    "--energy",
    "table",
    metavar="FILE",
    default=DEFAULT,
    show_default=True,
    help="Constants of memories and of the von Neumann machine: survey, horowitz, or a TOML file.",
)
@click.option("--constant", "changes", metavar="KEY=VALUE", multiple=True, help="Change one.")
@click.option("-o", "--output", type=OutputPath(".svg"), help="Picture to write, .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def energy(
    model: Path,
    config: str,
    overrides: tuple[str, ...],
    macros: int,
    items: int,
    resident: bool,
    macro_energy: str | None,
    liberty: tuple[str, ...],
    table: str,
    changes: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Count what each product of MODEL moves at each level of memory and the energy that takes, on
    macros and, for the same multiply-accumulates, on a von Neumann machine."""
    macro = load_config(config, overrides)
    constants = load_constants(table, changes)
    given = _check_energy(macro, macro_energy, liberty)
    if output:
        _needs_matplotlib()
    from cimforge.compiler.importers.model_file import import_model

    try:
        graph = import_model(model)
        fj = given if given is not None else measured_energy(macro, liberty)
        layers = layer_energies(graph, macro, constants, fj, macros, items, resident)
    except GraphError as error:
        raise InputError(str(error)) from None
    except ValueError as error:
        raise InputError(f"--config: {error}") from None
    if not layers:
        raise InputError(f"{model}: has no matrix product or convolution")
    if output:
        _draw(output, layers, model.name, _told(macro, macros, items, fj, resident))
    if as_json:
        told = _as_json(layers, macro, macros, items, fj, constants)
        print_json({"resident": resident, **told})
    else:
        _show(layers, model, _told(macro, macros, items, fj, resident), constants, output)


def energy_of_macro(text: str, option: str = "--macro-energy") -> float:
    """fJ a 1b-MAC that a user gives. Raises InputError where it is no such number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and value >= 0):
        rule = f"must be fJ a 1b-MAC, at least 0, or {MEASURED}"
        raise InputError(f"{option}: {rule}, not {text!r}")
    return value


def _check_energy(macro: MacroConfig, text: str | None, liberty: tuple[str, ...]) -> float | None:
    """The energy that is given; None where it is to be measured, which then can be."""
    if text is None:
        raise InputError(f"--macro-energy: must be given, fJ a 1b-MAC (for example {EXAMPLE})")
    if text != MEASURED:
        if liberty:
            raise InputError(f"--liberty: only with --macro-energy {MEASURED}")
        return energy_of_macro(text)
    check_storage(macro, LIBERTY)
    if macro.storage_traits.memory:
        raise InputError(f"--macro-energy {MEASURED}: RAMs of storage {macro.storage} have none")
    check_icarus()
    find_libraries(liberty)
    return None


def measured_energy(macro: MacroConfig, liberty: tuple[str, ...]) -> float:
    """fJ a 1b-MAC, leakage at that clock included, of uniform data, as cimforge power measures
    it. Raises InputError and CheckFailedError as that does."""
    folder = Path(BUILD) / macro.module
    workload = drawn_workload(macro, DATA, VECTORS, SEED)
    with simulation_progress() as (announce, progress):
        try:
            emit_macro(macro, folder, macro_extras(macro))
            report = measure_power(
                macro,
                folder,
                workload,
                liberty=find_libraries(liberty).paths,
                announce=announce,
                progress=progress,
            )
        except (YosysError, CommandError, WrongResultsError) as error:
            raise CheckFailedError(error) from None
    return report.per_mac + report.leakage_per_mac


def _needs_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        hint = install_hint("networks")
        raise InputError(f"-o: needs {error.name}; run {hint}") from None


def _draw(path: Path, layers: Sequence[LayerEnergy], name: str, told: str) -> None:
    from cimforge.compiler.energy.energy_picture import draw_energies

    drawing = BytesIO()
    draw_energies(drawing, layers, f"{name}: data movement and energy", told)
    write_file(path, drawing.getvalue())


def _told(macro: MacroConfig, macros: int, items: int, fj: float, resident: bool) -> str:
    many = f"{macros} macros" if macros > 1 else "one macro"
    of = f"{items} items" if items > 1 else "one item"
    kept = ", weights resident" if resident else ""
    return f"{of} on {many} {macro.module} at {fj:.4g} fJ a 1b-MAC{kept}"


def _as_json(
    layers: Sequence[LayerEnergy],
    macro: MacroConfig,
    macros: int,
    items: int,
    fj: float,
    constants: EnergyConstants,
) -> dict[str, Any]:
    totals = {name: summed([getattr(each, name) for each in layers]) for name in DESIGNS}
    here, there = totals.values()
    return {
        "macro": macro.module,
        "macros": macros,
        "items": items,
        "fj_per_1b_mac": round(fj, 4),
        "constants": constants.as_json(),
        "macs": sum(layer.plan.macs for layer in layers),
        "layers": [layer.as_json() for layer in layers],
        **{name: total.as_json() for name, total in totals.items()},
        "ratio": round(there.total_pj / max(here.total_pj, 1e-30), 4),
    }


def _show(
    layers: Sequence[LayerEnergy],
    model: Path,
    told: str,
    constants: EnergyConstants,
    output: Path | None,
) -> None:
    here, there = (summed([getattr(each, name) for each in layers]) for name in DESIGNS)
    every = [*enumerate(layers), (-1, LayerEnergy(layers[0].plan, here, there))]
    named = [(each.label(place) if place >= 0 else "all", each) for place, each in every]
    show_table(
        f"{model.name}: {told}",
        [(name, *_moved(each, name != "all")) for name, each in named],
        ("bytes moved", "MACs", "used", "DRAM", "SRAM", "into macros", "v.N. DRAM", "v.N. SRAM"),
    )
    header = ("energy, µJ", *ENERGIES, *(f"v.N. {name}" for name in ENERGIES), "times less")
    show_table("", [(name, *_energies(each)) for name, each in named], header)
    below: list[tuple[str, object]] = [("picture", output)] if output else []
    show_table("", [("constants", constants.source)], below=below)


def _moved(layer: LayerEnergy, alone: bool) -> tuple[str, ...]:
    """What a layer moves; of all together neither size nor use is one number."""
    plan, here, there = layer.plan, layer.macros, layer.von_neumann
    sizes = (f"{plan.macs:,}", f"{plan.utilisation:.0%}") if alone else ("", "")
    moved = (here.dram, here.sram, here.macro, there.dram, there.sram)
    return (*sizes, *map(_bytes, moved))


def _energies(layer: LayerEnergy) -> tuple[str, ...]:
    cells: list[str] = []
    for each in (layer.macros, layer.von_neumann):
        cells += [f"{each.total_pj * 1e-6:,.4g}", f"{each.compute_pj * 1e-6:,.4g}"]
        cells += [f"{each.share:.1%}"]
    return (*cells, f"{layer.ratio:,.3g}")


def _bytes(count: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:,.3g} {unit}"
    return f"{count:,.0f} B"
