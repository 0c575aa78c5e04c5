"""cimforge run: a quantised network, its products through the emitted Verilog."""

from pathlib import Path
from typing import Any

import click

from cimforge.compiler.importers.model_file import SUFFIXES
from cimforge.explore.cluster.cluster_place import HERE, ClusterPlace
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts.cluster_option import cluster_option
from cimforge.scripts.engine_line import engine_options
from cimforge.scripts.model_options import Asked, model_options
from cimforge.scripts.options import OutputPath, config_epilog, set_option, simulator_option
from cimforge.scripts.run_digits import Digits, run_digits
from cimforge.scripts.run_model import run_model
from cimforge.scripts.way import Way, network_options

__all__ = ["run"]

DIGITS = "digits"
MODELS = f"digits, which is trained first, or a {' or '.join(SUFFIXES)} file"


def _model(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """``digits`` or a file that is there."""
    if value == DIGITS:
        return value
    path = Path(value)
    if path.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"must be {MODELS}, not {value!r}")
    if not path.is_file():
        raise click.BadParameter(f"{value}: there is no such file")
    return value


@click.command(
    epilog=f"MODEL: {MODELS}. {config_epilog}",
    short_help="Run a whole quantised network on the Verilog.",
)
@click.argument("model", callback=_model, metavar="MODEL")
@click.option(
    "--config",
    metavar="CONFIG",
    default="base",
    show_default=True,
    help="The macro; of --backend soc and litex the engine, whose parameters are "
    "--set engine.KEY=VALUE.",
)
@set_option
@click.option(
    "--images",
    type=click.IntRange(1),
    metavar="N",
    help="Test images of digits; random items of a file without --input.  [default: 400; 1]",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Of the training, or of random items.",
)
@model_options
@cluster_option
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    help="Folder to write to.  [default: build/MODEL-NAME]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@engine_options
@network_options
@simulator_option
def run(
    model: str,
    config: str,
    overrides: tuple[str, ...],
    images: int | None,
    seed: int,
    output: Path | None,
    as_json: bool,
    linked: bool,
    ram: int | None,
    backend: str,
    port: str | None,
    baud: int | None,
    board: str | None,
    system_options: tuple[str, ...],
    simulator: str,
    cluster: ClusterPlace,
    **files: Any,
) -> None:
    """Run MODEL's inputs through the emitted Verilog and compare every value with the golden
    model's."""
    way = Way(backend, port, baud, board, simulator, system_options)
    if model == DIGITS:
        if cluster != HERE:
            raise InputError("--cluster: runs a network from a file, and digits brings its own")
        given = [name for name, value in files.items() if value not in (None, (), False, 1)]
        if given:
            raise InputError(
                f"--{given[0]}: is of a network from a file, and digits brings its own"
            )
        run_digits(Digits(config, overrides, images, seed, output, as_json, linked, ram, way))
        return
    if linked:
        raise InputError("--engine: runs digits alone; a file's products go to a macro, or to soc")
    told: dict[str, Any] = {"config": config, "overrides": overrides, "images": images, **files}
    told["cluster"] = cluster
    run_model(Asked(Path(model), way, **told, seed=seed, output=output, as_json=as_json))
