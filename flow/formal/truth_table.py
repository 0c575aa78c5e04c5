"""The truth table of a small module, from the gates Yosys made of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import xor
from typing import Any

__all__ = ["MOST_INPUTS", "TruthTable", "truth_table"]

MOST_INPUTS = 8
GATES: dict[str, Callable[..., int]] = {  # of pins A, B, S
    "$_BUF_": lambda a: a,
    "$_NOT_": lambda a: 1 - a,
    "$_AND_": lambda a, b: a & b,
    "$_NAND_": lambda a, b: 1 - (a & b),
    "$_OR_": lambda a, b: a | b,
    "$_NOR_": lambda a, b: 1 - (a | b),
    "$_XOR_": lambda a, b: a ^ b,
    "$_XNOR_": lambda a, b: 1 - (a ^ b),
    "$_ANDNOT_": lambda a, b: a & (1 - b),
    "$_ORNOT_": lambda a, b: a | (1 - b),
    "$_MUX_": lambda a, b, s: b if s else a,
}


@dataclass(frozen=True)
class TruthTable:
    """Values of a module's outputs for every pattern of its inputs: ``rows`` hold both, in the
    order of ``inputs`` and ``outputs`` (``pin``, or ``pin[place]`` of a bus)."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]

    def parity(self) -> int | None:
        """0 where the only output is the parity of all inputs, 1 where it is its inverse, else
        None."""
        kinds = {reduce(xor, row) for row in self.rows}
        return kinds.pop() if self.inputs and len(self.outputs) == len(kinds) == 1 else None


def truth_table(module: Mapping[str, Any]) -> TruthTable | None:
    """The table of a module of Yosys' JSON whose cells are simple gates; None where it holds state,
    other cells, a loop, or too many inputs for a table."""
    inputs, outputs = _pins(module, "input"), _pins(module, "output")
    cells = list(module["cells"].values())
    if len(inputs) > MOST_INPUTS or any(cell["type"] not in GATES for cell in cells):
        return None
    rows = []
    for pattern in product((0, 1), repeat=len(inputs)):
        values = {"0": 0, "1": 1, **dict(zip(inputs.values(), pattern, strict=True))}
        if not _settle(cells, values) or any(bit not in values for bit in outputs.values()):
            return None
        rows.append((*pattern, *(values[bit] for bit in outputs.values())))
    return TruthTable(tuple(inputs), tuple(outputs), tuple(rows))


def _pins(module: Mapping[str, Any], direction: str) -> dict[str, Any]:
    """Bits of the ports of one direction, by pin."""
    return {
        f"{name}[{place}]" if len(port["bits"]) > 1 else name: bit
        for name, port in module["ports"].items()
        if port["direction"] == direction
        for place, bit in enumerate(port["bits"])
    }


def _settle(cells: list[Mapping[str, Any]], values: dict[Any, int]) -> bool:
    """Work out every cell; False where some wait for each other, or for what nothing drives."""
    waiting = cells
    while waiting:
        later = []
        for cell in waiting:
            pins = {pin: bits[0] for pin, bits in cell["connections"].items()}
            target = pins.pop("Y")
            if all(bit in values for bit in pins.values()):
                values[target] = GATES[cell["type"]](*(values[pins[p]] for p in sorted(pins)))
            else:
                later.append(cell)
        if len(later) == len(waiting):
            return False
        waiting = later
    return True
