"""cimforge mutants: what is drawn of a user's macro, and the verdict on its regression."""

from dataclasses import replace

import pytest

from cimforge.cocotb_tests.mutation.trial import Trial
from cimforge.scripts import macro_mutants

TINY = (
    *("mutants", "tiny", "--set", "rows=3", "--count", "3", "--simulator", "icarus", "-o", "out"),
    *("--cluster", "local:1"),  # in this process
)


@pytest.fixture
def judged(monkeypatch):
    """Mutants that were judged; a test says how by appending outcomes, the unbroken's first."""
    outcomes: list[str] = []
    seen: list = []

    def judge(mutant, folder, simulator):
        seen.append(mutant)
        return replace(Trial(mutant, "survived", "nothing"), outcome=outcomes[len(seen) - 1])

    monkeypatch.setattr(macro_mutants, "check_simulator", lambda _: None)
    monkeypatch.setattr(macro_mutants, "judge", judge)
    return outcomes, seen


def test_each_mutant_breaks_the_macro_in_one_place(cimforge, judged):
    outcomes, seen = judged
    outcomes += ["survived", "killed", "killed", "proven"]
    told = cimforge(*TINY, "--json")
    assert told.status == 0, told.err
    keys = ("generated", "killed", "proven", "survived", "share", "seed", "simulator")
    assert [told.json[key] for key in keys] == [3, 2, 1, 0, 1.0, 1, "icarus"]
    unbroken, *broken = seen
    assert unbroken.broken == unbroken.unbroken
    assert all(mutant.broken != unbroken.unbroken for mutant in broken)
    assert {mutant.subject.config.rows for mutant in seen} == {3}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (["survived", "killed", "survived", "killed"], "killed 66.7% of those not equivalent"),
        (["killed", "killed", "killed", "killed"], "the unbroken design fails, by nothing"),
    ],
)
def test_a_regression_that_notices_too_little_fails(cimforge, judged, result, expected):
    judged[0].extend(result)
    done = cimforge(*TINY)
    assert done.status == 1
    assert expected in done.messages[-1]
