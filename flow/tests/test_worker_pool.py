"""Processes that work for another: Ctrl-C at any moment ends all of them, in its words alone."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import subprocess, sys, threading
from cimforge.flow.worker_pool import WorkerPool

def work(number):
    subprocess.run(("sleep", f"{0.02 + number % 3 / 100}"))

if __name__ == "__main__":
    threading.Thread(target=threading.Event().wait, daemon=True).start()  # as progress has
    print("begun", flush=True)
    try:
        with WorkerPool(2, sys.argv[1]) as pool:
            for each in pool.ended([pool.submit(work, number) for number in range(100)]):
                each.result()
    except KeyboardInterrupt:
        print("ended", flush=True)
"""
SHOTS = 8
LONGEST = {"fork": 0.2, "spawn": 0.8}  # seconds; a spawned process is starting half that time


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "alone"])
def test_ctrl_c_at_any_moment_is_told_once(tmp_path, start, whole_group):
    """A terminal signals every process of the group, ``kill`` one."""
    script = tmp_path / "pool.py"
    script.write_text(PROGRAM)
    rng = random.Random(f"{start} {whole_group}")
    for shot in range(SHOTS):
        run = subprocess.Popen(
            (sys.executable, script, start),
            start_new_session=True,
            # The tests may run in the background, where Ctrl-C is ignored and stays so in children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert run.stdout.readline() == "begun\n"
            moment = rng.uniform(0, LONGEST[start])
            time.sleep(moment)
            (os.killpg if whole_group else os.kill)(run.pid, signal.SIGINT)
            told = run.communicate(timeout=30)
        finally:
            run.kill()
        assert told == ("ended\n", ""), f"shot {shot}, after {moment:.3f} s"
