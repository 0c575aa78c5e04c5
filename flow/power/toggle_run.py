"""Runs the timed netlist in Icarus and counts its toggles while it runs."""

import os
import re
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cimforge.flow.power.power_bench import BenchFiles
from cimforge.flow.power.timed_netlist import MARKS
from cimforge.flow.power.toggles import ToggleCounter, Toggles
from cimforge.flow.simulate.bounded_run import CommandError, first_error, run_commands
from cimforge.flow.simulate.tool_environment import clean_environment
from cimforge.hdl.params.config_file import InputError

__all__ = ["WrongResultsError", "check_icarus", "count_toggles"]

PIECE = 1 << 22  # bytes
DUMP = "toggles.vcd"
DONE = re.compile(r"^CHECKED (\d+) wrong (\d+)$", re.M)


class WrongResultsError(Exception):
    """The netlist did not compute what golden does; the text says how."""


def check_icarus() -> None:
    """Raise InputError, naming the way to get it, where Icarus is not installed."""
    for program in ("iverilog", "vvp"):
        if shutil.which(program) is None:
            hint = "install Icarus Verilog (Debian: apt install iverilog)"
            raise InputError(f"power: no {program} on PATH; {hint}")


def count_toggles(
    folder: Path,
    bench: BenchFiles,
    nets: int,
    half_ps: int,
    progress: Callable[[int, int], None],
) -> dict[str, Toggles]:
    """Toggles of ``nets`` by mark, of the bench and the core.v in ``folder``.

    The dump goes through a pipe and is never stored. Raises CommandError where Icarus fails and
    WrongResultsError where a result differs from golden's, or none comes.
    """
    for name, text in bench.texts.items():
        (folder / name).write_text(text)
    environment = clean_environment()
    compile_ = ["iverilog", "-g2005", "-gspecify", "-s", "bench", "-o", "bench.vvp"]
    run_commands([[*compile_, "bench.v", "core.v"]], folder, environment, folder / "icarus.log")
    counter = ToggleCounter(nets, MARKS, start=half_ps, period=2 * half_ps)
    log = folder / "vvp.log"
    status = _play(folder, environment, log, counter, bench, progress)
    counter.finish()
    _check(log, status, bench, f"at {2 * half_ps / 1000:g} ns")
    return counter.kinds


def _play(
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    counter: ToggleCounter,
    bench: BenchFiles,
    progress: Callable[[int, int], None],
) -> int:
    """Run the simulation, its dump through ``counter``; its exit status."""
    pipe = folder / DUMP
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with log.open("wb") as said:
            process = subprocess.Popen(
                ("vvp", "-n", "bench.vvp"),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        try:
            for piece in _pieces(reader, process):
                counter.feed(piece)
                done = min(counter.counted, bench.cycles)
                progress(bench.vectors * done // bench.cycles, bench.vectors)
        finally:
            process.kill()
            process.wait()
    finally:
        os.close(reader)
        pipe.unlink(missing_ok=True)
    return process.returncode


def _pieces(reader: int, process: subprocess.Popen) -> Iterator[bytes]:
    """What comes through the pipe until the process has ended."""
    while True:
        select.select([reader], [], [], 0.1)
        try:
            piece = os.read(reader, PIECE)
        except BlockingIOError:
            continue
        if piece:
            yield piece
        elif process.poll() is not None:  # nobody writes, and nobody will
            return
        else:
            _wait(process)


def _wait(process: subprocess.Popen) -> None:
    try:
        process.wait(0.02)
    except subprocess.TimeoutExpired:
        return


def _check(log: Path, status: int, bench: BenchFiles, when: str) -> None:
    """Raise where the run did not end well, or computed something else."""
    text = log.read_text(errors="replace")
    found = DONE.search(text)
    if "STUCK" in text:
        raise WrongResultsError(f"{when} the netlist gives no more results")
    if status or not found:
        raise CommandError(first_error(log) or f"vvp ended with status {status} and no message")
    if int(found[2]) or int(found[1]) != bench.vectors:
        raise WrongResultsError(
            f"{when} {found[2]} of {bench.vectors} results of the netlist differ from golden's"
        )
