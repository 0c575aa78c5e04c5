"""Commands of a simulator: however they end, one line says why, and none runs for ever."""

import os
import sys
import time

import pytest

from cimforge.flow.simulate.bounded_run import CommandError, first_error, run_commands

LOGS = {
    "%Warning-LATCH: m.v:3:1: a latch\n%Error: m.v:7:2: syntax error, unexpected end\n"
    "%Error: Exiting due to 1 error(s)\n": "%Error: m.v:7:2: syntax error, unexpected end",
    "g++ -O1 -c -o a.o a.cpp\na.cpp:3:1: error: 'x' was not declared\n"
    "make: *** [Vtop.mk:84: a.o] Error 1\n": "a.cpp:3:1: error: 'x' was not declared",
    "make: Entering directory 'x'\nmake: g++: No such file or directory\n"
    "make: *** [Vtop.mk:84: a.o] Error 127\n": "make: g++: No such file or directory",
    "g++: fatal error: Killed signal terminated program cc1plus\n"
    "compilation terminated.\nmake: *** [a.o] Error 1\n": "g++: fatal error: Killed signal "
    "terminated program cc1plus",
    "g++ -O1 -c -o a.o a.cpp\ng++: fatal: sick\nmake: *** [a.o] Error 1\n": "g++: fatal: sick",
    "m.v:3: syntax error\nI give up.\n": "m.v:3: syntax error",
    "cc1plus: out of memory allocating 65536 bytes after a total of 3 bytes\n": "cc1plus: out of "
    "memory allocating 65536 bytes after a total of 3 bytes",
    "perl: warning: none\nCan't locate Pod/Usage.pm in @INC\n": "Can't locate Pod/Usage.pm in @INC",
    "hello\n\n": "hello",
    "": "",
}


@pytest.mark.parametrize("text", LOGS)
def test_the_first_error_of_a_log_is_told(tmp_path, text):
    (tmp_path / "log").write_text(text)
    assert first_error(tmp_path / "log") == LOGS[text]
    assert first_error(tmp_path / "nosuch") == ""


def test_a_long_line_is_cut(tmp_path):
    (tmp_path / "log").write_text("error: " + "x" * 10_000)
    assert len(first_error(tmp_path / "log")) == 400


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 3", "tool ended with status 3 and no message"),
        ("echo 'm.v:3: error: no'; exit 1", "m.v:3: error: no"),
        ("kill -9 $$", "tool was ended by SIGKILL, perhaps out of memory"),
        ("echo assertion; kill -11 $$", "tool was ended by SIGSEGV: assertion"),
        ("while :; do sleep 1; done", "tool was ended after 2 s without a sign of life"),
    ],
)
def test_every_end_is_told(tmp_path, script, message):
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    with pytest.raises(CommandError) as caught:
        run_commands([[str(tool)]], tmp_path, os.environ, tmp_path / "log", limit=2)
    assert str(caught.value) == message


def test_a_program_that_does_not_start_is_told(tmp_path):
    (tmp_path / "tool").write_text("#!/no/such/interpreter\n")
    (tmp_path / "tool").chmod(0o755)
    for program in ("tool", "absent"):
        with pytest.raises(CommandError, match=f"{program} does not start: No such file"):
            run_commands([[str(tmp_path / program)]], tmp_path, os.environ, tmp_path / "log")


def test_a_command_that_shows_progress_may_take_long(tmp_path):
    script = "import sys, time\nfor i in range(6): print(i, flush=True); time.sleep(0.5)"
    started = time.monotonic()
    run_commands([[sys.executable, "-c", script]], tmp_path, {}, tmp_path / "log", limit=2.5)
    assert time.monotonic() - started > 2.9
    assert (tmp_path / "log").read_text().split() == [str(i) for i in range(6)]
