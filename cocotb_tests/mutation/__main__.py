"""Mutants nobody chose: Yosys breaks six designs in one place each; the regression must notice.

``python -m cimforge.cocotb_tests.mutation [--count N] [--seed S]`` prints how many were generated,
equivalent and killed, and every survivor with its cell and source line. Exit status 1 where fewer
than 98 % of those not equivalent are killed, or an unbroken design fails.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from rich.console import Console

from cimforge.cocotb_tests.mutation.equivalence import settle
from cimforge.cocotb_tests.mutation.mutation_list import Origin
from cimforge.cocotb_tests.mutation.score import Score
from cimforge.cocotb_tests.mutation.subjects import SUBJECTS, Subject
from cimforge.cocotb_tests.mutation.trial import Mutant, Trial, attempt
from cimforge.flow.worker_pool import WorkerPool

__all__ = ["main"]

COUNT = 1200
JOBS = 2

console = Console(stderr=True, highlight=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cimforge.cocotb_tests.mutation")
    names = [subject.name for subject in SUBJECTS]
    parser.add_argument("--count", type=int, default=COUNT, help=f"mutants (default: {COUNT})")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default: 1)")
    parser.add_argument("--only", choices=names, action="append", help="only this design")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/mutation"))
    parser.add_argument("--json", action="store_true", help="print the score as JSON")
    options = parser.parse_args(arguments)
    simulator = "icarus" if shutil.which("iverilog") else "verilator"
    chosen = [subject for subject in SUBJECTS if subject.name in (options.only or names)]
    score = Score(options.seed, simulator)
    with WorkerPool(JOBS, "fork") as pool:
        runs: dict[Future[Trial], None] = {}
        for place, subject in enumerate(chosen):
            share = len(range(place, options.count, len(chosen)))
            for mutant, folder in _mutants(subject, share, options.seed, options.output):
                runs[pool.submit(judge, mutant, folder, simulator)] = None
        for number, run in enumerate(pool.ended(runs), 1):
            trial = run.result()
            console.print(f"[{number}/{len(runs)}] {trial}", markup=False)
            if trial.mutant.mutation:
                score.trials.append(trial)
            elif trial.outcome == "killed":
                console.print(f"the unbroken design {trial.mutant.subject.name} fails", style="red")
                pool.shutdown(cancel_futures=True)
                return 1
    print(json.dumps(score.as_json(), indent=1) if options.json else "\n".join(score.lines()))
    return 0 if score.passed else 1


def judge(mutant: Mutant, folder: Path, simulator: str) -> Trial:
    """Try a mutant and, where no test notices it, settle whether any could."""
    trial = attempt(mutant, folder, simulator)
    if trial.outcome == "survived" and mutant.mutation:
        return settle(trial, folder, simulator)
    return trial


def _mutants(
    subject: Subject, count: int, seed: int, output: Path
) -> Iterator[tuple[Mutant, Path]]:
    """The unbroken design and ``count`` mutants of it, each with its folder."""
    folder = output / subject.name
    shutil.rmtree(folder, ignore_errors=True)
    whole = subject.emit(folder)
    sources = [source for source in whole.sources if source.endswith(".v")]
    origin = Origin(folder, sources, whole.top, subject.single)
    mutations = origin.draw(subject.targets(whole), count, seed)
    base, texts = origin.apply(mutations)
    yield Mutant(subject, whole, None, base, base), folder / "unbroken"
    for index, (mutation, text) in enumerate(zip(mutations, texts, strict=True)):
        yield Mutant(subject, whole, mutation, base, text), folder / f"{index:04}"


if __name__ == "__main__":
    sys.exit(main())
