"""cimforge export: a macro as other tools' cost models read it."""

from collections.abc import Callable
from pathlib import Path

import click

from cimforge.compiler.energy.constants import DEFAULT, load_constants
from cimforge.compiler.export.accelforge_file import accelforge_text
from cimforge.compiler.export.cim_tuner_file import cim_tuner_numbers, cim_tuner_text
from cimforge.compiler.export.exported_macro import ExportedMacro
from cimforge.compiler.export.zigzag_file import (
    zigzag_imc_text,
    zigzag_mapping_text,
    zigzag_text,
)
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.measured_macro import MeasuredMacro, measure_macro
from cimforge.flow.power.toggle_run import check_icarus
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import listing, open_outputs
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, canonical_command, load_config
from cimforge.scripts.network_energy import MEASURED, energy_of_macro, measured_energy
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    liberty_option,
    print_json,
    show_table,
    steps,
)

__all__ = ["export"]

STORE = Path(BUILD) / "measured"
Files = dict[str, str]


def _zigzag(macro: ExportedMacro, command: str, notes: list[str]) -> Files:
    name = macro.config.module
    files = {
        f"{name}_zigzag.yaml": zigzag_text(macro, command),
        f"{name}_zigzag_mapping.yaml": zigzag_mapping_text(),
    }
    try:
        files[f"{name}_zigzag_imc.yaml"] = zigzag_imc_text(macro, command)
    except ValueError as error:
        notes.append(f"no file for ZigZag-IMC: {error}")
    return files


def _accelforge(macro: ExportedMacro, command: str, notes: list[str]) -> Files:
    return {f"{macro.config.module}_accelforge.yaml": accelforge_text(macro, command)}


def _cim_tuner(macro: ExportedMacro, command: str, notes: list[str]) -> Files:
    return {f"{macro.config.module}_cim_tuner.cfg": cim_tuner_text(macro, command)}


FORMATS: dict[str, Callable[[ExportedMacro, str, list[str]], Files]] = {
    "zigzag": _zigzag,
    "accelforge": _accelforge,
    "cim-tuner": _cim_tuner,
}


@click.command(epilog=config_epilog, short_help="Write a macro for ZigZag, AccelForge, CIM-Tuner.")
@click.argument("tool", type=click.Choice(list(FORMATS)), metavar="|".join(FORMATS))
@config_options
@liberty_option
@click.option(
    "--macro-energy",
    metavar="FJ",
    help=f"fJ a 1b-MAC, as cimforge power tells it; or {MEASURED}: measured here, with --liberty.",
)
@click.option(
    "--energy",
    "table",
    metavar="FILE",
    default=DEFAULT,
    show_default=True,
    help="Constants of the memory above: survey, horowitz, or a TOML file.",
)
@click.option("--constant", "changes", metavar="KEY=VALUE", multiple=True, help="Change one.")
def export(
    tool: str,
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    liberty: tuple[str, ...],
    macro_energy: str | None,
    table: str,
    changes: tuple[str, ...],
) -> None:
    """Write CONFIG as a cost model reads it. Area and clock are measured on --liberty, energy is
    measured or given with --macro-energy; what is not is said to be absent."""
    macro = load_config(config, overrides)
    constants = load_constants(table, changes)
    _check(macro, liberty, macro_energy)
    measured = _measure(macro, liberty) if liberty else None
    fj, source = _energy(macro, liberty, macro_energy)
    told = ExportedMacro(
        macro,
        None if measured is None else measured.area,
        None if measured is None else measured.period,
        fj,
        constants,
        "" if measured is None else measured.library,
        source,
    )
    notes = [measured.why] if measured and measured.why else []
    texts = FORMATS[tool](told, _command(tool, macro), notes)
    folder = output or Path(BUILD) / f"{macro.module}-{tool}"
    title = f"{macro.module}-{tool}"
    with open_outputs(folder, title) as outputs:
        outputs.write(texts, {"name": title, "files": listing(texts)})
    paths = [str(folder / name) for name in texts]
    numbers = cim_tuner_numbers(told)
    if as_json:
        facts = {"tool": tool, "files": paths, "notes": notes, "numbers": numbers}
        print_json({**told.as_json(), **facts})
    else:
        _show(told, tool, paths, notes, numbers)


def _check(macro: MacroConfig, liberty: tuple[str, ...], text: str | None) -> None:
    """Raise InputError before anything runs."""
    if macro.binary:
        raise InputError("export: inputs and weights of -1 and 1 have no place in these models")
    if text == MEASURED and not liberty:
        raise InputError(f"--macro-energy {MEASURED}: needs --liberty beside it")
    if text not in (None, MEASURED):
        energy_of_macro(text)
    if not liberty:
        return
    check_storage(macro, LIBERTY)
    if macro.storage_traits.memory:
        raise InputError(f"--liberty: the RAMs of storage {macro.storage} are not measured")
    find_libraries(liberty)
    if text == MEASURED:
        check_icarus()


def _measure(macro: MacroConfig, liberty: tuple[str, ...]) -> MeasuredMacro:
    with steps(f"measuring {macro.module}") as announce:
        try:
            return measure_macro(macro, find_libraries(liberty).paths, STORE, announce=announce)
        except YosysError as error:
            raise CheckFailedError(error) from None


def _energy(
    macro: MacroConfig, liberty: tuple[str, ...], text: str | None
) -> tuple[float | None, str]:
    if text is None:
        return None, ""
    if text == MEASURED:
        return measured_energy(macro, liberty), "measured on uniform data, leakage included"
    return energy_of_macro(text), "given"


def _command(tool: str, macro: MacroConfig) -> str:
    """The shortest command that exports the macro, libraries and energies left out."""
    return canonical_command(macro).replace("cimforge generate", f"cimforge export {tool}", 1)


def _show(
    told: ExportedMacro, tool: str, paths: list[str], notes: list[str], numbers: dict[str, int]
) -> None:
    rows = [(name.replace("_", " "), f"{value:,}") for name, value in numbers.items()]
    rows += [("cycles a vector", str(told.cycles))]
    rows += [("area", "absent" if told.area is None else f"{told.area:,.0f} µm²")]
    rows += [("clock period", "absent" if told.period is None else f"{told.period:.3f} ns")]
    rows += [("energy", "absent" if told.fj is None else f"{told.fj:.4g} fJ a 1b-MAC")]
    rows += [("note", note) for note in notes]
    show_table(f"{told.config.module} for {tool}", rows, below=[("file", path) for path in paths])
