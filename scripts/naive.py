"""cimforge naive: the naive macro of a configuration, which figures are compared with."""

from pathlib import Path

import click

from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.naive.naive_synth import synth_naive, write_naive
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.scripts.options import (
    CheckFailedError,
    config_options,
    default_folder,
    liberty_option,
    print_json,
    steps,
)

__all__ = ["naive"]


@click.command(short_help="Write and measure the naive macro.")
@config_options
@click.option("--target", type=click.Choice([*TARGETS, LIBERTY]), help="Synthesise for it.")
@liberty_option
def naive(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    target: str | None,
    liberty: tuple[str, ...],
) -> None:
    """Write the naive macro of CONFIG, one module of ports and cycles like the generated one's, for
    ``cimforge verify CONFIG --sources FILE``; with --target, measure it as ``synth`` does."""
    macro = load_config(config, overrides)
    folder = default_folder(output, macro) / "naive"
    if target is None:
        path = write_naive(macro, folder)
        if as_json:
            print_json({"top": macro.module, "source": str(path)})
        else:
            click.echo(path)
        return
    if liberty and target != LIBERTY:
        raise InputError(f"--liberty: only with --target {LIBERTY}, not {target}")
    paths = find_libraries(liberty).paths if target == LIBERTY else ()
    with steps(f"synthesising a naive {macro.module}") as announce:
        try:
            report = synth_naive(macro, folder, target, liberty=paths, announce=announce)
        except YosysError as error:
            raise CheckFailedError(error) from None
    if as_json:
        print_json(report.as_json())
    else:
        period = f", {report.timing.period:.2f} ns" if report.timing else ""
        size = f"{report.total:,.0f} {report.unit}, {report.per_1b_mac:.2f} per 1b-MAC"
        click.echo(f"{macro.module}, naive: {size}{period}")
