"""cimforge example: what else an array does, each against other code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cimforge.compiler.applications.binary_job import check_binary
from cimforge.compiler.applications.binary_rtl import BinaryRtlBackend
from cimforge.compiler.applications.catalogue import EXAMPLES
from cimforge.compiler.applications.outcome import CountedJobs, Example, Outcome
from cimforge.compiler.backends.rtl import RtlBackend, SimulationError
from cimforge.compiler.player.expected_results import expected_results
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.precision import check_integers
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import BuildError, check_simulator
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import listing, open_outputs
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import (
    SIMULATORS,
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

__all__ = ["example"]

REPORT = "report.json"
BACKENDS = ("rtl", "golden")
Runner = RtlBackend | PlayerBackend


@click.command(
    epilog=f"TASK: {', '.join(EXAMPLES)}; without it they are listed. {config_epilog}",
    short_help="Find nearest keys, make CRCs, run layers of -1, 0 and 1.",
)
@click.argument("task", metavar="[TASK]", type=click.Choice(list(EXAMPLES)), required=False)
@click.option("--config", metavar="CONFIG", help="The macro.  [default: one that fits TASK]")
@set_option
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    show_default=True,
    help="Of all that is drawn.",
)
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default=BACKENDS[0],
    show_default=True,
    help="The macro's Verilog in a simulator, or its golden model.",
)
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    help="Folder to write to.  [default: build/TASK-MODULE; Verilog in build/MODULE]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@simulator_option
def example(
    task: str | None,
    config: str | None,
    overrides: tuple[str, ...],
    seed: int,
    backend: str,
    output: Path | None,
    as_json: bool,
    simulator: str,
) -> None:
    """Run the example TASK on the emitted Verilog and compare what it leaves with other code."""
    if task is None:
        _list(as_json)
        return
    chosen = EXAMPLES[task]
    macro = _load(task, chosen, config, overrides)
    golden = backend == "golden"
    if not golden:
        check_simulator(simulator)
    title = f"{task}-{macro.module}"
    folder = output or Path(BUILD) / title
    # Examples on one macro share what was built of it.
    verilog = output / "rtl" if output else default_folder(None, macro)
    with open_outputs(folder, title) as outputs:
        outputs.check({REPORT: None})  # refused now, not after the simulation
    outcome, failure, runner = None, "", None
    with simulation_progress() as (announce, progress):
        if not golden:
            runner = _open(macro, verilog, simulator, announce, progress)
        announce(f"running {task}, seed {seed}")
        jobs = CountedJobs(runner.run_job if runner else expected_results)
        try:
            outcome = chosen.run(macro, jobs, seed)
        except (BuildError, SimulationError) as error:
            failure = str(error)
        except ModuleNotFoundError as error:
            hint = install_hint("networks")
            raise InputError(f"example {task}: needs {error.name}; run {hint}") from None
        except ValueError as error:
            raise InputError(f"example {task}: {error}") from None
    report = _report(task, macro, seed, jobs, runner, outcome)
    if outcome:
        _write(folder, title, json.dumps(report, indent=2) + "\n")
    if as_json:
        print_json({**report, **({"failed": failure} if failure else {})})
    elif outcome:
        _show(task, macro, (verilog, folder), outcome, report)
    if outcome is None or report["bit_exact"] is False:
        raise CheckFailedError(failure or "the Verilog's results differ from the golden model's")
    if not outcome.equal:
        raise CheckFailedError(f"results differ from the reference: {outcome.reference}")


def _list(as_json: bool) -> None:
    if as_json:
        print_json({name: known.about for name, known in EXAMPLES.items()})
        return
    rows = [(name, known.about) for name, known in EXAMPLES.items()]
    show_table("cimforge example TASK", rows)


def _load(
    task: str, chosen: Example, config: str | None, overrides: tuple[str, ...]
) -> MacroConfig:
    """The macro that was asked for, or that of the example; --set changes either.

    Raises InputError where the example cannot run on it.
    """
    first = () if config else chosen.settings
    macro = load_config(config or chosen.preset, (*first, *overrides))
    try:
        (check_binary if chosen.binary else check_integers)(macro, f"example {task}")
    except ValueError as error:
        raise InputError(str(error)) from None
    if not macro.tree_traits.exact:
        exact = MacroConfig.model_fields["tree"].default
        rule = f"example {task} needs exact sums, and those of tree = {macro.tree} are not"
        raise InputError(f"{rule} (nearest legal value: --set tree={exact})")
    return macro


def _open(
    macro: MacroConfig,
    folder: Path,
    simulator: str,
    announce: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Runner:
    """Emit the macro into ``folder``, and what runs its jobs."""
    emit_macro(macro, folder, macro_extras(macro))
    if simulator == SIMULATORS[0]:
        return PlayerBackend(folder, announce, progress)
    kind = BinaryRtlBackend if macro.binary else RtlBackend
    return kind(folder, simulator, announce, progress)


def _report(
    task: str,
    macro: MacroConfig,
    seed: int,
    jobs: CountedJobs,
    runner: Runner | None,
    outcome: Outcome | None,
) -> dict[str, Any]:
    """The JSON contract of ``cimforge example``; of golden nothing is told of Verilog."""
    counts = {"tiles": jobs.tiles, "passes": jobs.passes, "macs": jobs.macs}
    return {
        "example": task,
        "macro": macro.module,
        "seed": seed,
        "equal": outcome.equal if outcome else None,
        "bit_exact": runner.bit_exact if runner else None,
        **counts,
        "utilisation": round(jobs.macs / jobs.room, 4) if jobs.room else None,
        "cycles": runner.cycles if runner else None,
        "seconds": round(runner.seconds, 3) if runner else None,
        **(outcome.facts if outcome else {}),
    }


def _write(folder: Path, title: str, report: str) -> None:
    results: dict[str, str | bytes] = {REPORT: report}
    with open_outputs(folder, title) as outputs:
        outputs.write(results, {"name": title, "files": listing(results)})


def _show(
    task: str,
    macro: MacroConfig,
    folders: tuple[Path, Path],
    outcome: Outcome,
    report: dict[str, Any],
) -> None:
    """The table; ``folders`` are those of the Verilog and of the report."""
    rows = [
        *outcome.rows,
        ("equal to the reference", f"{'yes' if outcome.equal else 'NO'}: {outcome.reference}"),
    ]
    if report["bit_exact"] is not None:
        rows.append(("equal to golden", "yes, every value" if report["bit_exact"] else "NO"))
    used = f", {report['utilisation']:.0%} of their cells" if report["utilisation"] else ""
    rows.append(("passes", f"{report['passes']:,} through {report['tiles']} tiles{used}"))
    if report["cycles"] is not None:
        told = f"{report['cycles']:,}, simulated in {report['seconds']:.1f} s"
        rows.append(("cycles", f"{told}, building left out"))
    below = [("report", folders[1] / REPORT)]
    if report["cycles"] is not None:
        below = [("Verilog", folders[0]), *below]
    show_table(f"{task} on {macro.module}, seed {report['seed']}", rows, below=below)
