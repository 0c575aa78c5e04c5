"""Layers on an emitted engine, whose memory is Verilog: results, and what its counters say."""

import json
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout

from cimforge.cocotb_tests.engine.engine_job import job_engine
from cimforge.cocotb_tests.feed.fed_layers import layer_of
from cimforge.cocotb_tests.feed.feed_design import COUNTERS, FIRST
from cimforge.flow.simulate.job import load_job
from cimforge.golden.engine import EngineModel
from cimforge.host.engine_plan import plan_layer

PERIOD_NS = 10


@cocotb.test()
async def layers_are_computed_and_counted(dut):
    """Each of the job's ``layers``: memory is as golden leaves it; counts go to counts.json."""
    config, told = job_engine(), []
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    dut.load.value = dut.start.value = 0
    dut.rst.value = 1
    for _ in range(3):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    for spec in load_job()["layers"]:
        layer, batch = layer_of(config, spec)
        plan = plan_layer(config, layer, batch, base=FIRST)
        image = _image(plan, spec.get("draw", 1))
        Path("memory.hex").write_text(_hex(image, config.bus_bytes))
        await _run(dut, plan)
        counts = {name: int(getattr(dut, name.removeprefix("count_")).value) for name in COUNTERS}
        model = EngineModel(config, image.copy(), FIRST)
        assert model.run_queue(plan.queue.address, len(plan.commands)).error is None
        got, wanted = _bytes(config.bus_bytes, len(image)), np.asarray(model.memory.data)
        places = np.flatnonzero(got != wanted[: len(image)])
        assert not len(places), f"{spec}: {len(places)} bytes, from {places[0]} on"
        told.append({"layer": spec, "predicted": plan.cycles, **counts})
        Path("counts.json").write_text(json.dumps(told))


async def _run(dut, plan) -> None:
    """Memory, then the queue, to its end."""
    dut.load.value = 1
    await RisingEdge(dut.clk)
    dut.load.value = 0
    dut.base.value, dut.count.value, dut.start.value = plan.queue.address, len(plan.commands), 1
    await RisingEdge(dut.clk)
    dut.start.value = 0
    await RisingEdge(dut.clk)
    limit = (4 * plan.cycles + 10_000) * PERIOD_NS
    await with_timeout(RisingEdge(dut.over), limit, "ns")
    await RisingEdge(dut.clk)
    assert int(dut.failure.value) == 0, "the queue has failed"


def _image(plan, draw: int) -> np.ndarray:
    """Memory of a plan, inputs drawn."""
    image = np.zeros(-(-(plan.end - FIRST) // 64) * 64, np.uint8)
    for address, data in plan.segments():
        image[address - FIRST :][: len(data)] = np.frombuffer(data, np.uint8)
    low = plan.inputs.address - FIRST
    drawn = np.random.default_rng(draw).integers(0, 256, plan.inputs.size, dtype=np.uint8)
    image[low : low + plan.inputs.size] = drawn
    return image


def _hex(image: np.ndarray, size: int) -> str:
    """Words for $readmemh."""
    return "\n".join(word.tobytes()[::-1].hex() for word in image.reshape(-1, size)) + "\n"


def _bytes(size: int, count: int) -> np.ndarray:
    """The first bytes of what $writememh wrote."""
    words = [line for line in Path("results.hex").read_text().split() if not line.startswith("//")]
    data = b"".join(bytes.fromhex(word)[::-1] for word in words[: count // size])
    return np.frombuffer(data, np.uint8)
