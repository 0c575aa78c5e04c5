"""Final adder of a carry-save sum, in segments: what its register ranks divide."""

from collections.abc import Sequence
from itertools import pairwise

from cimforge.hdl.arith.plan import Bit, Cell, Plan
from cimforge.hdl.arith.staging import Staging

__all__ = ["plan_segments", "stage_segments"]


def plan_segments(places: Sequence[int], width: int, stages: int, final: str) -> Plan:
    """Sum modulo ``2**width`` of bits at these ``places``, up to two of each, in ``stages + 1``
    steps, one between two of ``stages`` register ranks.

    The places with two bits are shared out among as many segments. In the first step each segment
    adds its own bits; in each further one the next segment takes the carry of the one below it.
    What crosses a rank is a bit a place, and the carries that are still to come. A segment is one
    cell of kind ``final``.
    """
    return _Segments(places, width, final).plan(stages + 1)


def stage_segments(places: Sequence[int], width: int, stages: int, final: str) -> Staging:
    """The same with its register ranks: each step a stage."""
    plan = plan_segments(places, width, stages, final)
    of_cells = tuple(cell.level - 1 for cell in plan.cells)
    return Staging(plan, stages, of_cells, (0,) * width, 0, 0)


class _Segments:
    def __init__(self, places: Sequence[int], width: int, final: str):
        self.inputs, self.width, self.kind = len(places), width, final
        self.columns: list[list[Bit]] = [[] for _ in range(width)]
        for bit, place in enumerate(places):
            self.columns[place].append(bit)
        self.new, self.cells = self.inputs, list[Cell]()

    def plan(self, steps: int) -> Plan:
        """The plan in ``steps``."""
        low = next((p for p, bits in enumerate(self.columns) if len(bits) > 1), self.width)
        passed = [bits[0] if bits else None for bits in self.columns[:low]]
        ends = [low + (self.width - low) * step // steps for step in range(steps + 1)]
        words = [
            self._add(self.columns[start:end], 1) for start, end in pairwise(ends) if start < end
        ]
        for step in range(1, len(words)):
            words[step] = self._carry_in(words[step], words[step - 1].pop(), step + 1)
        return Plan(self.inputs, tuple(self.cells), tuple(passed + [b for w in words for b in w]))

    def _add(self, columns: list[list[Bit]], level: int) -> list[Bit]:
        """A segment's sum, its carry on top; the last segment has none."""
        first = tuple(bits[0] if bits else None for bits in columns)
        second = [bits[1] if len(bits) > 1 else None for bits in columns]
        while second and second[-1] is None:
            second.pop()
        last = columns[-1] is self.columns[-1]
        if not second:
            return [*first] if last else [*first, None]
        return self._cell((first if last else (*first, None)), tuple(second), level)

    def _carry_in(self, word: list[Bit], carry: Bit, level: int) -> list[Bit]:
        """A segment's sum with the carry from below it: it has no other carry then."""
        return word if carry is None else self._cell(tuple(word), (carry,), level)

    def _cell(self, first: tuple[Bit, ...], second: tuple[Bit, ...], level: int) -> list[Bit]:
        made = tuple(range(self.new, self.new + len(first)))
        self.cells.append(Cell(self.kind, (first, second), made, level))
        self.new += len(first)
        return [*made]
