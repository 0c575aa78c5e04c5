"""The option --cluster: where a verb's tasks are done."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from cimforge.explore.cluster.cluster_place import HERE, LOCAL, ClusterPlace, open_crew, parse_place
from cimforge.explore.workers import Crew
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts.options import stderr

__all__ = ["cluster_option", "opened_crew"]


def _place(context: click.Context, parameter: click.Parameter, value: str) -> ClusterPlace:
    return parse_place(value)


def cluster_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--cluster; the verb takes ``cluster``."""
    return click.option(
        "--cluster",
        metavar="WHERE",
        default=LOCAL,
        show_default=True,
        callback=_place,
        help="Who works: processes of this machine, local or local:N, or the workers of a Dask "
        "scheduler, tcp://HOST:PORT (make cluster).",
    )(command)


@contextmanager
def opened_crew(place: ClusterPlace, jobs: int | None) -> Iterator[Crew]:
    """Who works there; ``jobs`` is what --jobs says. Raises InputError where it contradicts the
    place."""
    if jobs is not None and place != HERE:
        whose = "its workers say how many" if place.address else "local:N says how many"
        raise InputError(f"--jobs: not with --cluster, where {whose}")
    here = jobs or len(os.sched_getaffinity(0))
    with open_crew(place, here, lambda text: stderr.print(text)) as crew:
        yield crew
