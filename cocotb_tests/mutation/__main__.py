"""Mutants nobody chose: Yosys breaks five designs in one place each; the regression must notice.

``python -m cimforge.cocotb_tests.mutation [--count N] [--seed S]`` prints what was generated, found
equivalent, killed, and every survivor with its cell and source line. Exit status 1 where fewer than
98 % of those not equivalent are killed.
"""

import argparse
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from cimforge.cocotb_tests.mutation.mutation_list import apply, draw
from cimforge.cocotb_tests.mutation.score import Score
from cimforge.cocotb_tests.mutation.subjects import SUBJECTS, Subject
from cimforge.cocotb_tests.mutation.trial import Trial, attempt

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
    parser.add_argument("--results", type=Path, help="write the result as JSON")
    options = parser.parse_args(arguments)
    simulator = "icarus" if shutil.which("iverilog") else "verilator"
    chosen = [subject for subject in SUBJECTS if subject.name in (options.only or names)]
    score = Score(options.seed, simulator)
    with ProcessPoolExecutor(JOBS) as pool:
        runs = {}
        for place, subject in enumerate(chosen):
            share = len(range(place, options.count, len(chosen)))
            for trial, text, folder in _mutants(subject, share, options.seed, options.output):
                runs[pool.submit(attempt, trial, subject, text, folder, simulator)] = folder
        for number, run in enumerate(as_completed(runs), 1):
            trial = run.result()
            score.add(trial, runs[run])
            console.print(f"[{number}/{len(runs)}] {trial}", markup=False)
    print(score.text())
    return 0 if score.passed else 1


def _mutants(subject: Subject, count: int, seed: int, output: Path):
    """(trial, text, folder) of the unbroken design and of ``count`` mutants of it."""
    folder = output / subject.name
    shutil.rmtree(folder, ignore_errors=True)
    design = subject.emit(folder)
    sources = [source for source in design.sources if source.endswith(".v")]
    mutations = draw(folder, sources, design.top, subject.targets(design), count, seed)
    base, texts = apply(folder, sources, design.top, mutations)
    yield Trial(subject.name, None), base, folder / "unbroken"
    for index, (mutation, text) in enumerate(zip(mutations, texts, strict=True)):
        yield Trial(subject.name, mutation), text, folder / f"{index:04}"


if __name__ == "__main__":
    sys.exit(main())
