"""How many macros a demand takes, against cases counted by hand."""

import pytest

from cimforge.compiler.size.demand import TIERS, Demand
from cimforge.compiler.size.size_plan import plan_size, size_plans
from cimforge.flow.measured_macro import MeasuredMacro
from cimforge.hdl.params.config import MacroConfig

CONFIG = {"rows": 8, "cols": 4, "weight_bits": 4, "input_bits": 4, "banks": 2}


def measured(area=1000.0, period=2.0, **changes):
    return MeasuredMacro(MacroConfig(**{**CONFIG, **changes}), "hand", area, period)


def demand(memory, rate, bits=(4, 4)):
    return Demand("hand", memory, rate, *bits)


def test_memory_decides():
    """8 x 4 weights of 4 bits in 2 banks are 32 bytes; 32 MACs in 4 cycles of 2 ns are 8 GOPS."""
    plan = plan_size(measured(), demand(100, 10e9))
    assert (plan.capacity, plan.rate_each, plan.macros, plan.limit) == (32, 8e9, 4, "memory")
    assert (plan.memory, plan.rate, plan.clock) == (128, 32e9, 500)
    assert plan.area == pytest.approx(0.004)
    assert plan.clock_needed == pytest.approx(500 * 10 / 32)


def test_rate_decides():
    plan = plan_size(measured(), demand(32, 20e9))
    assert (plan.macros, plan.limit, plan.rate) == (3, "rate", 24e9)
    assert plan_size(measured(), demand(32, 24e9)).macros == 3  # reached exactly


def test_fewer_input_bits_take_fewer_cycles():
    """3 bits: 32 MACs in 3 cycles; weights of 3 bits take 3 of the 4 that a cell has."""
    plan = plan_size(measured(), demand(24, 1e9, (3, 3)))
    assert plan.rate_each == pytest.approx(64e9 / 6)
    assert (plan.capacity, plan.macros) == (24, 1)


def test_slices_hold_narrow_weights_side_by_side():
    plan = plan_size(measured(slice_bits=2), demand(32, 1e9, (2, 4)))
    assert (plan.capacity, plan.rate_each) == (32, 16e9)


def test_digits_take_a_cycle_more_for_unsigned_inputs():
    plan = plan_size(measured(multiply="booth", bits_per_cycle=2), demand(1, 1))
    assert plan.rate_each == pytest.approx(64e9 / (3 * 2))


@pytest.mark.parametrize(
    ("changes", "bits", "rule"),
    [
        ({}, (5, 4), "holds 4b x 4b at most, not 5b x 4b"),
        ({}, (4, 8), "holds 4b x 4b at most, not 4b x 8b"),
        ({"period": None}, (4, 4), "hand_untimed"),
    ],
)
def test_what_a_macro_does_not_hold_is_refused(changes, bits, rule):
    own = measured(**changes)
    if own.period is None:
        own = MeasuredMacro(own.config, "hand", own.area, None, why="hand_untimed")
    with pytest.raises(ValueError, match=rule):
        plan_size(own, demand(1, 1, bits))


def test_least_area_first_then_fewest_macros():
    small, large = measured(area=500.0), measured(area=1000.0, banks=4)
    narrow = measured(weight_bits=2)
    plans = size_plans([large, narrow, small], demand(64, 1e9))
    assert [(plan.macros, plan.area) for plan in plans] == [(1, 0.001), (2, 0.001)]
    assert size_plans([small], demand(1, 1, (8, 8))) == []


def test_the_five_tiers():
    told = {tier.name: (tier.memory >> 20, tier.rate / 1e12) for tier in TIERS}
    assert told == {
        "wearable": (2, 0.1),
        "smart camera": (32, 16),
        "mobile": (64, 32),
        "AR/VR": (128, 64),
        "driving": (512, 256),
    }
