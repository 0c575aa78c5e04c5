"""Two commands of one folder at the same time do not disturb each other."""

import subprocess

from cimforge.scripts.tests.conftest import COMMAND, SIMULATOR, environment


def test_two_regressions_of_one_folder_wait_for_each_other(folder):
    """Each clears and fills the same results: the second begins where the first has ended."""
    command = [*COMMAND, "verify", "tiny", "--simulator", SIMULATOR, "-o", "out"]
    runs = [
        subprocess.Popen(
            [*command, "--test", test],
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for test in ("precision", "reset")
    ]
    messages = [run.communicate(timeout=300)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], messages
    assert sum("waiting for another command that uses" in text for text in messages) == 1
    assert sum("building" in text for text in messages) == 1
