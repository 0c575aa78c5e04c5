"""cimforge mutants: the campaign of ``cocotb_tests.mutation`` on any macro, not its own designs.

Yosys breaks the macro's Verilog in one place each; its regression must notice.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import click

from cimforge.cocotb_tests.mutation.__main__ import JOBS, judge
from cimforge.cocotb_tests.mutation.mutation_list import Origin
from cimforge.cocotb_tests.mutation.score import LEAST, Score
from cimforge.cocotb_tests.mutation.subjects import Subject
from cimforge.cocotb_tests.mutation.trial import Mutant
from cimforge.flow.simulate.simulator import check_simulator
from cimforge.hdl.params.config_file import load_config
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    simulator_option,
    steps,
)

__all__ = ["mutants"]

COUNT = 20  # each is a build and a regression: seconds of a tiny macro


@click.command(epilog=config_epilog, short_help="Break a macro; its tests must notice.")
@config_options
@simulator_option
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
    count: int,
    seed: int,
) -> None:
    """Break the Verilog of CONFIG and see how often its regression notices."""
    macro = load_config(config, overrides)
    check_simulator(simulator)
    folder = default_folder(output, macro) / "mutants"
    score = Score(seed, simulator)
    with steps(f"breaking {macro.module}") as announce, ProcessPoolExecutor(JOBS) as pool:
        drawn = _mutants(Subject(macro), count, seed, folder)
        runs = [pool.submit(judge, mutant, place, simulator) for mutant, place in drawn]
        for number, run in enumerate(as_completed(runs), 1):
            trial = run.result()
            announce(f"{number} of {len(runs)}: {trial.outcome}")
            if trial.mutant.mutation:
                score.trials.append(trial)
            elif trial.outcome == "killed":
                pool.shutdown(cancel_futures=True)
                raise CheckFailedError(f"the unbroken design fails, by {trial.by}")
    if as_json:
        print_json(score.as_json())
    else:
        click.echo("\n".join(score.lines()))
    if not score.passed:
        rule = f"at least {LEAST:.0%} are asked"
        raise CheckFailedError(f"killed {score.share:.1%} of those not equivalent, and {rule}")


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
