"""Positions, the buffer's reads, and the reference of what is gathered, by hand and by golden."""

from itertools import product
from random import Random

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.sim import Simulator

from cimforge.golden.engine_gather import gather_vectors
from cimforge.hdl.engine.activation_buffer import ActivationBuffer, lane_width
from cimforge.hdl.engine.positions import POSITION, far_sum
from cimforge.hdl.tests.engine_configs import RUN_ENGINES
from cimforge.hdl.tests.inlined import inlined
from cimforge.hdl.tests.run_draw import KINDS
from cimforge.hdl.tests.run_reference import fields_of_run, pieces, setup_cycles, vectors

LINE = {
    **{"bank": 0, "signed": 0, "accumulate": 0, "bits": 0, "sums": 0, "skip": 0},
    **{"skip_x": 0, "skip_y": 0},
}


def simulate(block, bench):
    """Run a testbench on a block and all inside it."""
    with inlined():
        simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_positions_are_exact_near_the_image_and_stay_outside_far_from_it():
    m = Module()
    position, step = Signal(POSITION), Signal(signed(18))
    total = far_sum(m, position, step, "total")
    edges = [0, 1, 2**15, 2**16 - 1, 2**16, 2**17 - 1, -1, -(2**15), -(2**15) - 2047]

    async def bench(ctx):
        for a, b in product(edges, edges):
            if a < 0 and b < 0:
                continue
            ctx.set(position, a)
            ctx.set(step, b)
            found = ctx.get(total)
            assert found == a + b if a + b < 2**17 else 2**16 <= found < 2**17

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("name", ["tiny", "parallel", "binary", "slices"])
def test_a_word_is_read_at_every_byte(name):
    """Written in whole bus words and single bytes; the last words wrap to the first."""
    config = RUN_ENGINES[name]
    print("seed 31")
    draw, block = Random(31), ActivationBuffer(config)
    ring, size = [0] * config.act_bytes, config.bus_bytes
    kept = (1 << lane_width(config)) - 1

    async def bench(ctx):
        for number in range(2 * config.act_bytes // size):
            place = number * size % config.act_bytes
            strobe = (1 << size) - 1 if number * size < config.act_bytes else draw.getrandbits(size)
            word = [draw.getrandbits(8) for _ in range(size)]
            for byte in range(size):
                ring[place + byte] = word[byte] if strobe >> byte & 1 else ring[place + byte]
            ctx.set(block.write, 1)
            ctx.set(block.address, place)
            ctx.set(block.strobe, strobe)
            ctx.set(block.data, int.from_bytes(bytes(word), "little"))
            await ctx.tick()
        ctx.set(block.write, 0)
        ctx.set(block.enable, 1)
        for place in range(config.act_bytes + block.latency):
            if place >= block.latency:
                first = place - block.latency
                lanes = range(config.gather_bytes)
                expected = [ring[(first + n) % config.act_bytes] & kept for n in lanes]
                word = ctx.get(block.word)
                assert [word >> n * lane_width(config) & kept for n in lanes] == expected
            ctx.set(block.read_address, place % config.act_bytes)
            await ctx.tick()

    simulate(block, bench)


def test_vectors_of_a_convolution_worked_by_hand():
    """An image of 3 x 3 pixels with the values 1..9, a kernel of 2 x 2, one pixel of padding, the
    kernel's first pixel left out: vectors of (0, 1), (1, 0), (1, 1), then rows beyond."""
    config = RUN_ENGINES["tiny"]
    memory = [0] * config.act_bytes
    memory[-2:], memory[:7] = [1, 2], [3, 4, 5, 6, 7, 8, 9]  # across the end of the ring
    run = LINE | {
        **{"source": config.act_bytes - 2, "line_bytes": 3, "lines": 3, "image_pitch": 9},
        **{"segment": 1, "segments_x": 2, "segments_y": 2, "step_x": 1, "step_y": 1, "skip_x": 1},
        **{"stride_x": 2, "stride_y": 2, "count_x": 2, "count_y": 2, "vectors": 4, "length": 8},
        **{"origin_x": -1, "origin_y": -1, "pad": 15},
    }
    rest = [0] * 5
    expected = [[15, 15, 1], [15, 2, 3], [4, 15, 7], [6, 8, 9]]
    assert vectors(config, memory, run) == [vector + rest for vector in expected]
    assert pieces(config, run) == 3
    assert pieces(config, run | {"skip_x": 0}) == 4
    assert setup_cycles(run) == 2
    assert setup_cycles(run | {"skip_y": 1, "stride_y": 9}) == 6
    assert setup_cycles(run | {"origin_y": 0, "segments_y": 1, "count_y": 1, "skip_x": 0}) == 0


@pytest.mark.parametrize("name", RUN_ENGINES)
def test_golden_gathers_the_same(name):
    config = RUN_ENGINES[name]
    print("seed 32")
    draw = Random(32)
    memory = np.array([draw.getrandbits(8) for _ in range(config.act_bytes)], np.uint8)
    inside = 0
    for number in range(60):
        run = KINDS[number % len(KINDS)](config, draw)
        assert set(run) == set(fields_of_run(config))
        found = vectors(config, memory.tolist(), run)
        assert gather_vectors(config, memory, run).tolist() == found
        inside += any(map(any, found)) and run["pad"] not in found[0]
    assert inside > 20
