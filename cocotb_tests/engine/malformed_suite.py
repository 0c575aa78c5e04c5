"""Each rule of descriptors, broken on an emitted engine: refused, named, and nothing moves."""

import json
from pathlib import Path

import cocotb
import numpy as np

from cimforge.cocotb_tests.engine.bare_bench import BareBench
from cimforge.cocotb_tests.engine.broken_rules import Broken, broken_rules
from cimforge.cocotb_tests.engine.program_draw import Program, draw_program, packed
from cimforge.golden.engine import EngineModel
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES

BEFORE = 2  # most good descriptors in front of a broken one
RULES = (  # between fields, each of which must be met
    *("load.rows", "copy.lines", "copy.count", "copy.target", "run.vectors", "run.skip"),
    *("run.skip_x", "run.skip_y", "store.vectors", "store.outputs", "store.channel"),
    "store.highest",
)


async def refused(bench: BareBench, program: Program, model: EngineModel, broken: Broken) -> None:
    """STOREs, a broken descriptor, and another STORE: all up to it has its effect, nothing else."""
    rng, layout = bench.rng, program.layout
    before = rng.randrange(BEFORE + 1)
    stores = [d for d in program.descriptors if d[0] == "store"]
    drawn = [packed(bench.config, [rng.choice(stores)]) for _ in range(before + 1)]
    bad = np.array(broken.words, "<u4").view(np.uint8)
    queue = np.concatenate([*drawn[:-1], bad, drawn[-1]])
    for memory in (bench.agent.image, model.memory.data):
        memory[layout.queue : layout.queue + len(queue)] = queue
    words = model.memory.words_written
    result = model.run_queue(program.base + layout.queue, before + 2)
    assert result.error is not None, broken.rule
    assert (result.error.cause, result.error.index) == ("descriptor", before)

    bench.agent.reads = []
    await bench.control("clear")
    await bench.start(program.base + layout.queue, before + 2)
    status = await bench.ended()
    assert (status["error"], status["done"]) == (1, 0), (broken.rule, status)
    assert await bench.error() == ("descriptor", broken.number, before), broken.rule
    assert await bench.read("queue_done") == before
    assert await bench.read("written_words") == model.memory.words_written - words
    for counter in ("vectors", "compute", "macs_low"):
        assert await bench.read(counter) == 0, (broken.rule, counter)
    first = program.base + layout.queue
    assert set(bench.agent.reads) <= {*range(first, first + len(queue), bench.config.bus_bytes)}
    bench.agrees(model)


@cocotb.test()
async def every_rule_broken(dut):
    """Behind each the engine goes on with what it had; now and then a whole program runs."""
    bench = BareBench(dut)
    rng = bench.rng
    program = draw_program(bench.config, rng, 6, [("store", {"raw": raw}) for raw in (0, 1)])
    await bench.begin(program, rng.getrandbits(32), 0.8, 2)
    await bench.runs(program)
    model = EngineModel(bench.config, program.image.copy(), program.base)
    model.run_queue(program.base, len(program.descriptors))
    met: set[str] = set()
    for number, broken in enumerate(broken_rules(bench.config)):
        met.add(broken.rule)
        await refused(bench, program, model, broken)
        if number % 40 == 39:
            other = draw_program(bench.config, rng, 2)
            await bench.runs(other)
            bench.remember(program._replace(image=model.memory.data))
            again = len(program.descriptors) - 2  # all state is as before
            queue = packed(bench.config, program.descriptors[:again])
            assert len(queue) <= program.layout.weights
            for memory in (bench.agent.image, model.memory.data):
                memory[: again * DESCRIPTOR_BYTES] = queue
            await bench.start(program.base, again)
            assert (await bench.ended())["done"]
            assert model.run_queue(program.base, again).error is None
            bench.agrees(model)
    missing = [rule for rule in RULES if f"{rule} with others" not in met]
    assert not missing, f"{missing} were not broken"
    Path("broken.json").write_text(json.dumps(sorted(met)))
    print(f"{len(met)} rules broken")
