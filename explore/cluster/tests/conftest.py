"""A scheduler and workers as processes of their own."""

import signal
import subprocess
from collections.abc import Iterator

import pytest

from cimforge.explore.cluster.own_cluster import OwnCluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[OwnCluster]:
    pytest.importorskip("distributed", reason="a cluster needs Dask (make cluster)")
    with OwnCluster(tmp_path_factory.mktemp("cluster")) as made:
        made.add(TMPDIR=str(tmp_path_factory.mktemp("one")))  # file systems of their own
        made.add(TMPDIR=str(tmp_path_factory.mktemp("two")))
        yield made


def kill(process: subprocess.Popen) -> None:
    """As a machine that loses its power."""
    process.send_signal(signal.SIGKILL)
    process.wait()
