"""A whole layer on an emitted engine: its results, and how well the array is fed."""

import json
from pathlib import Path

import cocotb
import numpy as np

from cimforge.cocotb_tests.coverage import Coverage
from cimforge.cocotb_tests.engine.engine_bench import EngineBench
from cimforge.flow.simulate.job import load_job
from cimforge.golden.requantise import requantise
from cimforge.host.engine_layer import LinearLayer, Requantisation
from cimforge.host.engine_plan import plan_layer
from cimforge.host.engine_shape import aligned

BASE = 1 << 20


@cocotb.test()
async def test_a_layer_is_computed_and_the_array_fed(dut):
    """Of ``inputs`` x ``outputs`` for ``batch`` vectors; what was counted goes to counts.json."""
    job = load_job()
    bench = EngineBench(dut)
    draw = np.random.default_rng(job.get("draw", 5))
    count, outputs, batch = job["inputs"], job["outputs"], job["batch"]
    weights = draw.integers(-128, 128, (outputs, count))
    bias = draw.integers(-5000, 5000, outputs)
    multiplier = draw.integers(1 << 30, 1 << 31, outputs)
    shift = draw.integers(-12, -8, outputs)
    rule = Requantisation(multiplier=multiplier, shift=shift, rounding="single")
    layer = LinearLayer(weights=weights, bias=bias, requantise=rule)
    plan = plan_layer(bench.config, layer, batch, base=BASE)
    x = draw.integers(-128, 128, (batch, count))
    image = np.zeros(plan.end - BASE, np.uint8)
    for address, data in plan.segments():
        image[address - BASE : address - BASE + len(data)] = np.frombuffer(data, np.uint8)
    pitch = aligned(bench.config, count)
    lines = image[plan.inputs.address - BASE :][: batch * pitch].reshape(batch, pitch)
    lines[:, :count] = x.astype(np.int8).view(np.uint8)
    await bench.begin(image, BASE)
    ending = await bench.run(plan.queue.address, len(plan.commands))
    assert ending.finished, ending.error
    wanted = requantise(
        x @ weights.T, bias, multiplier, shift, rounding="single", zero=0, lowest=-128, highest=127
    )
    got = bench.image[plan.outputs.address - BASE :]
    for v in range(batch):
        line = got[v * plan.output_pitch :][:outputs].view(np.int8)
        assert (line == wanted[v]).all(), f"vector {v}"
    counts = {**ending.counts, "predicted": plan.cycles}
    Path("counts.json").write_text(json.dumps(counts))
    print(counts)
    Coverage({}).save(Path(job["coverage"]), batch)
