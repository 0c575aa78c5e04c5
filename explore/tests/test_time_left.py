"""The time left of a sweep: by the work behind it, not by the number of measurements."""

import pytest

from cimforge.explore import time_left as module
from cimforge.explore.time_left import TimeLeft


def test_slow_measurements_count_for_what_they_take(monkeypatch):
    """Four quick ones of 1 and two of 20: after the quick ones a tenth of the work is behind."""
    now, told = [0.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    watch = TimeLeft(6, 4 + 40, lambda *state: told.append(state))
    watch.add(0)
    for _ in range(4):
        now[0] += 1
        watch.add(1, 1)
    now[0] += 20
    watch.add(20, 1)
    now[0] += 20
    watch.add(20, 1)
    assert [state[:2] for state in told] == [(n, 6) for n in range(7)]
    assert told[1][2] is None  # too little to tell
    assert told[4][2] == pytest.approx(40)
    assert told[5][2] == pytest.approx(20)
    assert told[6][2] == 0
