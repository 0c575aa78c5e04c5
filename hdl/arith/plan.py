"""Adder plans: which cells sum which bits, as data that can be counted, drawn, timed, evaluated and
then built."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Cell", "Operand", "Plan"]

# A bit is an index into the plan's bits: inputs first, then every cell's outputs in order. None is
# a constant 0.
Bit = int | None


@dataclass(frozen=True)
class Operand:
    """One number to add: ``value = 2**shift * sum(bits[i] << i)``; an index may stand for several
    places."""

    bits: tuple[int, ...]
    shift: int = 0


@dataclass(frozen=True)
class Cell:
    """One adder: ``sum(outputs[i] << i) = sum of the inputs``, modulo ``2**len(outputs)``.

    ``kind`` is ``fa`` (3 x 1 bit), ``ha`` (2 x 1 bit), ``xor`` (1-bit inputs whose carry leaves the
    plan's width) or ``add`` (two words). ``inputs`` are words of bits, least significant first.
    ``level`` counts cells on the longest path from any input to this cell's outputs, the cell
    included (for word adders: adders, not bits).
    """

    kind: str
    inputs: tuple[tuple[Bit, ...], ...]
    outputs: tuple[int, ...]
    level: int


@dataclass(frozen=True)
class Plan:
    """A sum of operands as a netlist of adder cells.

    ``result[i]`` is the bit of weight ``2**i`` (None where it is always 0); the result is the
    operands' sum modulo ``2**len(result)``, unsigned. Cells stand in an order in which every input
    is driven before it is used. Combinational as a plan; the builder cuts it into pipeline stages
    at cell levels.
    """

    input_bits: int
    cells: tuple[Cell, ...]
    result: tuple[Bit, ...]

    @cached_property
    def levels(self) -> int:
        """Cells on the longest path; 0 where the result is wires only."""
        return max((cell.level for cell in self.cells), default=0)

    @cached_property
    def level_of(self) -> dict[int, int]:
        """Level at which each bit is ready; inputs at 0."""
        ready = dict.fromkeys(range(self.input_bits), 0)
        for cell in self.cells:
            ready.update(dict.fromkeys(cell.outputs, cell.level))
        return ready

    def ready_level(self, bit: Bit) -> int:
        """Level at which a bit is ready; 0 for an input or the constant 0."""
        return 0 if bit is None else self.level_of[bit]

    def counts(self) -> Counter:
        """Number of cells of each kind."""
        return Counter(cell.kind for cell in self.cells)

    def stage(self, level: int, stages: int) -> int:
        """Pipeline stage (0..stages) in which a cell of ``level`` stands when ``stages`` registers
        cut the plan.

        Levels are shared out evenly: stage = floor((level - 1) * (stages + 1) / levels).
        """
        return (level - 1) * (stages + 1) // self.levels if level else 0

    def evaluate(self, bits: np.ndarray) -> np.ndarray:
        """Sum of the operands for input bits of shape (..., input_bits), as integers of shape
        (...).

        Follows the cells one by one, so it checks the plan and not only arithmetic.
        """
        value: list = [np.asarray(bits)[..., i].astype(object) for i in range(self.input_bits)]
        value += [None] * (1 + max((max(c.outputs) for c in self.cells), default=-1) - len(value))
        for cell in self.cells:
            total = sum(_word(word, value) for word in cell.inputs)
            for place, bit in enumerate(cell.outputs):
                value[bit] = (total >> place) & 1
        return _word(self.result, value)


def _word(word: tuple[Bit, ...], value: list):
    zero = value[0] * 0
    return sum(
        ((zero if bit is None else value[bit]) << place for place, bit in enumerate(word)), zero
    )
