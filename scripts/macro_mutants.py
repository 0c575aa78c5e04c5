"""cimforge mutants: the campaign of ``cocotb_tests.mutation`` on any macro, not its own designs.

Yosys breaks the macro's Verilog in one place each; its regression must notice.
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cimforge.cocotb_tests.mutation.__main__ import judge
from cimforge.cocotb_tests.mutation.mutation_list import Origin
from cimforge.cocotb_tests.mutation.score import LEAST, Score
from cimforge.cocotb_tests.mutation.subjects import Subject
from cimforge.cocotb_tests.mutation.trial import Mutant, Trial
from cimforge.explore.cluster.cluster_place import ClusterPlace
from cimforge.explore.cluster.kept_tasks import KeptTasks
from cimforge.flow.simulate.simulator import check_simulator
from cimforge.hdl.params.config_file import load_config
from cimforge.scripts.cluster_option import cluster_option, opened_crew
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    simulator_option,
    steps,
)
from cimforge.scripts.task_progress import task_progress

__all__ = ["mutants", "try_mutant"]

COUNT = 20  # each is a build and a regression: seconds of a tiny macro


@click.command(epilog=config_epilog, short_help="Break a macro; its tests must notice.")
@config_options
@simulator_option
@cluster_option
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=COUNT,
    show_default=True,
    help="Mutants.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    metavar="N",
    default=1,
    show_default=True,
    help="Seed of the draw.",
)
def mutants(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    simulator: str,
    cluster: ClusterPlace,
    count: int,
    seed: int,
) -> None:
    """Break the Verilog of CONFIG in one place at a time, N times, and see how often its regression
    notices: a figure of the tests, not of the macro. Each is a build and a run, seconds of a tiny
    macro; what has ended is kept, so an interrupted campaign goes on where it was."""
    macro = load_config(config, overrides)
    if not cluster.address:
        check_simulator(simulator)
    folder = default_folder(output, macro) / "mutants"
    score, kept = Score(seed, simulator), KeptTasks(folder / "kept")
    with opened_crew(cluster, None) as crew:
        with steps(f"breaking {macro.module}"):
            drawn = list(_mutants(Subject(macro), count, seed, folder))
        whole = drawn[0][0].whole
        files = {name: (whole.folder / name).read_text() for name in whole.sources}
        tasks = (
            _task(number, mutant, files, place, simulator)
            for number, (mutant, place) in enumerate(drawn)
        )
        with task_progress("trials", len(drawn)) as told:
            for number, outcome in kept.each(crew, try_mutant, tasks, (simulator,)):
                trial = Trial(drawn[number][0], **outcome)
                told(trial.outcome)
                if trial.mutant.mutation:
                    score.trials.append(trial)
                elif trial.outcome == "killed":
                    raise CheckFailedError(f"the unbroken design fails, by {trial.by}")
    kept.forget()
    if as_json:
        print_json(score.as_json())
    else:
        click.echo("\n".join(score.lines()))
    if not score.passed:
        rule = f"at least {LEAST:.0%} are asked"
        raise CheckFailedError(f"killed {score.share:.1%} of those not equivalent, and {rule}")


def try_mutant(
    mutant: Mutant, files: dict[str, str], folder: Path, simulator: str
) -> dict[str, Any]:
    """What becomes of a mutant of a design with these ``files``, which are written below
    ``folder``: outcome, by and seconds of its Trial."""
    place = folder / "whole"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (place / name).write_text(text)
    whole = replace(mutant.whole, folder=place)
    trial = judge(replace(mutant, whole=whole), folder / "trial", simulator)
    if trial.outcome != "survived":
        shutil.rmtree(folder, ignore_errors=True)
    return {"outcome": trial.outcome, "by": trial.by, "seconds": trial.seconds}


def _task(
    number: int, mutant: Mutant, files: dict[str, str], place: Path, simulator: str
) -> tuple[int, Any, tuple]:
    """Its number, what its outcome depends on, and try_mutant's arguments."""
    texts = hashlib.sha256(f"{mutant.unbroken}\0{mutant.broken}".encode()).hexdigest()
    command = mutant.mutation.command if mutant.mutation else ""
    told = [mutant.subject.config.parameters(), command, texts, simulator]
    return number, told, (mutant, files, place, simulator)


def _mutants(
    subject: Subject, count: int, seed: int, folder: Path
) -> Iterator[tuple[Mutant, Path]]:
    """The unbroken design and its mutants, each with its folder below ``folder``."""
    shutil.rmtree(folder / "trials", ignore_errors=True)
    whole = subject.emit(folder)
    sources = [source for source in whole.sources if source.endswith(".v")]
    origin = Origin(folder, sources, whole.top)
    mutations = origin.draw([], count, seed)
    base, texts = origin.apply(mutations)
    yield Mutant(subject, whole, None, base, base), folder / "trials" / "unbroken"
    for number, (mutation, text) in enumerate(zip(mutations, texts, strict=True)):
        yield Mutant(subject, whole, mutation, base, text), folder / "trials" / f"{number:04}"
