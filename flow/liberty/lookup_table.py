"""A Liberty table over input slew and output load, with values between and beyond its points."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cimforge.flow.liberty.liberty_text import Group

__all__ = ["LookupTable", "TableError", "read_table", "scalar_table"]

LOAD = "total_output_net_capacitance"


class TableError(ValueError):
    """A table that is none; the text says why."""


@dataclass(frozen=True)
class LookupTable:
    """``values`` by ``slews`` (rows) and ``loads`` (columns), each of one point at least.

    Between four points it is bilinear, beyond the last ones the line through them goes on (Liberty
    reference manual, "lu_table_template"). Units are the caller's.
    """

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def value(self, slew: float, load: float) -> float:
        """The value at an input slew and an output load."""
        row, part = _place(self.slews, slew)
        column, share = _place(self.loads, load)
        first = _between(self.values[row], column, share)
        if not part:
            return first
        return first + part * (_between(self.values[row + 1], column, share) - first)


def read_table(
    group: Group, templates: Mapping[str, Group], slew_unit: float, load_unit: float, unit: float
) -> LookupTable:
    """The table in a Liberty ``group``, its axes and values multiplied by the units given.

    Raises TableError where its numbers are none, or are not as many as its axes say.
    """
    values = _numbers(group.arguments("values"))
    template = templates.get(group.args[0]) if group.args else None
    axes = []
    for number in ("1", "2"):
        own = group.arguments(f"index_{number}")
        points = own or (template.arguments(f"index_{number}") if template else ())
        kind = template.values.get(f"variable_{number}", "") if template else ""
        if points:
            axes.append((kind == LOAD, _numbers(points)))
    if group.arguments("index_3") or (template and template.values.get("variable_3")):
        raise TableError(f"{group.kind} has three axes")
    if not template and len(values) == 1:
        axes = []
    if len(axes) == 2 and axes[0][0] == axes[1][0]:
        axes = [(False, axes[0][1]), (True, axes[1][1])]
    count = 1
    for _, axis in axes:
        count *= len(axis)
    if len(values) != count or any(axis != sorted(set(axis)) for _, axis in axes):
        raise TableError(f"{group.kind} has {len(values)} values where its axes say {count}")
    return _arranged(axes, values, slew_unit, load_unit, unit)


def scalar_table(value: float) -> LookupTable:
    """A table of one value."""
    return LookupTable((0.0,), (0.0,), ((value,),))


def _arranged(
    axes: Sequence[tuple[bool, Sequence[float]]],
    values: Sequence[float],
    slew_unit: float,
    load_unit: float,
    unit: float,
) -> LookupTable:
    """The table with slews as rows, whatever the order of its axes."""
    slews = next((points for is_load, points in axes if not is_load), [0.0])
    loads = next((points for is_load, points in axes if is_load), [0.0])
    by_load = bool(axes) and axes[0][0]
    rows, columns = (1, len(slews)) if by_load else (len(loads), 1)
    return LookupTable(
        tuple(slew * slew_unit for slew in slews),
        tuple(load * load_unit for load in loads),
        tuple(
            tuple(values[row * rows + column * columns] * unit for column in range(len(loads)))
            for row in range(len(slews))
        ),
    )


def _numbers(args: Iterable[str]) -> list[float]:
    """The numbers in lists of them."""
    try:
        return [float(word) for arg in args for word in arg.replace(",", " ").split()]
    except ValueError as error:
        raise TableError(str(error)) from None


def _place(points: Sequence[float], at: float) -> tuple[int, float]:
    """The point before ``at``, and how much of the way to the next one."""
    if len(points) == 1:
        return 0, 0.0
    index = min(max(bisect_right(points, at) - 1, 0), len(points) - 2)
    span = points[index + 1] - points[index]
    return index, (at - points[index]) / span if span else 0.0


def _between(row: Sequence[float], column: int, share: float) -> float:
    return row[column] + share * (row[column + 1] - row[column]) if share else row[column]
