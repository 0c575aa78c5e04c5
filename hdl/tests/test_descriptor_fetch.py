"""Descriptors are read ahead of their use, and nothing of a queue that was stopped is left over."""

import pytest
from amaranth.sim import Simulator

from cimforge.hdl.engine.descriptor_fetch import DescriptorFetch
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_config import EngineConfig

COUNT = 9  # descriptors of the queue that is stopped
AFTER = 40  # cycles looked at behind the stop


@pytest.mark.parametrize(("bus_bits", "burst"), [(32, 16), (64, 2), (256, 1)])
@pytest.mark.parametrize("stopped", [0, 1, 2, 5, 9, 13, 22, 31])
def test_nothing_is_asked_for_behind_a_queue_that_was_stopped(bus_bits, burst, stopped):
    """An error in an early descriptor stops the queue while reads ahead of it are still to come:
    they would stand in front of the next queue's."""
    config = EngineConfig(macro=load_config("tiny"), bus_bits=bus_bits, burst=burst)
    fetch, asked = DescriptorFetch(config), []

    async def bench(ctx):
        ctx.set(fetch.read.ready, 1)
        for signal, value in ((fetch.base, 4096), (fetch.count, COUNT), (fetch.start, 1)):
            ctx.set(signal, value)
        await ctx.tick()
        ctx.set(fetch.start, 0)
        owed: list[bool] = []  # of each word asked for, whether it is its burst's last
        for cycle in range(stopped + AFTER):
            ctx.set(fetch.stop, int(stopped <= cycle < stopped + AFTER // 2))
            ctx.set(fetch.read_data.valid, int(bool(owed)))
            ctx.set(fetch.read_data.last, int(bool(owed) and owed[0]))
            ctx.set(fetch.taken, ctx.get(fetch.valid) & (cycle < stopped))
            owed = owed[1:]
            if ctx.get(fetch.read.valid):
                beats = ctx.get(fetch.read.beats) + 1
                owed += [place + 1 == beats for place in range(beats)]
                asked.append(cycle)
            await ctx.tick()
        assert ctx.get(fetch.quiet)
        assert not ctx.get(fetch.valid), "a descriptor of a queue that is over"

    simulator = Simulator(fetch)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert all(cycle <= stopped + 1 for cycle in asked), asked
