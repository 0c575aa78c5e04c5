"""Simulation models of library cells, in plain Verilog, from what Liberty says they compute."""

from collections.abc import Iterable, Iterator, Sequence

from cimforge.flow.liberty.function import literal, parse_function
from cimforge.flow.liberty.leaf_cells import CLOCK_GATES, clock_gate_pins
from cimforge.flow.liberty.library import Cell

__all__ = ["ModelError", "cell_model", "cell_models"]


class ModelError(ValueError):
    """A cell whose behaviour Liberty does not say in a way that a model can be made of."""


def cell_models(cells: Iterable[Cell]) -> str:
    """A module for each cell, of its name and pins: gates, flip-flops, latches, clock gates.

    Models have no delays. A flip-flop's clock, clear and preset must be pins or their inverse, so
    that no delta cycle lies between a clock and its edge. Where clear and preset are both active
    clear wins. Raises ModelError.
    """
    header = "// Simulation models of library cells, from their functions in the Liberty file.\n\n"
    return header + "\n".join(cell_model(cell) for cell in cells)


def cell_model(cell: Cell, name: str = "", paths: Sequence[str] = ()) -> str:
    """The module of one cell, of another ``name`` where one is given, with specify ``paths``.

    Raises ModelError as cell_models does.
    """
    ports = [f"{pin.direction} wire {pin.name}" for pin in cell.pins]
    body = list(_clock_gate(cell)) if cell.gate_kind else [*_state(cell), *_outputs(cell)]
    if paths:
        body += ["specify", *(f"  {path}" for path in paths), "endspecify"]
    head = f"module {name or cell.name} ({', '.join(ports)});"
    lines = [head, *(f"  {line}" for line in body)]
    return "\n".join([*lines, "endmodule", ""])


def _outputs(cell: Cell) -> Iterator[str]:
    for pin in cell.outputs:
        if pin.function:
            yield f"assign {pin.name} = {parse_function(pin.function).text('~')};"


def _state(cell: Cell) -> Iterator[str]:
    """The state and its inverse, and how the state changes."""
    if cell.ff is None and cell.latch is None:
        return
    state = cell.ff or cell.latch or {}
    q, q_n = state["IQ"], state["IQN"]
    yield f"reg {q};"
    yield f"wire {q_n} = ~{q};"
    sets = [(state[key], value) for key, value in (("clear", 0), ("preset", 1)) if key in state]
    if cell.ff is not None:
        edges = [_edge(cell, state["clocked_on"]), *(_edge(cell, when) for when, _ in sets)]
        yield f"always @({' or '.join(edges)})"
        yield f"  {_chain(sets, '<=', q)}{q} <= {_text(state['next_state'])};"
    else:
        held = f"if ({_text(state['enable'])}) {q} = {_text(state['data_in'])};"
        yield "always @*"
        yield f"  {_chain(sets, '=', q)}{held}"


def _chain(sets: list[tuple[str, int]], becomes: str, q: str) -> str:
    """The clauses of clear and preset before the one of the clock."""
    return "".join(f"if ({_text(when)}) {q} {becomes} 1'b{value}; else " for when, value in sets)


def _text(function: str) -> str:
    return parse_function(function).text("~")


def _edge(cell: Cell, function: str) -> str:
    """The edge of a pin at which a function becomes 1."""
    pin = literal(function)
    if pin is None:
        raise ModelError(f"{cell.name}: {function} is no pin or its inverse")
    return f"{'negedge' if pin[1] else 'posedge'} {pin[0]}"


def _clock_gate(cell: Cell) -> Iterator[str]:
    """What a latch_posedge(_precontrol) cell is: the kind says it, whether or not a state table
    does."""
    if cell.gate_kind not in CLOCK_GATES:
        raise ModelError(f"{cell.name}: no model of a clock gate of kind {cell.gate_kind}")
    pins = clock_gate_pins(cell)
    test = f" | {pins['test_en']}" if "test_en" in pins else ""
    yield "reg kept;"
    yield f"always @* if (~{pins['clk']}) kept = {pins['enable']}{test};"
    yield f"assign {pins['gate']} = {pins['clk']} & kept;"
