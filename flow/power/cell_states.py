"""The states that a kind of cell can be in, and how much of the time each cell is in which."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cimforge.flow.liberty.function import Expression
from cimforge.flow.liberty.library import Cell
from cimforge.flow.power.clocking import output_functions

__all__ = ["CellStates"]

Floats = NDArray[np.float64]


class CellStates:
    """The states of a kind of cell, all values of its inputs and what it keeps, and how much of
    the time each cell is in each, its inputs taken as independent."""

    def __init__(self, cell: Cell, duties: Mapping[str, Floats], count: int):
        self.count = count
        self._functions = output_functions(cell) if not cell.gate_kind else {}
        state = cell.ff or cell.latch or {}
        self._kept = (state.get("IQ", ""), state.get("IQN", ""))
        names = list(cell.inputs)
        chances = [duties.get(name, np.zeros(count)) for name in names]
        if state:
            names.append(self._kept[0])
            chances.append(self._kept_duty(duties))
        for pin in cell.outputs:
            if pin.name not in self._functions:
                names.append(pin.name)
                chances.append(duties.get(pin.name, np.zeros(count)))
        self._rows = [self._values(names, row) for row in product((0, 1), repeat=len(names))]
        self._names = names
        self._chances = np.ones((count, len(self._rows)))
        for column, values in enumerate(product((0, 1), repeat=len(names))):
            for chance, value in zip(chances, values, strict=True):
                self._chances[:, column] *= chance if value else 1.0 - chance

    def _kept_duty(self, duties: Mapping[str, Floats]) -> Floats:
        """How much of the time the state is 1, from an output that shows it."""
        for pin, function in self._functions.items():
            if pin in duties and function.names() & set(self._kept):
                rows = [{self._kept[0]: value, self._kept[1]: 1 - value} for value in (0, 1)]
                if function.names() <= set(self._kept):
                    return duties[pin] if function.value(rows[1]) else 1.0 - duties[pin]
        return np.full(self.count, 0.5)

    def _values(self, names: Sequence[str], row: Sequence[int]) -> dict[str, int]:
        """Every pin and state name in a row of values."""
        values = dict(zip(names, row, strict=True))
        if self._kept[0] in values:
            values[self._kept[1]] = 1 - values[self._kept[0]]
        for pin, function in self._functions.items():
            if function.names() <= set(values):
                values[pin] = function.value(values)
        return values

    def mask(self, when: Expression | None) -> NDArray[np.bool_]:
        """The states in which a condition holds; all, where it names what is no pin."""
        if when is None or not when.names() <= set(self._rows[0]):
            return np.ones(len(self._rows), np.bool_)
        return np.array([bool(when.value(row)) for row in self._rows])

    def follows(self, pin: str, related: str) -> NDArray[np.bool_]:
        """The states in which an output changes with an input; all, where it is no function of
        it."""
        function = self._functions.get(pin)
        if function is None or related not in function.names():
            return np.ones(len(self._rows), np.bool_)
        flipped = ({**row, related: 1 - row[related]} for row in self._rows)
        return np.array(
            [
                function.value(row) != function.value(other)
                for row, other in zip(self._rows, flipped, strict=True)
            ]
        )

    def probability(self, mask: NDArray[np.bool_]) -> Floats:
        """How much of the time each cell is in the states of ``mask``."""
        return self._chances @ mask.astype(np.float64)
