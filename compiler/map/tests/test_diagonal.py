"""Groups side by side: every sum is that of its group alone, and no macro takes more than fits."""

import numpy as np
import pytest

from cimforge.compiler.map.diagonal import packed, parts_together, unpacked
from cimforge.compiler.reference.lowering import Part


def parts(count: int, depth: int, width: int, rows: int = 4) -> list[Part]:
    draw = np.random.default_rng(count + depth)
    return [
        Part(draw.integers(-9, 9, (rows, depth)), draw.integers(-9, 9, (depth, width)), n * width)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "depth", "width", "together"),
    [(64, 9, 1, 7), (64, 9, 2, 7), (5, 9, 1, 5), (8, 33, 1, 1), (8, 64, 16, 1), (20, 3, 3, 5)],
)
def test_sums_are_those_of_each_group(count, depth, width, together):
    given = parts(count, depth, width)
    assert parts_together(64, 16, given) == together
    found = []
    for pack in packed(64, 16, given):
        assert pack.parts <= together
        assert pack.w.shape == (depth * pack.parts, width * pack.parts)
        found += unpacked(pack, pack.x @ pack.w)
    assert len(found) == count
    for told, part in zip(found, given, strict=True):
        assert (told == part.x @ part.w).all()


def test_parts_of_several_sizes_stay_alone():
    given = [*parts(2, 3, 1), *parts(1, 4, 1)]
    assert parts_together(64, 16, given) == 1
    assert [pack.parts for pack in packed(64, 16, given)] == [1, 1, 1]
