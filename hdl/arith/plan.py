"""Adder plans: which cells sum which bits, as data that can be counted, drawn, timed, evaluated and
then built."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cimforge.hdl.arith.cell_kinds import KINDS

__all__ = ["Cell", "Operand", "Plan"]

# A bit is an index into the plan's bits: inputs first, then controls, then every cell's outputs in
# order. None is a constant 0.
Bit = int | None


@dataclass(frozen=True)
class Operand:
    """One number to add: ``value = 2**shift * sum(bits[i] << i)``; an index may stand for several
    places."""

    bits: tuple[int, ...]
    shift: int = 0


@dataclass(frozen=True)
class Cell:
    """One cell of a ``kind`` of KINDS, which says what it computes.

    ``inputs`` are words of bits, least significant first; of one bit in all kinds but word adders.
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
    operands' sum modulo ``2**len(result)``, unsigned, if all cells are exact. Cells stand in an
    order in which every input is driven before it is used. ``controls`` name bits that steer cells,
    behind the inputs. Where the sum is left carry-save, ``places`` are the powers of two of the
    result's bits, up to two of each. Combinational as a plan; a Staging cuts it into pipeline
    stages.
    """

    input_bits: int
    cells: tuple[Cell, ...]
    result: tuple[Bit, ...]
    controls: tuple[str, ...] = ()
    places: tuple[int, ...] = ()

    @cached_property
    def control_bits(self) -> dict[str, int]:
        """The bit of each control."""
        return {name: self.input_bits + place for place, name in enumerate(self.controls)}

    @cached_property
    def levels(self) -> int:
        """Cells on the longest path; 0 where the result is wires only."""
        return max((cell.level for cell in self.cells), default=0)

    @cached_property
    def level_of(self) -> dict[int, int]:
        """Level at which each bit is ready; inputs and controls at 0."""
        ready = dict.fromkeys(range(self.input_bits + len(self.controls)), 0)
        for cell in self.cells:
            ready.update(dict.fromkeys(cell.outputs, cell.level))
        return ready

    def ready_level(self, bit: Bit) -> int:
        """Level at which a bit is ready; 0 for an input or the constant 0."""
        return 0 if bit is None else self.level_of[bit]

    def counts(self) -> Counter:
        """Number of cells of each kind."""
        return Counter(cell.kind for cell in self.cells)

    def evaluate(self, bits: np.ndarray, controls: Mapping[str, int] | None = None) -> np.ndarray:
        """What the plan makes of input bits of shape (..., input_bits), as integers of shape (...);
        ``controls`` that are not given are 0.

        Follows the cells one by one, each by its kind, so it checks the plan and not only
        arithmetic.
        """
        value: dict[Bit, Any] = {
            i: np.asarray(bits)[..., i].astype(object) for i in range(self.input_bits)
        }
        value[None] = zero = value[0] * 0
        for name, bit in self.control_bits.items():
            value[bit] = zero + (controls or {}).get(name, 0)
        for cell in self.cells:
            words = [_word(word, value) for word in cell.inputs]
            made = KINDS[cell.kind].function(words, len(cell.outputs))
            value.update(zip(cell.outputs, made, strict=True))
        if self.places:
            bits_left = zip(self.result, self.places, strict=True)
            return sum((value[bit] << place for bit, place in bits_left), value[None])
        return _word(self.result, value)


def _word(word: tuple[Bit, ...], value: Mapping[Bit, Any]) -> Any:
    return sum((value[bit] << place for place, bit in enumerate(word)), value[None])
