"""Predicted cycles: by hand, against those that were counted, and what is chosen by them."""

import random
from pathlib import Path

import numpy as np
import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_choice import best_choice, choices, fits, least_batch
from cimforge.host.engine_cost import COMMAND_CYCLES, RUN_CYCLES, computing, predicted
from cimforge.host.engine_image import LayerImage
from cimforge.host.engine_layer import ConvolutionLayer, LinearLayer, Requantisation
from cimforge.host.engine_plan import plan_layer, predicted_cycles
from cimforge.host.engine_shape import Choice, Shape, Tiling
from cimforge.host.engine_timeline import timeline
from cimforge.host.tests.engine_bench import ENGINES, random_convolution, random_linear

README = Path(__file__).parents[1] / "README.md"


def base(banks: int = 2, k: int = 1, bus: int = 32, **more) -> EngineConfig:
    macro = MacroConfig(banks=banks, bits_per_cycle=k)
    return EngineConfig(macro=macro, **{"acc_vectors": 1024, "lanes": 4, "bus_bits": bus} | more)


def linear(inputs: int, outputs: int) -> LinearLayer:
    draw = np.random.default_rng(inputs)
    weights = draw.integers(-128, 128, (outputs, inputs))
    return LinearLayer(weights=weights, requantise=Requantisation(multiplier=1 << 30, shift=-9))


def test_the_published_case_computes_nine_tenths_of_its_cycles():
    """640 x 128 int8, 128 vectors, a 32-bit bus: 80 tiles of 1024 cycles each."""
    plan = plan_layer(base(), linear(640, 128), 128)
    assert computing(plan.image.tiling, 128) == 80 * 128 * 8
    assert plan.cycles <= 80 * 128 * 8 / 0.95
    share, least = 100 * 80 * 128 * 8 / plan.cycles, least_batch(base(), 640, 128)
    told = f"{plan.cycles} cycles, {share:.1f} % of them computing; `least_batch(config, 640, 128)`"
    assert f"{told}, the least batch of 90 %, is {least}." in README.read_text()
    one = plan_layer(base(banks=1), linear(640, 128), 128)
    assert one.cycles > plan.cycles + 70 * 256  # LOADs of 256 words are not hidden


def test_cycles_of_one_tile_by_hand():
    """64 x 16, 10 vectors of 64 bytes: 160 words, weights of 256, 80 cycles, 3 queued fetches."""
    config = base()
    tiling, choice = Tiling(config, Shape(64, 16)), Choice("tiles", 10, 1)
    start = 160 + 256 + 2 * COMMAND_CYCLES + RUN_CYCLES + 3 * 16
    channels = 64 + COMMAND_CYCLES + 2 * 16  # 16 of 4 words: longer than the RUN's 80 cycles
    way, store = 9 + COMMAND_CYCLES, 10 * 5
    assert config.macro.latency() == 9
    assert predicted(tiling, choice, 10) == start + channels + way + store


SHAPES = [(640, 128, 128), (640, 128, 60), (1280, 64, 128), (256, 256, 200), (64, 512, 512)]


@pytest.mark.parametrize(("banks", "k", "bus"), [(2, 1, 32), (2, 2, 64), (2, 1, 128), (1, 1, 64)])
def test_the_formula_is_near_the_cycles_of_the_plan(banks, k, bus):
    """What a choice is made by, of layers that keep the array busy and of those that do not."""
    config = base(banks, k, bus)
    for inputs, outputs, batch in SHAPES:
        plan = plan_layer(config, linear(inputs, outputs), batch)
        told, share = plan.cycles, computing(plan.image.tiling, batch) / plan.cycles
        formula = predicted(plan.image.tiling, plan.choice, batch)
        bound = 0.04 if share > 0.7 else 0.12
        assert abs(formula / told - 1) < bound, (inputs, outputs, batch, formula, told)


def test_memory_that_answers_later_takes_longer():
    """One descriptor after the other waits for it: those that are read ahead do not."""
    plan = plan_layer(base(), linear(64, 16), 8)
    cycles = [timeline(plan.config, plan.commands, answer) for answer in (2, 3, 12)]
    assert cycles[0] == plan.cycles
    assert cycles[0] + 3 <= cycles[1] < cycles[2]
    assert cycles[2] <= cycles[0] + 10 * 2 * len(plan.commands)


TABLES = MacroConfig(banks=2, storage="lutram", tree="behavioral", tree_stages="auto")
# Cycles counted on engines' emitted Verilog, of memory that answers two cycles after it was asked,
# a word a cycle: of (K, N, batch). cocotb_tests/tests/test_engine_feed.py counts others anew.
COUNTED = [
    (base(), (640, 128, 128), 85089),
    (base(), (640, 128, 50), 35420),
    (base(), (64, 256, 100), 15269),
    (base(banks=1), (640, 128, 128), 107446),
    (base(k=2, bus=64), (640, 128, 128), 43888),
    (base(bus=128), (256, 256, 64), 33591),
    (base(lanes=1), (640, 128, 128), 94792),
    (EngineConfig(macro=TABLES, acc_vectors=1024, lanes=4), (640, 128, 128), 149033),
]


@pytest.mark.parametrize(("config", "sizes", "counted"), COUNTED)
def test_predictions_are_within_two_hundredths_of_what_was_counted(config, sizes, counted):
    inputs, outputs, batch = sizes
    plan = plan_layer(config, linear(inputs, outputs), batch)
    assert abs(plan.cycles / counted - 1) < 0.02
    assert abs(predicted(plan.image.tiling, plan.choice, batch) / counted - 1) < 0.02


def test_slots_of_tables_by_hand():
    """Groups of four rows: 1 + 2 + 4 + 8 entries are read as they are filled."""
    assert Tiling(EngineConfig(macro=TABLES), Shape(64, 16)).slots == 16 * 15


def test_the_choice_is_near_the_least_of_all_legal_ones():
    rng = random.Random(8)
    for name in ("two banks", "one bank", "slices", "few channels"):
        for draw in (random_linear, random_convolution):
            image = LayerImage(ENGINES[name], draw(rng, ENGINES[name]))
            batch = rng.randint(1, 9)
            run = plan_layer(image.config, image.layer, batch).run
            told = [predicted(image.tiling, c, run) for c in choices(image.tiling, run)]
            best, cycles = best_choice(image.tiling, run)
            assert min(told) <= cycles <= 1.02 * min(told)
            assert fits(image.tiling, best, run)
            plan = plan_layer(image.config, image.layer, batch)
            assert plan.choice == best
            assert plan.cycles == predicted_cycles(image.config, image.layer, batch)


def test_every_legal_engine_has_a_choice():
    layer = ConvolutionLayer(weights=np.ones((3, 2, 2, 1), int), height=5, width=5)
    for name, config in ENGINES.items():
        image = LayerImage(config, layer if not config.macro.binary else linear_signs())
        assert list(choices(image.tiling, 3)), name


def linear_signs() -> LinearLayer:
    return LinearLayer(weights=np.ones((3, 9), int))


def test_the_least_batch_is_the_first_that_reaches_the_share():
    config = base()
    least = least_batch(config, 640, 128)
    assert least is not None
    tiling = Tiling(config, Shape(640, 128))
    shares = {b: computing(tiling, b) / best_choice(tiling, b)[1] for b in (least - 1, least)}
    assert shares[least - 1] < 0.9 <= shares[least]
    assert 30 < least < 80
    assert least_batch(base(bus=128), 640, 128) < least
    assert least_batch(config, 640, 128, 0.5) < least
    assert least_batch(base(k=8), 640, 128) is None  # two bytes a cycle come, and eight are used
    with pytest.raises(ValueError, match="share must be above 0 and below 1, not 1"):
        least_batch(config, 640, 128, 1)
