"""At which slews and loads a macro's arcs are measured: a few points of its library's own."""

from collections.abc import Sequence
from typing import NamedTuple

from cimforge.flow.liberty.characterisation import Physics
from cimforge.flow.liberty.lookup_table import LookupTable

__all__ = ["Axes", "measured_axes"]

SLEWS = (0.0, 0.1, 0.5)  # ns, where the library has no tables
LOADS = (0.1,)  # pF


class Axes(NamedTuple):
    """Points that arcs are measured at: ``slews`` in ns, of clock and inputs alike, and ``loads``
    of outputs in pF, both rising."""

    slews: tuple[float, ...]
    loads: tuple[float, ...]


def measured_axes(cells: Sequence[Physics], largest_load: float = 0.0) -> Axes:
    """The axes for a macro of these cells: slews from 0 (an ideal clock's) over points of the
    library's tables, loads up to the largest that an output takes (pF; 0: not told)."""
    tables = [
        table
        for cell in cells
        for arcs in cell.arcs.values()
        for arc in arcs
        for edge in arc.delays.values()
        for table in edge
    ]
    slews = (0.0, *_of(tables, "slews")) if tables else SLEWS
    loads = tuple(load / 1000 for load in _of(tables, "loads")) if tables else LOADS
    most = largest_load or max(loads, default=0.0) or LOADS[-1]
    shares = (0.0, 1 / 64, 1 / 16, 1 / 4, 1.0)
    return Axes(tuple(sorted(set(slews))), tuple(most * share for share in shares))


def _of(tables: Sequence[LookupTable], axis: str) -> tuple[float, ...]:
    """Points of the longest axis, closer where it begins, for there most slews are; none where no
    table has two."""
    longest: tuple[float, ...] = max((getattr(table, axis) for table in tables), key=len)
    if len(longest) < 2:
        return ()
    last = len(longest) - 1
    return tuple(longest[place] for place in sorted({0, 1, last // 2, last}))
