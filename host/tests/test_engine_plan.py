"""Plans against what a layer's definition says, on the golden engine, and free of races."""

import random

import numpy as np
import pytest

from cimforge.golden.engine import EngineModel
from cimforge.host.engine_choice import choices
from cimforge.host.engine_layer import ConvolutionLayer, LinearLayer, Requantisation
from cimforge.host.engine_plan import plan_layer
from cimforge.host.engine_shape import Choice
from cimforge.host.tests.engine_bench import (
    ENGINES,
    engine,
    random_convolution,
    random_inputs,
    random_linear,
    reference,
    run_plan,
)
from cimforge.host.tests.engine_hazards import hazards

KINDS = {"linear": random_linear, "convolution": random_convolution}


def words(plan) -> np.ndarray:
    return np.frombuffer(plan.descriptors, "<u4").reshape(-1, 16)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ENGINES)
def test_plans_compute_the_layer_and_race_nowhere(name, kind):
    config = ENGINES[name]
    for seed in range(6 if config.outputs > 1 else 2):
        print("seed", seed)
        rng = random.Random(f"{name} {kind} {seed}")
        layer, batch = KINDS[kind](rng, config), rng.choice([1, 2, rng.randint(1, 12)])
        plan = plan_layer(config, layer, batch, base=rng.choice([0, 640]))
        x = random_inputs(rng, config, layer, batch)
        expected = reference(layer, x)
        assert np.array_equal(run_plan(plan, x), expected)
        others = list(choices(plan.image.tiling, plan.run))
        for choice in rng.sample(others, min(2, len(others))):
            plan = plan_layer(config, layer, batch, choice=choice)
            assert np.array_equal(run_plan(plan, x), expected), choice
            assert hazards(config, words(plan), plan.end) == []


def test_the_guard_sees_races():
    """Without fences there are some; with any one of them lifted there is one."""
    rng, seen = random.Random(6), 0
    for name in ("two banks", "one bank", "few channels"):
        config = ENGINES[name]
        plan = plan_layer(config, random_linear(rng, config), 9)
        fenced = words(plan)
        assert hazards(config, fenced, plan.end) == []
        for number, word in enumerate(fenced[:, 0]):
            for bit in range(3):
                lifted = fenced.copy()
                lifted[number, 0] |= 256 << bit
                if lifted[number, 0] != word:
                    assert hazards(config, lifted, plan.end), (name, number, bit)
                    seen += 1
    assert seen > 10


def test_a_plan_without_overlap_needs_no_order_of_units():
    """Two banks, two halves of the buffer, sums for all: nothing waits but the first and last."""
    config = engine({}, act_bytes=256, acc_vectors=64, channels=64)
    layer = LinearLayer(weights=np.ones((12, 40), int), requantise=Requantisation(multiplier=9))
    plan = plan_layer(config, layer, 8)
    waits = [n for n, c in enumerate(plan.commands) if c.fields["beside"] != 7]
    assert len(waits) <= 8
    names = [command.name for command in plan.commands]
    assert names[:3] == ["copy", "load", "run"]
    assert "load" in names[names.index("run") : names.index("run") + 3]


def test_sums_of_a_part_are_kept_until_the_next_but_one_where_there_is_room():
    """So a STORE has a whole part's time."""
    layer = LinearLayer(weights=np.ones((4, 8), int), requantise=Requantisation(multiplier=9))
    plan = plan_layer(engine({}), layer, 12, choice=Choice("tiles", 4, 1))
    runs = [command.fields for command in plan.commands if command.name == "run"]
    assert [run["sums"] for run in runs] == [0, 4, 8]
    assert all(run["beside"] & 4 for run in runs)  # beside the STORE of the part before


def test_layers_follow_one_another_in_memory():
    """Results of one are the inputs of the next: two convolutions, and a linear layer of all."""
    config, draw = ENGINES["two banks"], np.random.default_rng(3)
    told = {"requantise": Requantisation(multiplier=1 << 29, shift=-1, lowest=-8, highest=7)}
    first = ConvolutionLayer(
        weights=draw.integers(-8, 8, (4, 3, 3, 2)), height=5, width=6, padding=1, **told
    )
    second = ConvolutionLayer(weights=draw.integers(-8, 8, (3, 2, 2, 4)), height=5, width=6, **told)
    third = LinearLayer(weights=draw.integers(-8, 8, (5, 60)), **told)
    plans, base, inputs = [], 0, None
    for layer in (first, second, third):
        plans.append(plan_layer(config, layer, 1, base=base, inputs=inputs))
        base, inputs = plans[-1].end, plans[-1].outputs.address
    memory = bytearray(base + 64)
    for address, data in (segment for plan in plans for segment in plan.segments()):
        memory[address : address + len(data)] = data
    x = draw.integers(-8, 8, (1, 5, 6, 2))
    _, data = plans[0].image.inputs(x)
    memory[plans[0].inputs.address : plans[0].inputs.address + len(data)] = data
    model = EngineModel(config, memory)
    for plan in plans:
        assert model.run_queue(plan.queue.address, len(plan.commands)).error is None
    out = plans[-1].outputs
    told_last = bytes(memory[out.address : out.address + out.size])
    y = reference(second, reference(first, x)).reshape(1, 60)
    assert np.array_equal(plans[-1].image.results(told_last, 1, 8), reference(third, y))
