"""The option --cluster as text."""

import pytest

from cimforge.explore.cluster.cluster_place import HERE, ClusterPlace, open_crew, parse_place
from cimforge.hdl.params.config_file import InputError


def test_places():
    assert parse_place("local") is HERE
    assert parse_place("local:3") == ClusterPlace(3)
    assert parse_place("tcp://a-b.c:8786") == ClusterPlace(address="tcp://a-b.c:8786")
    assert parse_place("tcp://[::1]:1").address == "tcp://[::1]:1"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("local:0", r"N must be in 1..256, not '0' \(nearest legal value: 1\)"),
        ("local:257", r"not '257' \(nearest legal value: 256\)"),
        ("local:", "N must be in 1..256, not ''$"),
        ("local:two", "N must be in 1..256, not 'two'$"),
        ("here", "must be local, local:N or tcp://HOST:PORT"),
        ("tcp://host", "must be local, local:N or tcp://HOST:PORT"),
        ("tcp://host:0", r"with a port in 1..65535, not 'tcp://host:0'"),
        ("tcp://host:65536", r"with a port in 1..65535"),
        ("udp://host:1", "must be local, local:N or tcp://HOST:PORT"),
    ],
)
def test_illegal_places_say_what_is_legal(text, rule):
    with pytest.raises(InputError, match=rule):
        parse_place(text)


def test_local_processes_are_as_many_as_are_asked_for():
    assert open_crew(HERE, 5, print).jobs == 5
    assert open_crew(ClusterPlace(2), 5, print).jobs == 2
