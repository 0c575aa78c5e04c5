"""Which cells of a library logic mapping may take."""

from itertools import permutations

from cimforge.flow.liberty.function import parse_function, truth_table
from cimforge.flow.liberty.library import Cell, Library

__all__ = ["mapper_cells"]

MOST_INPUTS = 8  # of a gate: no mapper uses wider ones
MOST_COMPARED = 6  # inputs up to which the orders of a gate's inputs are tried


def mapper_cells(library: Library) -> list[Cell]:
    """Flip-flops, inverters, buffers, and of the gates of one output the smallest of each function.

    Strength is the drivers' and buffers' affair. Mappers match a cell by the way in which its
    function is written, and libraries write that of a stronger cell in another way: a mapper for
    area then takes the stronger one where it fits better as written. None without an area, for it
    would come for free.
    """
    usable = [cell for cell in library.cells.values() if cell.usable and cell.area]
    taken = [cell for cell in usable if cell.ff is not None]
    smallest: dict[tuple[int, int], Cell] = {}
    for cell in filter(_is_gate, usable):
        if not 1 < len(cell.inputs) <= MOST_COMPARED:
            taken.append(cell)
            continue
        kind = _function(cell)
        smallest[kind] = min(smallest.get(kind, cell), cell, key=lambda c: (c.area, c.name))
    return [*taken, *smallest.values()]


def _is_gate(cell: Cell) -> bool:
    """Whether a cell is a gate of one output whose function is one of all its inputs."""
    if not cell.combinational or len(cell.outputs) != 1 or len(cell.inputs) > MOST_INPUTS:
        return False
    return parse_function(cell.outputs[0].function).names() == set(cell.inputs)


def _function(cell: Cell) -> tuple[int, int]:
    """The number of inputs and the least truth table over all their orders: equal for cells of one
    function."""
    function = cell.outputs[0].function
    orders = permutations(cell.inputs)
    return len(cell.inputs), min(truth_table(function, order) for order in orders)
