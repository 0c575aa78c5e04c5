"""Column compression: bits of equal weight, summed by cells until one is left in each column."""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from cimforge.hdl.arith.final_adder import FINALS
from cimforge.hdl.arith.plan import Bit, Cell, Operand, Plan

__all__ = ["Compression", "plan_csa"]


RIPPLE = "ripple"  # the final adder that is part of the columns


class Waiting(NamedTuple):
    """A bit of a column: ready at ``time`` (in adders), made at ``level`` of the plan."""

    time: int
    bit: int
    level: int


class Compression:
    """Columns of bits on their way to one bit each, the earliest bits first.

    A column of n bits takes (n-1)//2 full adders and, where n is even, one half adder before them.
    A full adder removes one bit from the plan and a half adder none, so the plan uses exactly bits
    in - bits out full adders and at most one half adder per result bit. (Dadda, "Some schemes for
    parallel multipliers", 1965, gives the column counts; the arrival order follows Oklobdzija,
    Villeger, Liu, "A method for speed optimized partial product reduction", 1996.)

    With ``compressors``, five bits are taken at once where a column has them: a 4:2 compressor is
    two full adders, so their number stays what it is. ``new`` is the plan's next bit; carries
    beyond ``width`` columns leave the sum.
    """

    def __init__(self, width: int, new: int, *, compressors: bool = False):
        self.width, self.new, self.compressors = width, new, compressors
        self.cells: list[Cell] = []
        self.columns: list[list[Waiting]] = [[] for _ in range(width + 1)]

    def add(self, place: int, bit: int, time: int = 0, level: int = 0) -> None:
        """Put a bit into a column; one beyond the width counts nothing."""
        if place < self.width:
            self.columns[place].append(Waiting(time, bit, level))

    def place(self, kind: str, bits: Sequence[Bit], outputs: int, level: int) -> tuple[int, ...]:
        """Add a cell of one-bit inputs; returns the bits it makes."""
        made = tuple(range(self.new, self.new + outputs))
        self.cells.append(Cell(kind, tuple((bit,) for bit in bits), made, level))
        self.new += outputs
        return made

    def run(self, final: str = RIPPLE) -> list[Waiting | None]:
        """Compress all columns; returns the bit left in each, None in an empty one.

        With another ``final`` adder than ripple the upper columns are left with two bits, which it
        adds: those columns with which the last bit is ready first, and the fewest of such.
        """
        if final == RIPPLE:
            return self._finish(self.width, final)
        last = [self._trial(low, final) for low in range(self.width + 1)]
        return self._finish(max(range(len(last)), key=lambda low: (-last[low], low)), final)

    def run_to_two(self) -> list[list[Waiting]]:
        """Compress all columns until none has more than two bits; returns the bits left in each."""
        for place in range(self.width):
            self._reduce(place)
        return [sorted(column) for column in self.columns[: self.width]]

    def _reduce(self, place: int) -> None:
        """Compress a column to two bits, or one."""
        column = self.columns[place]
        heapq.heapify(column)
        if self.compressors and place < self.width - 1:
            while len(column) > 5:
                self._take_five(column, self.columns[place + 1])
        while len(column) > 2:
            self._take(column, place, 3)

    def _trial(self, low: int, final: str) -> int:
        """When the last bit is ready with a final adder from column ``low`` on."""
        way = Compression(self.width, self.new, compressors=self.compressors)
        way.columns = [list(column) for column in self.columns]
        return max((bit.time for bit in way._finish(low, final) if bit), default=0)

    def _finish(self, low: int, final: str) -> list[Waiting | None]:
        """Compress the columns below ``low`` to one bit; add the rest as two words."""
        left = [self._compress(place) for place in range(low)]
        for place in range(low, self.width):
            self._reduce(place)
        return left + self._add_words(low, final)

    def _add_words(self, low: int, final: str) -> list[Waiting | None]:
        """The columns from ``low`` on by a final adder; where none has two bits, by none."""
        rest = [sorted(column) for column in self.columns[low : self.width]]
        alone = next((i for i, column in enumerate(rest) if len(column) > 1), len(rest))
        words = rest[alone:]
        top = max((i + 1 for i, column in enumerate(words) if column), default=0)
        passed: list[Waiting | None] = [column[0] if column else None for column in rest[:alone]]
        if not top:
            return passed + [None] * len(words)
        if top < len(words):
            top += 1
        second = max(i + 1 for i, column in enumerate(words) if len(column) > 1)
        a = tuple(column[0].bit if column else None for column in words[:top])
        b = tuple(column[1].bit if len(column) > 1 else None for column in words[:second])
        bits = [bit for column in words for bit in column]
        delay = FINALS[final].delay(top)
        time, level = (max(bit[key] for bit in bits) + delay for key in (0, 2))
        made = range(self.new, self.new + top)
        self.cells.append(Cell(final, (a, b), tuple(made), level))
        self.new += top
        return [*passed, *(Waiting(time, bit, level) for bit in made), *[None] * (len(words) - top)]

    def _compress(self, place: int) -> Waiting | None:
        column = self.columns[place]
        heapq.heapify(column)
        if len(column) % 2 == 0 and column:  # first, not last: the earliest bits bear it best
            self._take(column, place, 2)
        while self.compressors and len(column) > 4 and place < self.width - 1:
            self._take_five(column, self.columns[place + 1])
        while len(column) > 1:
            self._take(column, place, 3)
        return column[0] if column else None

    def _take(self, column: list[Waiting], place: int, count: int) -> None:
        """Add the earliest ``count`` bits of a column; no carry leaves the top one."""
        taken = [heapq.heappop(column) for _ in range(count)]
        ready = max(bit.time for bit in taken) + 1
        level = max(bit.level for bit in taken) + 1
        top = place == self.width - 1
        kind = "xor" if top else "fa" if count == 3 else "ha"
        total, *carry = self.place(kind, [bit.bit for bit in taken], 1 if top else 2, level)
        heapq.heappush(column, Waiting(ready, total, level))
        self.columns[place + 1] += [Waiting(ready, bit, level) for bit in carry]

    def _take_five(self, column: list[Waiting], above: list[Waiting]) -> None:
        """The five earliest bits of a column, the latest two on the pins that come in last."""
        taken = [heapq.heappop(column) for _ in range(5)]
        first = max(bit.time for bit in taken[:3]) + 1
        ready = max(first, taken[4].time) + 1
        level = max(bit.level for bit in taken) + 1
        total, carry, early = self.place("c42", [bit.bit for bit in taken], 3, level)
        heapq.heappush(column, Waiting(ready, total, level))
        above += [Waiting(ready, carry, level), Waiting(first, early, level)]


def plan_csa(
    inputs: int,
    operands: Sequence[Operand],
    width: int,
    arrival: Sequence[int],
    final: str = RIPPLE,
    *,
    compressors: bool = False,
) -> Plan:
    """Column compression to one bit a column, by a ``final`` adder where the columns are left with
    two."""
    columns = Compression(width, inputs, compressors=compressors)
    for operand in operands:
        for place, bit in enumerate(operand.bits, operand.shift):
            columns.add(place, bit, arrival[bit])
    result = tuple(left and left.bit for left in columns.run(final))
    return Plan(inputs, tuple(columns.cells), result)
