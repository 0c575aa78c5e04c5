"""The table of cell kinds: exact ones keep the sum, and a plan follows each by what it computes."""

from itertools import product

import numpy as np
import pytest

from cimforge.hdl.arith.cell_kinds import KINDS, CellKind
from cimforge.hdl.arith.plan import Cell, Plan

ONE_BIT = {name: kind for name, kind in KINDS.items() if kind.places}


def inputs_of(name: str) -> list[int]:
    """How many inputs a cell of this kind may have."""
    kind = KINDS[name]
    return [len(kind.pins[0])] if kind.leaf else [2, 3]


@pytest.mark.parametrize("name", [name for name, kind in ONE_BIT.items() if kind.exact])
def test_exact_kinds_keep_the_sum(name):
    """Weighted outputs equal the sum of the inputs, but for what lies above the top place."""
    kind = KINDS[name]
    for count in inputs_of(name):
        for bits in product((0, 1), repeat=count):
            made = kind.function(bits, len(kind.places))
            total = sum(bit << place for bit, place in zip(made, kind.places, strict=True))
            above = 1 << max(kind.places) + 1
            assert set(made) <= {0, 1}
            assert total == (sum(bits) % above if name == "xor" else sum(bits))


def test_kinds_with_a_leaf_name_its_ports():
    for kind in (kind for kind in KINDS.values() if kind.leaf):
        assert [*kind.pins[0], *kind.pins[1]] == list(kind.leaf.ports)
        assert len(kind.pins[1]) == len(kind.places)


def test_a_plan_follows_a_cell_of_any_kind(monkeypatch):
    """A cell that makes something else than a sum is evaluated as what it is."""
    either = CellKind("either", lambda bits, _: [bits[0] | bits[1]], (1,), exact=False)
    monkeypatch.setitem(KINDS, "either", either)
    cells = (Cell("either", ((0,), (1,)), (3,), 1), Cell("ha", ((3,), (2,)), (4, 5), 2))
    plan = Plan(3, cells, (None, 4, 5))
    patterns = np.array(list(product((0, 1), repeat=3)))
    want = [2 * (a | b) + 2 * c for a, b, c in patterns]
    assert plan.evaluate(patterns).tolist() == want


def test_controls_are_bits_behind_the_inputs():
    both = Plan(1, (Cell("ha", ((0,), (1,)), (2, 3), 1),), (2, 3), controls=("more",))
    assert both.control_bits == {"more": 1}
    assert [int(both.evaluate(np.array([1]), {"more": more})) for more in (0, 1)] == [1, 2]
    assert int(both.evaluate(np.array([1]))) == 1
