"""What became of a mutant that no test noticed: equal by proof, equal by chance, or a hole."""

from dataclasses import replace
from pathlib import Path

from cimforge.cocotb_tests.mutation.pair import PAIR, proven_equal, write_pair
from cimforge.cocotb_tests.mutation.trial import Trial, cpu_limited
from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.simulate.simulator import Design

__all__ = ["CHANCE_CYCLES", "settle"]

# In the macro's words: passes of a few cycles; of the bus: accesses of three; of the board: frames
# of a thousand.
CHANCE_CYCLES = {"macro": 20_000, "bus": 60_000, "board": 300_000}


def settle(trial: Trial, folder: Path, simulator: str) -> Trial:
    """The trial of a survivor, with the outcome proven, bounded or survived.

    Proven: SAT shows that the module behaves equally in any surroundings. Bounded: the whole design
    and its broken copy had equal outputs in CHANCE_CYCLES of random inputs. Else it survived, and
    ``by`` says when the two differed.
    """
    mutant = trial.mutant
    assert mutant.mutation is not None
    texts = mutant.unbroken, mutant.broken
    if proven_equal(*texts, mutant.mutation.module, folder / "sat"):
        return replace(trial, outcome="proven", by="SAT")
    place = folder / "chance"
    ports = write_pair(*texts, mutant.whole.top, place)
    design = Design(mutant.whole.config, place, (f"{PAIR}.v",), PAIR, ports)
    around = mutant.subject.around
    with cpu_limited():
        report = run_regression(
            design,
            place / "verify",
            simulator=simulator,
            suite=("mutation.chance",),
            options={"around": around, "cycles": CHANCE_CYCLES[around]},
            announce=lambda _: None,
        )
    if report.passed:
        return replace(trial, outcome="bounded", by=f"{CHANCE_CYCLES[around]} random cycles")
    return replace(trial, outcome="survived", by=report.failures[0].message)
