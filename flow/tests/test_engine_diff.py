"""Differences of two engines: what breaks connections, software and queues, and what does not."""

import pytest

from cimforge.flow.config_diff import Change
from cimforge.flow.engine_diff import EngineDiff
from cimforge.hdl.params.engine_file import load_engine


def told(*changed: str) -> dict:
    """Of the small engine and the same with these parameters changed."""
    return EngineDiff(load_engine("engine_small"), load_engine("engine_small", changed)).as_json()


def test_nothing_differs_of_an_engine_from_itself():
    same = told()
    assert not any(value for value in same.values() if isinstance(value, list))
    assert not any(same[key] for key in same if key.startswith("breaks"))


def test_more_lanes_are_taken_in_place():
    wider = told("engine.lanes=4")
    assert wider["parameters"] == [Change("lanes", 1, 4)._asdict()]
    assert {change["what"] for change in wider["registers"]} == {"hash.digest", "size.lanes"}
    assert (wider["ports"], wider["queues"]) == ([], [])
    assert not any(wider[key] for key in wider if key.startswith("breaks"))


def test_another_macro_breaks_queues_and_no_software():
    fewer = told("rows=8")
    assert Change("macro.rows", 16, 8)._asdict() in fewer["parameters"]
    assert fewer["queues"] == [Change("geometry.rows", 16, 8, breaks=True)._asdict()]
    assert Change("load of a bank, row by row", 16, 8)._asdict() in fewer["cycles"]
    assert fewer["breaks_queues"]
    assert not fewer["breaks_software"]
    assert not fewer["breaks_connections"]


@pytest.mark.parametrize(("size", "breaks"), [(4096, False), (1024, True)])
def test_more_room_keeps_queues_and_less_breaks_them(size, breaks):
    other = told(f"engine.act_bytes={size}")
    assert other["queues"] == [Change("act_bytes.bytes", 2048, size, breaks=breaks)._asdict()]
    assert other["breaks_queues"] == breaks


def test_a_wider_memory_bus_breaks_connections():
    wider = told("engine.bus_bits=64")
    broken = {change["what"] for change in wider["ports"] if change["breaks"]}
    assert {"axi_rdata", "axi_wdata", "axi_wstrb"} <= broken
    assert wider["breaks_connections"]
    assert wider["breaks_queues"]  # weights lie in words of the bus
