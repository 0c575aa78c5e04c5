"""Mutants of engines and of front ends of buses: Yosys breaks them in one place each.

``python -m cimforge.cocotb_tests.engine.engine_mutants [--count N] [--seed S] [--design NAME]``
prints what became of each, and every survivor with its cell and source line. It is a campaign
beside that of macros (cocotb_tests/mutation), whose parts it uses. Exit status 1 where fewer than
98 % of those not proven equivalent are noticed, or an unbroken design fails.
"""

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from cimforge.cocotb_tests.engine.engine_subjects import ENGINE_SUBJECTS
from cimforge.cocotb_tests.mutation.__main__ import JOBS, _mutants
from cimforge.cocotb_tests.mutation.pair import proven_equal
from cimforge.cocotb_tests.mutation.score import Score
from cimforge.cocotb_tests.mutation.trial import Mutant, Trial, attempt
from cimforge.flow.worker_pool import WorkerPool
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["main"]

COUNT = 100

console = Console(stderr=True, highlight=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cimforge.cocotb_tests.engine.engine_mutants")
    names = [subject.name for subject in ENGINE_SUBJECTS]
    parser.add_argument("--count", type=int, default=COUNT, help=f"mutants (default: {COUNT})")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default: 1)")
    parser.add_argument("--design", choices=names, action="append", help="only this design")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/engine-mutants"))
    parser.add_argument("--json", action="store_true", help="print the score as JSON")
    options = parser.parse_args(arguments)
    simulator = "icarus" if shutil.which("iverilog") else "verilator"
    wanted = options.design or names
    chosen = [subject for subject in ENGINE_SUBJECTS if subject.name in wanted]
    score = Score(options.seed, simulator)
    with WorkerPool(JOBS, "fork") as pool:
        drawn = [
            each
            for place, subject in enumerate(chosen)
            for each in _mutants(
                subject,
                len(range(place, options.count, len(chosen))),
                options.seed,
                options.output,
            )
        ]
        runs = [pool.submit(judge, mutant, folder, simulator) for mutant, folder in drawn]
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
    """Try a mutant and, where no test notices it, whether SAT proves that none could."""
    trial = attempt(mutant, folder, simulator)
    if trial.outcome == "survived" and mutant.mutation:
        module = mutant.mutation.module
        whole = mapped(mutant.unbroken, module, folder / "sat")
        if proven_equal(
            whole, mapped(mutant.broken, module, folder / "sat"), module, folder / "sat"
        ):
            return replace(trial, outcome="proven", by="SAT")
    return trial


def mapped(text: str, module: str, folder: Path) -> str:
    """The module and all below it with memories as flip-flops, whose bits SAT pairs by name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "whole.v").write_text(text)
    script = [f"read_verilog whole.v\nhierarchy -top {module}\nproc\nmemory\nopt_clean"]
    run_yosys("\n".join([*script, "write_verilog -noattr mapped.v"]) + "\n", folder)
    return (folder / "mapped.v").read_text()


if __name__ == "__main__":
    sys.exit(main())
