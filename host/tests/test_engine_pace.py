"""The host's numbers of an engine's units are the hardware's."""

import pytest

from cimforge.hdl.engine import burst_reader, command_queue, descriptor_fetch, read_arbiter
from cimforge.hdl.engine.element_slicer import piece_bytes, raw_size
from cimforge.hdl.engine.fetch_unit import FetchUnit
from cimforge.hdl.engine.requantiser import requantiser_latency
from cimforge.host import engine_pace
from cimforge.host.tests.engine_bench import ENGINES


def test_what_units_hold():
    assert engine_pace.DESCRIPTORS_AHEAD == descriptor_fetch.AHEAD
    assert engine_pace.MOST_RUNS == command_queue.MOST_RUNS
    assert engine_pace.MOST_BURSTS == burst_reader.OUTSTANDING
    assert engine_pace.MOST_REQUESTS == read_arbiter.UNANSWERED
    assert FetchUnit.latency == engine_pace.FETCH_CYCLES


@pytest.mark.parametrize("name", ENGINES)
def test_what_depends_on_the_engine(name):
    config = ENGINES[name]
    assert engine_pace.requantise_cycles(config) == requantiser_latency(config)
    assert engine_pace.sum_bytes(config) == 1 << raw_size(config)
    assert engine_pace.piece_bytes(config) == piece_bytes(config)
