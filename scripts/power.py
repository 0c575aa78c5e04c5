"""cimforge power: energy of a macro a 1b-MAC, by role."""

from pathlib import Path

import click
import numpy as np

from cimforge.compiler import digits
from cimforge.compiler.matmul import tiled_matmul
from cimforge.compiler.npy import load_array
from cimforge.compiler.precision import Ints, check_integers
from cimforge.compiler.tiling import Job, make_job, run_job_golden
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.power.power_report import CONTRACT, PowerReport, measure_power
from cimforge.flow.power.toggle_run import WrongResultsError, check_icarus
from cimforge.flow.power.workload import DISTRIBUTIONS, Segment, Workload, drawn_workload
from cimforge.flow.simulate.bounded_run import CommandError
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.library_macro import check_library_macro
from cimforge.scripts.options import (
    CheckFailedError,
    cell_option,
    config_epilog,
    config_options,
    default_folder,
    liberty_option,
    print_json,
    show_table,
    simulation_progress,
)

__all__ = ["power"]

MOST_NS, MOST_FF = 1e6, 1e4
NPY = click.Path(dir_okay=False, path_type=Path)
NETWORKS = ("digits",)
DATA = "; ".join(f"{name}: {what}" for name, what in DISTRIBUTIONS.items())


def _range(most: float, unit: str, lowest: str):
    """A check of a number in ``unit`` up to ``most``; 0 too where ``lowest`` says so."""

    def check(
        context: click.Context, parameter: click.Parameter, value: float | None
    ) -> float | None:
        if value is None or 0 < value <= most or (value == 0 and lowest == "from 0"):
            return value
        rule = f"must be {lowest} and at most {most:g} {unit}"
        raise click.BadParameter(f"{rule}, not {value:g}")

    return check


@click.command(epilog=config_epilog, short_help="Measure the energy of a 1b-MAC, by role.")
@config_options
@liberty_option
@cell_option
@click.option(
    "--data",
    type=click.Choice(list(DISTRIBUTIONS)),
    help=f"What is drawn. {DATA}.  [default: uniform]",
)
@click.option("--weights", type=NPY, help="Instead of --data: w.npy, integers (K, N).")
@click.option("--inputs", type=NPY, help="And x.npy: integers (batch, K) or (K,).")
@click.option("--network", type=click.Choice(NETWORKS), help="Or the products of this network.")
@click.option(
    "--vectors",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=200,
    show_default=True,
    help="Back-to-back vectors: drawn, or at most the first N of the inputs, for each tile.",
)
@click.option(
    "--clock",
    "period",
    type=float,
    callback=_range(MOST_NS, "ns", "above 0"),
    metavar="NS",
    help="Clock period.  [default: 1.1 times the longest path, without wires]",
)
@click.option(
    "--wire",
    type=float,
    callback=_range(MOST_FF, "fF", "from 0"),
    metavar="FF",
    default=0.0,
    show_default=True,
    help="Load of the wire to each pin, in fF.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Of what is drawn, and of the network's training.",
)
def power(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    liberty: tuple[str, ...],
    cells: dict[str, str],
    data: str | None,
    weights: Path | None,
    inputs: Path | None,
    network: str | None,
    vectors: int,
    period: float | None,
    wire: float,
    seed: int,
) -> None:
    """Map CONFIG to a cell library, simulate it with delays, and sum the energy of every toggle,
    glitches included."""
    macro = load_config(config, overrides)
    try:
        check_integers(macro, "power")
    except ValueError as error:
        raise InputError(str(error)) from None
    check_library_macro(macro, "power", "tells the energy of")
    check_icarus()
    _check_one_source(data, weights, inputs, network)
    found = find_libraries(liberty)
    if network:
        workload = _network(macro, vectors, seed)
    elif weights and inputs:
        workload = _given(macro, inputs, weights, vectors)
    else:
        workload = drawn_workload(macro, data or "uniform", vectors, seed)
    folder = default_folder(output, macro)
    with simulation_progress() as (announce, progress):
        try:
            emit_macro(macro, folder, macro_extras(macro))
            report = measure_power(
                macro,
                folder,
                workload,
                liberty=found.paths,
                overrides=cells,
                period=period,
                wire_load=wire,
                announce=announce,
                progress=progress,
            )
        except (YosysError, CommandError, WrongResultsError) as error:
            if as_json:
                facts = {"data": workload.name, "period_ns": period, "failed": str(error)}
                print_json({**dict.fromkeys(CONTRACT), **facts})
            raise CheckFailedError(error) from None
    report.notes[:0] = found.notes
    if as_json:
        print_json({**report.as_json(), "seed": seed})
    else:
        _show(report, seed)


def _check_one_source(
    data: str | None, weights: Path | None, inputs: Path | None, network: str | None
) -> None:
    if (weights is None) != (inputs is None):
        given, other = ("--weights", "--inputs") if inputs is None else ("--inputs", "--weights")
        raise InputError(f"{given}: needs {other} beside it")
    named = {"--data": data, "--inputs": inputs, "--network": network}
    several = [name for name, value in named.items() if value is not None]
    if len(several) > 1:
        raise InputError(f"{several[1]}: not together with {several[0]}; name one")


def _given(macro: MacroConfig, inputs: Path, weights: Path, vectors: int) -> Workload:
    """The user's product."""
    try:
        w, x = load_array(weights), load_array(inputs)
    except ValueError as error:
        raise InputError(str(error)) from None
    try:
        job = make_job(macro, x[np.newaxis] if x.ndim == 1 else x, w)
    except ValueError as error:
        raise InputError(f"{error} (x is {inputs}, w is {weights})") from None
    if not job.plan.batch:
        raise InputError(f"--inputs {inputs}: holds no vector")
    return Workload(f"{inputs} @ {weights}", _segments(job, vectors))


def _network(macro: MacroConfig, vectors: int, seed: int) -> Workload:
    """Every product of the digits network on its first test images."""
    try:
        data, bits = digits.load(), digits.network_bits(macro)
    except ModuleNotFoundError as error:
        hint = install_hint("networks")
        raise InputError(f"--network digits: needs {error.name}; run {hint}") from None
    except ValueError as error:
        raise InputError(f"--network digits: {error}") from None
    jobs: list[Job] = []

    def record(config: MacroConfig, job: Job) -> Ints:
        jobs.append(job)
        return run_job_golden(config, job)

    trained = digits.quantise_network(digits.train(seed), data.train_images, *bits)
    digits.predict(trained, data.test_images[:vectors], tiled_matmul(macro, record))
    return Workload("digits", [segment for job in jobs for segment in _segments(job, vectors)])


def _segments(job: Job, vectors: int) -> list[Segment]:
    """The tiles of a job, with at most the first ``vectors`` vectors."""
    return [
        Segment(
            weights,
            job.inputs[job.k_index[tile]][:vectors],
            int(job.banks[tile]),
            job.x_bits,
            job.x_signed,
            job.w_signed,
            job.fuse,
        )
        for tile, weights in enumerate(job.weights)
    ]


def _show(report: PowerReport, seed: int) -> None:
    macs, total = report.macs, max(report.per_mac, 1e-12)
    rows = [
        (role, f"{fj / macs:.3f}", f"{fj / macs / total:.1%}")
        for role, fj in report.by_role.items()
    ]
    show_table(
        f"{report.config.module} at {report.period:g} ns",
        [*rows, ("dynamic, total", f"{report.per_mac:.3f}", "100.0%")],
        ("role", "fJ per 1b-MAC", "share"),
    )
    leaks = f"{report.leakage * 1e-3:.4g} µW, {report.leakage_per_mac:.3f} fJ per 1b-MAC here"
    wires = f"{report.wire_load:g} fF a pin" if report.wire_load else "not counted"
    facts = [
        ("data", f"{report.workload.name}, {report.workload.vectors} vectors, seed {seed}"),
        ("cycles", f"{report.cycles:,} computing, every result equal to golden's"),
        ("glitches", f"{report.glitch_share:.1%} of the dynamic energy"),
        ("clock", f"{report.clock_share:.1%}"),
        ("idle cycle", f"{report.idle_share:.2%} of a computing cycle's dynamic energy"),
        ("leakage", leaks),
        ("TOPS/W", f"{report.tops_per_w:.1f} binary, leakage included; int8: by 64"),
        ("wires", wires),
        *(("note", note) for note in report.notes),
        ("time", f"{report.seconds:.1f} s"),
    ]
    below: list[tuple[str, object]] = [("netlist", report.folder / "netlist.v")]
    show_table("", facts, below=[*below, *(("library", path) for path in report.libraries)])
