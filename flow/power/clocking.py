"""What each kind of cell in a mapped netlist does with its clock, its state and its inputs."""

from dataclasses import dataclass

from cimforge.flow.liberty.function import Expression, literal, parse_function
from cimforge.flow.liberty.leaf_cells import clock_gate_pins
from cimforge.flow.liberty.library import Cell

__all__ = ["Clocking", "clocking", "output_functions"]


@dataclass(frozen=True)
class Clocking:
    """How a cell keeps a state: its clock or enable pin, whether that acts inverted (a falling
    edge, open while low), and whether it is a clock gate, a latch, or else a flip-flop."""

    pin: str
    inverted: bool
    gate: bool = False
    latch: bool = False


def clocking(cell: Cell) -> Clocking | None:
    """The clocking of a cell; None for a gate without a state."""
    if cell.gate_kind:
        return Clocking(clock_gate_pins(cell)["clk"], inverted=False, gate=True)
    state = cell.ff or cell.latch
    if state is None:
        return None
    pin = literal(state["enable" if cell.latch else "clocked_on"])
    if pin is None:
        return None
    return Clocking(pin[0], pin[1], latch=cell.latch is not None)


def output_functions(cell: Cell) -> dict[str, Expression]:
    """The outputs that have a function, of inputs and state (IQ, IQN as the library names them)."""
    return {pin.name: parse_function(pin.function) for pin in cell.outputs if pin.function}
