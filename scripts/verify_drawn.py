"""cimforge verify --draw N: the regression of N drawn macros, wherever they are run."""

import shlex
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from cimforge.cocotb_tests.discovery import SuiteError
from cimforge.cocotb_tests.draw import draw_configs, quickest_simulator
from cimforge.cocotb_tests.regression import Failure, Report, run_regression
from cimforge.explore.cluster.cluster_place import ClusterPlace
from cimforge.explore.cluster.kept_tasks import KeptTasks
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import BuildError, Design, check_simulator
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import plain_toml
from cimforge.scripts.cluster_option import opened_crew
from cimforge.scripts.options import CheckFailedError, print_json, show_table, stderr
from cimforge.scripts.task_progress import task_progress

__all__ = ["Drawing", "check_drawn", "verify_drawn"]

KEPT = "kept"
TOLD = ("passed", "tests", "failed", "skipped", "passes", "failures", "holes")


class Drawing(NamedTuple):
    """What is asked of verify --draw: ``draws`` macros of ``seed``, each in ``simulator`` (None:
    the quicker one for each), a simulation ended after ``limit`` seconds of silence."""

    draws: int
    seed: int
    simulator: str | None
    limit: float
    output: Path | None
    cluster: ClusterPlace
    jobs: int | None
    as_json: bool


def check_drawn(
    config: MacroConfig, simulator: str, seed: int, limit: float, folder: Path
) -> dict[str, Any]:
    """The outcome of a macro's regression, as of verify's JSON; ``folder`` is removed."""
    try:
        emit_macro(config, folder, macro_extras(config))
        options: dict[str, Any] = {"simulator": simulator, "seed": seed, "limit": limit}
        design = Design.emitted(config, folder)
        report = run_regression(design, folder / "verify", announce=lambda text: None, **options)
    except (BuildError, SuiteError, YosysError) as error:
        report = Report(simulator, seed, failures=[Failure("build", str(error))])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = report.as_json()
    return {key: told[key] for key in TOLD}


def verify_drawn(asked: Drawing) -> None:
    """Draw macros, check each, report. Raises CheckFailedError where one fails."""
    folder = asked.output or Path(BUILD) / f"verify-draw-{asked.seed}"
    drawn = [
        (config, asked.simulator or quickest_simulator(config))
        for config in draw_configs(asked.draws, asked.seed)
    ]
    simulators = dict.fromkeys(simulator for _, simulator in drawn)
    for simulator in simulators if not asked.cluster.address else ():
        check_simulator(simulator)
    began, found = time.monotonic(), dict[int, dict[str, Any]]()
    kept = KeptTasks(folder / KEPT)
    with (
        opened_crew(asked.cluster, asked.jobs) as crew,
        task_progress("configurations", asked.draws) as told,
    ):
        for simulator in simulators:
            tasks = (
                (
                    number,
                    [config.parameters(), simulator, asked.seed],
                    (config, simulator, asked.seed, asked.limit, folder / f"draw-{number:04}"),
                )
                for number, (config, its) in enumerate(drawn)
                if its == simulator
            )
            for number, outcome in kept.each(crew, check_drawn, tasks, (simulator,)):
                found[number] = outcome
                told("passed" if outcome["passed"] else "failed")
    rows = [
        {"number": number, "config": config.parameters(), "simulator": simulator, **found[number]}
        for number, (config, simulator) in enumerate(drawn)
    ]
    kept.forget()
    _tell(asked, folder, drawn, rows, time.monotonic() - began)


def _tell(
    asked: Drawing,
    folder: Path,
    drawn: list[tuple[MacroConfig, str]],
    rows: list[dict[str, Any]],
    seconds: float,
) -> None:
    """Report, and raise CheckFailedError where one failed; what failed is left as a file."""
    wrong = [row for row in rows if not row["passed"]]
    for row in wrong:
        config, simulator = drawn[row["number"]]
        path = folder / f"draw-{row['number']:04}.toml"
        write_file(path, plain_toml(config))
        words = ["--simulator", simulator, "--seed", str(asked.seed)]
        stderr.print(f"FAILED draw {row['number']}: {_why(row)}")
        stderr.print(f"  replay: {shlex.join(['cimforge', 'verify', str(path), *words])}")
    facts = {"seed": asked.seed, "draws": len(rows), "failed": len(wrong), "passed": not wrong}
    if asked.as_json:
        print_json({**facts, "seconds": round(seconds, 2), "configs": rows})
    else:
        header = ("draw", "macro", "styles", "simulator", "tests", "passes", "outcome")
        shown = [_row(config, row) for (config, _), row in zip(drawn, rows, strict=True)]
        title = f"{len(rows)} configurations, seed {asked.seed}, {seconds:.0f} s"
        show_table(title, shown, header)
    if wrong:
        raise CheckFailedError(f"{len(wrong)} of {len(rows)} drawn configurations failed")


def _row(config: MacroConfig, row: dict[str, Any]) -> tuple[str, ...]:
    size = f"{config.rows}x{config.cols}x{config.weight_bits}b x {config.input_bits}b"
    styles = f"{config.storage} {config.multiply} {config.tree}"
    ran = f"{row['tests'] - row['skipped']} of {row['tests']}"
    outcome = "passed" if row["passed"] else _why(row)
    return (
        *(str(row["number"]), f"{size} x {config.banks}", styles, row["simulator"], ran),
        *(f"{row['passes']:,}", outcome),
    )


def _why(row: dict[str, Any]) -> str:
    """Why a regression has not passed."""
    if row["failures"]:
        first = row["failures"][0]
        return f"{first['test']}: {first['message']}"
    return f"not covered: {', '.join(row['holes'][:4])}" if row["holes"] else "no test ran"
