"""The flat netlist as Verilog whose cells have the delays of an operating point."""

from collections.abc import Iterator, Mapping

from cimforge.flow.liberty.cell_models import cell_model
from cimforge.flow.liberty.library import Cell
from cimforge.flow.power.flat_netlist import ONE, ZERO, FlatCell, FlatNetlist
from cimforge.flow.power.operating_point import STILL, ArcDelays, OperatingPoint

__all__ = ["MARKS", "TOP", "timed_netlist"]

TOP = "core"
MARKS = ("computing", "idle")  # inputs that nothing takes: which cycles are counted
PS = 1000  # in a ns
NAMES = {ZERO: "1'b0", ONE: "1'b1"}


def timed_netlist(
    netlist: FlatNetlist, cells: Mapping[str, Cell], point: OperatingPoint
) -> Iterator[str]:
    """Lines of Verilog: module ``core`` with a port of one bit for each bit of the macro's, nets
    n0, n1, ..., and a module for each kind of cell and its delays, in ps.

    Ports are i0, i1, ... and o0, o1, ... in the order of the macro's, then the MARKS. Delays are
    inertial (IEEE 1364 14.6: a pulse shorter than the path's delay is swallowed), those of a path
    from each input to each output. Raises ModelError for a cell without a model.
    """
    modules: dict[tuple, str] = {}
    texts: list[str] = []
    yield "`timescale 1ps/1ps"
    yield f"module {TOP} ({', '.join(_ports(netlist))});"
    yield from (f"  wire n{net};" for net in range(netlist.nets))
    yield from _port_nets(netlist)
    for index, cell in enumerate(netlist.cells):
        paths = tuple(_paths(cell, point.delays[index]))
        key = (cell.kind, paths)
        if key not in modules:
            modules[key] = f"c{len(modules)}_{cell.kind}"
            texts.append(cell_model(cells[cell.kind], modules[key], paths))
        pins = ", ".join(f".{pin}({_net(net)})" for pin, net in cell.pins.items())
        yield f"  {modules[key]} u{index} ({pins});"
    yield "endmodule"
    yield from texts


def _net(net: int) -> str:
    return NAMES.get(net) or f"n{net}"


def _ports(netlist: FlatNetlist) -> Iterator[str]:
    counts = {"i": 0, "o": 0}
    for name, nets in netlist.ports.items():
        letter, word = ("o", "output") if name in netlist.outputs else ("i", "input")
        for _ in nets:
            yield f"{word} wire {letter}{counts[letter]}"
            counts[letter] += 1
    yield from (f"input wire {mark}" for mark in MARKS)


def _port_nets(netlist: FlatNetlist) -> Iterator[str]:
    """What joins ports and nets."""
    counts = {"i": 0, "o": 0}
    for name, nets in netlist.ports.items():
        letter = "o" if name in netlist.outputs else "i"
        for net in nets:
            port = f"{letter}{counts[letter]}"
            counts[letter] += 1
            left, right = (port, _net(net)) if letter == "o" else (_net(net), port)
            yield f"  assign {left} = {right};"


def _paths(cell: FlatCell, delays: ArcDelays) -> Iterator[str]:
    """The specify paths of a cell; none where it has no delay."""
    for output, arcs in delays.items():
        for related, edges in arcs.items():
            if edges != STILL and cell.pins.get(related, ZERO) >= 0:
                rise, fall = (max(1, round(delay * PS)) for delay in edges)
                yield f"({related} => {output}) = ({rise}, {fall});"
