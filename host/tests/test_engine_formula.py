"""The closed formula of how well an engine is fed: by hand, and against the cycles of plans."""

import numpy as np
import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_cost import computing
from cimforge.host.engine_feed import Feed, feed_of
from cimforge.host.engine_layer import LinearLayer, Requantisation
from cimforge.host.engine_plan import plan_layer

LAYERS = [(640, 128), (256, 256), (100, 200)]


def engine(bus_bits: int, **macro) -> EngineConfig:
    own = MacroConfig(**{"banks": 2} | macro)
    room = {"acc_vectors": 65535, "act_bytes": 1 << 20}
    return EngineConfig(macro=own, bus_bits=bus_bits, lanes=min(16, bus_bits // 8), **room)


def layer(inputs: int, outputs: int) -> LinearLayer:
    told = Requantisation(multiplier=1 << 30, shift=-9)
    return LinearLayer(weights=np.ones((outputs, inputs), int), requantise=told)


def test_a_layer_by_hand():
    """64 x 16 x 8 bits, 32-bit bus: 64 rows of 4 words, 16 words of a vector, 4 groups of results;
    one tile, ten vectors: STOREs take 10 * (5 + 1/9) cycles, less than what follows a LOAD."""
    feed = feed_of(engine(32), 64, 16)
    assert feed == Feed(
        rows=1,
        columns=1,
        planes=8,
        interval=8,
        load=256,
        slots=0,
        copy=16.0,
        store=5.0,
        channels=64.0,
        words=16,
        latency=9,
        most=65535,
    )
    last = (256 + 6 + 2 * 16) + 64 + 6 + 2 * 16
    start = 10 * 16 + 256 + 2 * 6 + 3 * 16 + 2 * 6 + 8
    assert feed.cycles(10) == last + start + 9 + 10 * 5 + 23 + 16 + 6
    assert feed.alone == 256 + 16 + 9


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("bus", [32, 64, 128])
def test_the_least_batch_is_that_of_the_plan(k, bus):
    """At the formula's least batch the plan computes nine tenths of its cycles within a twentieth,
    which a step of one vector may be, and for layers of several tiles of rows the formula's cycles
    are the plan's within a thirtieth."""
    for inputs, outputs in LAYERS:
        config = engine(bus, bits_per_cycle=k)
        feed = feed_of(config, inputs, outputs)
        least = feed.least_batch()
        if least is None:
            assert feed.limit()
            continue
        plan = plan_layer(config, layer(inputs, outputs), least)
        share = computing(plan.image.tiling, least) / plan.cycles
        assert 0.88 <= share <= 0.95, (inputs, outputs, least, share)
        assert feed.cycles(least) == pytest.approx(plan.cycles, rel=0.034), (inputs, outputs)


def test_what_keeps_any_batch_below():
    """k = 8 on 32 bits: results of 16 columns leave by 4 a cycle, and a vector's 64 elements come
    by 4, eight columns long; and a share that a pass of two cycles for a plane does not reach."""
    assert feed_of(engine(32, bits_per_cycle=8), 640, 128).limit() == "copies, stores"
    assert feed_of(engine(32), 1280, 16).limit() == "copies"
    tables = engine(128, bits_per_cycle=8, storage="lutram", tree="behavioral")
    assert "passes" in feed_of(tables, 640, 128).limit()
    few = EngineConfig(macro=MacroConfig(banks=2), acc_vectors=300, lanes=4)
    assert feed_of(few, 640, 128).limit() == "sums"  # 37 vectors of eight columns
    assert feed_of(few, 640, 64).limit() == ""
    feed = feed_of(engine(32), 640, 128)
    assert feed.limit() == ""
    assert feed.least_batch(0.5) < feed.least_batch(0.9) < feed.least_batch(0.97)
