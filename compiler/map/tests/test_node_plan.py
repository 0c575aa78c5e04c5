"""Plans of products from sizes: what shares a macro, how macros share, digits of wide operands."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimforge.compiler.map import node_plan
from cimforge.compiler.map.node_jobs import NodeJobs
from cimforge.compiler.map.node_plan import parts_together, plan_node
from cimforge.compiler.map.operand_digits import digit_values, digits_of
from cimforge.compiler.map.product_trace import PartSize, part_sizes
from cimforge.compiler.precision import Precision
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.tiling import run_job_golden
from cimforge.hdl.params.config import MacroConfig

S8 = Precision(8, True)


@pytest.mark.parametrize(
    ("many", "k", "n", "together"),
    [(64, 9, 1, 7), (64, 9, 2, 7), (5, 9, 1, 5), (8, 33, 1, 1), (8, 64, 16, 1), (20, 3, 3, 5)],
)
def test_what_fits_side_by_side(many, k, n, together):
    assert parts_together(64, 16, [PartSize(4, k, n)] * many) == together


@pytest.mark.parametrize(
    ("macros", "shares"),
    [
        (1, [(0, 10, 6)]),  # (first vector, last, tiles)
        (2, [(0, 10, 2), (0, 10, 4)]),
        (3, [(0, 10, 2)] * 3),
        (7, [(0, 5, 2), (5, 10, 2)] * 3),
    ],
)
def test_columns_are_shared_then_vectors(macros, shares):
    config = MacroConfig(rows=20, cols=3)
    (plan,) = plan_node(config, S8, S8, [PartSize(10, 33, 8)], macros)
    assert [(job.first, job.last, len(job.tiles.tiles)) for job in plan.jobs] == shares
    assert [job.macro for job in plan.jobs] == list(range(len(shares)))


@given(
    bits=st.integers(1, 32), signed=st.booleans(), limit=st.integers(1, 16), seed=st.integers(0, 99)
)
def test_digits_add_up_to_the_value(bits, signed, limit, seed):
    held = Precision(bits, signed)
    draw = np.random.default_rng(seed)
    values = draw.integers(held.low, held.high + 1, 50)
    values[:2] = held.low, held.high
    total = np.zeros_like(values)
    for digit in digits_of(held, limit):
        own = digit_values(values, digit, held)
        assert digit.held.bits <= limit
        assert own.min() >= digit.held.low
        assert own.max() <= digit.held.high
        total += own << digit.shift
    assert (total == values).all()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 9999),
    rows=st.integers(1, 20),
    cols=st.integers(1, 5),
    bits=st.sampled_from([(8, 8, 8), (4, 4, 4), (3, 6, 2), (16, 5, 5), (1, 1, 1)]),
    macros=st.integers(1, 5),
    most=st.sampled_from([node_plan.MOST_RESULTS, 40]),
)
def test_sums_of_any_parts_on_any_macros_are_numpys(seed, rows, cols, bits, macros, most):
    draw = np.random.default_rng(seed)
    input_bits, weight_bits, slice_bits = bits
    config = MacroConfig(
        rows=rows,
        cols=cols,
        input_bits=input_bits,
        weight_bits=weight_bits,
        slice_bits=slice_bits,
        banks=int(draw.integers(1, 4)),
    )
    wide = draw.integers(1, (3 * input_bits + 1, 2 * weight_bits + 2))
    held = Precision(int(wide[0]), True), Precision(int(wide[1]), False)
    parts: list[Part] = []
    for _ in range(int(draw.integers(1, 4))):  # runs of equal parts
        vectors, k, n = draw.integers(0, 6), draw.integers(1, 30), draw.integers(1, 9)
        for _ in range(int(draw.integers(1, 6))):
            x = draw.integers(held[0].low, held[0].high + 1, (vectors, k))
            w = draw.integers(held[1].low, held[1].high + 1, (k, n))
            parts.append(Part(x, w, 0))
    found = []
    with patch.object(node_plan, "MOST_RESULTS", most):
        plans = plan_node(config, *held, part_sizes(parts), macros)
    for plan in plans:
        jobs = NodeJobs(plan, parts, held)
        for planned, job in jobs:
            results = run_job_golden(config, job)
            assert results.size <= max(most, len(job.weights) * cols * len(config.modes))
            jobs.take(planned, job, results)
        found += jobs.sums()
    assert len(found) == len(parts)
    for told, part in zip(found, parts, strict=True):
        assert (told == part.x @ part.w).all()


def test_a_macro_of_signs_is_refused():
    config = MacroConfig(weight_bits=1, input_bits=1, multiply="xnor")
    with pytest.raises(ValueError, match=r"^a network needs integers, .*set multiply=plain"):
        plan_node(config, S8, S8, [PartSize(1, 1, 1)])
