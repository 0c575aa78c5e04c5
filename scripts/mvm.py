"""cimforge mvm: the user's own integers through the emitted Verilog."""

import re
from pathlib import Path
from typing import Any

import click
import numpy as np

from cimforge.compiler.backends.rtl import RtlBackend, SimulationError
from cimforge.compiler.backends.serial_port import SerialBackend
from cimforge.compiler.map.golden_jobs import GoldenJobs
from cimforge.compiler.npy import load_array, npy_bytes
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.precision import Precision
from cimforge.compiler.tiling import Job, make_job
from cimforge.flow.simulate.simulator import BuildError
from cimforge.golden.cycles import result_interval
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.errors import shown
from cimforge.host.driver import BusError, LinkError
from cimforge.scripts.options import (
    CheckFailedError,
    OutputPath,
    config_epilog,
    default_folder,
    print_json,
    set_option,
    show_table,
    simulation_progress,
    simulator_option,
)
from cimforge.scripts.way import Way, link_rows, way_options

__all__ = ["mvm"]

MOST_MHZ = 100_000
FIRST_MHZ = 100.0
Runner = RtlBackend | SerialBackend | PlayerBackend | GoldenJobs
NPY = click.Path(dir_okay=False, path_type=Path)


def _precision(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Precision | None:
    """Parse ``s8`` or ``u4``."""
    if value is None:
        return None
    if not re.fullmatch("[su]([1-9]|1[0-6])", value):
        raise click.BadParameter(
            f"must be s or u and 1..16 bits, for example s8, not {shown(value)}"
        )
    return Precision(int(value[1:]), value[0] == "s")


def _clock(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value <= MOST_MHZ:
        raise click.BadParameter(f"must be above 0 and at most {MOST_MHZ:,} MHz, not {value:g}")
    return value


@click.command(epilog=config_epilog, short_help="Multiply your integers on the Verilog.")
@click.argument("config", metavar="CONFIG")
@set_option
@click.option("--weights", required=True, type=NPY, help="w.npy: integers (K, N).")
@click.option("--inputs", required=True, type=NPY, help="x.npy: integers (batch, K) or (K,).")
@click.option("-o", "--output", type=OutputPath(".npy"), help="y.npy: int64 (batch, N) or (N,).")
@click.option(
    "--x-precision", callback=_precision, metavar="s8|u4|..", help="Default: from the values."
)
@click.option(
    "--w-precision", callback=_precision, metavar="s8|u4|..", help="Default: from the values."
)
@click.option(
    "--fused",
    type=click.IntRange(1, 16),
    metavar="N",
    help="Weight slices that make a weight.  [default: the fewest that hold the weights]",
)
@click.option(
    "--clock",
    type=float,
    callback=_clock,
    metavar="MHZ",
    help=f"The macro's clock that GOPS are stated at.  [default: {FIRST_MHZ:g}, or the board's]",
)
@way_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@simulator_option
def mvm(
    config: str,
    overrides: tuple[str, ...],
    weights: Path,
    inputs: Path,
    output: Path | None,
    x_precision: Precision | None,
    w_precision: Precision | None,
    fused: int | None,
    clock: float | None,
    backend: str,
    port: str | None,
    baud: int | None,
    board: str | None,
    as_json: bool,
    simulator: str,
) -> None:
    """Compute y = x @ w on the emitted Verilog of CONFIG, tiled where larger than the macro.

    The macro is emitted and simulated in build/NAME of the folder that y.npy goes to.
    """
    macro = load_config(config, overrides)
    way = Way(backend, port, baud, board, simulator)
    way.check()
    _check_inputs_stay(output, (inputs, weights))
    job, vector = _load(macro, inputs, weights, (x_precision, w_precision, fused))
    folder = _work_folder(output, macro)
    shape = [job.plan.n] if vector else [job.plan.batch, job.plan.n]
    failure = ""
    with simulation_progress() as (announce, progress):
        runner = way.open(macro, folder, announce, progress)
        try:
            y = job.assemble(runner.run_job(macro, job)).reshape(shape)
        except (BuildError, SimulationError, LinkError, BusError) as error:
            failure, runner.bit_exact = str(error), False
    if output is not None and not failure:
        write_file(output, npy_bytes(y))
    facts = way.facts(runner)
    speed = _speed(macro, job, runner, clock or facts.get("clock_hz", FIRST_MHZ * 1e6) / 1e6)
    if as_json:
        numbers = {"cycles": runner.cycles, "seconds": round(runner.seconds, 3)}
        exact = {"bit_exact": runner.bit_exact, "shape": shape, "macs": runner.macs}
        measured = {**exact, **numbers, **speed, "fused": macro.modes[job.fuse].fused, **facts}
        if failure:  # nothing was computed: no speed, and the reason
            measured |= {**dict.fromkeys(speed), "failed": failure}
        print_json(measured)
    elif not failure:
        _show(macro, job, shape, runner, speed | facts, output)
    if not runner.bit_exact:
        raise CheckFailedError(failure or "the Verilog's results differ from the golden model's")


def _check_inputs_stay(output: Path | None, inputs: tuple[Path, ...]) -> None:
    """Raise InputError where the result would replace one of its own inputs."""
    for path in inputs:
        if output is not None and output.exists() and path.exists() and output.samefile(path):
            raise InputError(f"-o {output}: is the input {path}; choose another name")


def _work_folder(output: Path | None, macro: MacroConfig) -> Path:
    """Where the macro is emitted: build/NAME, of here or of the folder that y.npy goes to."""
    if output is None:
        return default_folder(None, macro)
    beside = output.parent
    return (beside if beside.name == BUILD else beside / BUILD) / macro.module


def _speed(macro: MacroConfig, job: Job, runner: Runner, clock: float) -> dict[str, float | None]:
    """What the macro, not its simulation, reaches: ``utilisation`` is the product's share of the
    MACs that all its cycles could hold at the job's precision (the rest are writes of weights,
    waiting, a simulated line and parts of tiles without weights), ``gops`` counts two operations a
    MAC at ``clock`` MHz. A real board does not tell its cycles."""
    if isinstance(runner, SerialBackend):
        return dict.fromkeys(("utilisation", "clock_mhz", "gops"))
    cycles = max(runner.cycles, 1)
    most = (
        macro.rows * job.plan.cols / result_interval(macro, job.x_bits, job.x_signed)
    )  # MACs a cycle
    return {
        "utilisation": round(runner.macs / cycles / most, 4),
        "clock_mhz": clock,
        "gops": round(2 * runner.macs / cycles * clock / 1000, 4),
    }


def _load(
    macro: MacroConfig,
    inputs: Path,
    weights: Path,
    asked: tuple[Precision | None, Precision | None, int | None],
) -> tuple[Job, bool]:
    """The job of the two files, with what was asked of make_job, and whether the inputs are one
    vector (K,)."""
    try:
        w, x = load_array(weights), load_array(inputs)
    except ValueError as error:
        raise InputError(str(error)) from None
    vector = x.ndim == 1
    try:
        job = make_job(macro, x[np.newaxis] if vector else x, w, *asked)
    except ValueError as error:
        raise InputError(f"{error} (x is {inputs}, w is {weights})") from None
    return job, vector


def _show(
    macro: MacroConfig,
    job: Job,
    shape: list[int],
    runner: Runner,
    speed: dict[str, Any],
    output: Path | None,
) -> None:
    inputs = f"inputs {_sign(job.x_signed)} {job.x_bits} bits"
    cycles = rate = "a board does not tell"
    if speed["gops"] is not None:
        rate = f"{speed['gops']:.3g} GOPS at {speed['clock_mhz']:g} MHz (--clock), 2 a MAC"
        cycles = f"{runner.cycles:,}, {speed['utilisation']:.1%} of their MACs used"
    rows = [
        ("y", f"{' x '.join(map(str, shape))}, int64" + ("" if output else ", not written (-o)")),
        ("tiles", f"{len(job.plan.tiles)}, {job.plan.utilisation:.0%} of the macro used"),
        ("precision", f"{inputs}, weights {_weights(macro, job)}"),
        ("equal to golden", "yes, every value" if runner.bit_exact else "NO"),
        ("cycles", cycles),
        ("the macro's rate", rate),
        ("simulated in", f"{runner.seconds:.1f} s, building left out"),
        *link_rows(speed),
    ]
    show_table(macro.module, rows, below=[("written to", output)] if output else ())


def _weights(macro: MacroConfig, job: Job) -> str:
    """Their sign and, where the macro has slices, what they are made of."""
    mode = macro.modes[job.fuse]
    made = f" {mode.weight_bits} bits, {mode.fused} of {macro.slices} slices fused"
    return _sign(job.w_signed) + (made if macro.slices > 1 else "")


def _sign(signed: bool) -> str:
    return "signed" if signed else "unsigned"
