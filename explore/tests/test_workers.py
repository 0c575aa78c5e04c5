"""Processes of this machine: what one that was ended had to do is done again."""

import signal
import subprocess
import sys
import time

import pytest

from cimforge.explore.cluster.tests.sent_tasks import end_here, end_once, whose
from cimforge.explore.workers import Workers
from cimforge.flow.worker_pool import WorkerPool
from cimforge.hdl.params.config_file import InputError


def test_what_an_ended_process_had_to_do_is_done_again(tmp_path):
    marker = tmp_path / "marker"
    with Workers(2) as workers:
        told = list(workers.each(end_once, [(n, (str(marker),)) for n in range(4)]))
        again = dict(workers.each(whose, [(n, (n,)) for n in range(3)]))
    assert sorted(told) == [(n, "done") for n in range(4)]
    assert {n: result[0] for n, result in again.items()} == {0: 0, 1: 1, 2: 4}


def test_a_process_that_ends_while_tasks_are_handed_out_loses_none(tmp_path, monkeypatch):
    """Its pool takes no more, so the rest goes to the next."""
    submit, marker, broken = WorkerPool.submit, tmp_path / "marker", []

    def once_broken(pool, function, number):
        while number == 2 and len(broken) == 0:
            if pool._broken:
                broken.append(pool)
            time.sleep(0.01)
        return submit(pool, function, str(marker))

    monkeypatch.setattr(WorkerPool, "submit", once_broken)
    with Workers(2) as workers:
        told = list(workers.each(end_once, [(n, (n,)) for n in range(4)]))
    assert sorted(told) == [(n, "done") for n in range(4)]


def test_a_task_that_always_ends_its_process_is_given_up(monkeypatch):
    monkeypatch.setattr("cimforge.explore.workers.ALLOWED_FAILURES", 1)
    rule = "processes were ended from outside 2 times, perhaps out of memory"
    with pytest.raises(InputError, match=rule), Workers(2) as workers:
        list(workers.each(end_here, [(1, ())]))


INTERRUPTED = """
from cimforge.explore.cluster.tests.sent_tasks import half_told
from cimforge.explore.workers import Workers

if __name__ == "__main__":
    with Workers(2) as workers:
        for label, _ in workers.each(half_told, [(1, (1_000_000,))]):
            pass
"""


def test_half_a_result_does_not_keep_an_interrupted_run_from_its_end(tmp_path):
    """A process that is ended while it writes a result: who reads it must not wait for the rest."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    run = subprocess.Popen(
        (sys.executable, script),
        # The tests may run in the background, where Ctrl-C is ignored and stays so in children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(6)  # it waits for the other half
        run.send_signal(signal.SIGINT)
        assert run.wait(20) != 0
    finally:
        run.kill()
    assert "KeyboardInterrupt" in run.stderr.read()
