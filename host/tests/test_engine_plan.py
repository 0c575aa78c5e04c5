"""Plans against what a layer's definition says, on the golden engine, and free of races."""

import random

import numpy as np
import pytest

from cimforge.host.engine_choice import choices
from cimforge.host.engine_plan import plan_layer
from cimforge.host.tests.engine_bench import (
    ENGINES,
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
    for seed in range(6):
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
