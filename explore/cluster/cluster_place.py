"""Where tasks go: processes of this machine, or workers behind a Dask scheduler."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from cimforge.explore.cluster.dask_workers import DaskWorkers
from cimforge.explore.workers import Crew, Workers
from cimforge.hdl.params.config_file import InputError

__all__ = ["HERE", "LOCAL", "ClusterPlace", "open_crew", "parse_place"]

LOCAL = "local"
MOST_JOBS = 256
ADDRESS = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})", re.ASCII)
MOST_PORT = 65535


@dataclass(frozen=True)
class ClusterPlace:
    """``jobs`` processes here (None: nobody has said how many), or the scheduler at
    ``address``."""

    jobs: int | None = None
    address: str = ""


HERE = ClusterPlace()  # as many processes as the verb takes by itself


def parse_place(text: str) -> ClusterPlace:
    """``local``, ``local:N`` or ``tcp://HOST:PORT``. Raises InputError."""
    kind, colon, number = text.partition(":")
    if kind == LOCAL and not colon:
        return HERE
    if kind == LOCAL:
        jobs = int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else None
        if jobs is not None and 1 <= jobs <= MOST_JOBS:
            return ClusterPlace(jobs)
        near = "" if jobs is None else f" (nearest legal value: {1 if jobs < 1 else MOST_JOBS})"
        raise InputError(f"--cluster {LOCAL}:N: N must be in 1..{MOST_JOBS}, not {number!r}{near}")
    told = ADDRESS.fullmatch(text)
    if told is None or not 1 <= int(told[2]) <= MOST_PORT:
        rule = f"must be {LOCAL}, {LOCAL}:N or tcp://HOST:PORT, with a port in 1..{MOST_PORT}"
        raise InputError(f"--cluster: {rule}, not {text!r}")
    return ClusterPlace(address=text)


def open_crew(place: ClusterPlace, jobs: int, announce: Callable[[str], None]) -> Crew:
    """Who works there, ``jobs`` at once where nobody has said how many; ``announce`` is told what a
    person should know of workers."""
    if place.address:
        return DaskWorkers(place.address, announce)
    return Workers(place.jobs or jobs)
