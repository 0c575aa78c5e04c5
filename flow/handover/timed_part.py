"""The part of a mapped macro that sets chosen arcs, without copies, as Verilog for OpenSTA."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from cimforge.flow.handover.alike_cells import AlikeCells
from cimforge.flow.handover.outline import bit_names
from cimforge.flow.handover.timing_graph import TimingGraph
from cimforge.flow.liberty.library import Library
from cimforge.flow.power.flat_netlist import ONE, ZERO, FlatNetlist
from cimforge.hdl.netlist.module import Port

__all__ = ["timed_part"]

CONSTANTS = {ZERO: "1'b0", ONE: "1'b1"}


def timed_part(
    top: str, netlist: FlatNetlist, library: Library, ports: Sequence[Port], *, inside: bool
) -> str | None:
    """Verilog of the module ``top``: what of ``netlist`` sets the arcs of its ports and of clock
    gates, or (``inside``) of all paths, with the timing of the whole.

    Of ends that are timed alike (AlikeCells) one is kept, with all that is before it. What else
    loads a net stays in place, cells with that pin alone; clocks are ideal, and behind clk itself
    carry none of those. None where clk goes on as data: there no clock is ideal.
    """
    graph = TimingGraph(netlist, library, ports)
    if not graph.clean:
        return None
    kept = _kept(graph, inside)
    return "".join(_verilog(top, netlist, ports, kept))


def _kept(graph: TimingGraph, inside: bool) -> dict[int, Collection[str]]:
    """The pins that stay connected, by place of their cell."""
    alike = AlikeCells(graph)
    ends: dict[int, int] = {}
    for place in graph.ends(inside):
        ends.setdefault(alike.end(graph.cells[place]), place)
    outputs: dict[object, int] = {}
    for net, names in graph.outputs.items():
        outputs.setdefault((*names, alike.output(net)), net)
    kept: dict[int, set[str]] = defaultdict(set)
    waiting = [] if inside else list(outputs.values())
    for place in ends.values():
        cell = graph.cells[place]
        kept[place].update(cell.pins)
        waiting += [cell.pins[pin] for pin in graph.taken(cell)]
    before = _before(graph, waiting, kept)
    given = {net for net, name in graph.inputs.items() if name == "clk" or not inside}
    for net in (before - graph.clocks) | given:
        for place, pin in graph.loads.get(net, ()):
            kept[place].add(pin)
    return dict(kept)


def _before(graph: TimingGraph, nets: list[int], kept: dict[int, set[str]]) -> set[int]:
    """These nets and all before them; what drives them is added to ``kept``."""
    found: set[int] = set()
    waiting = list(nets)
    while waiting:
        net = waiting.pop()
        if net < 0 or net in found:
            continue
        found.add(net)
        for place, pin in graph.drivers.get(net, ()):
            cell = graph.cells[place]
            causes = graph.causes(cell, pin)
            kept[place].update((pin, *causes))
            waiting += [cell.pins[cause] for cause in causes]
    return found


def _verilog(
    top: str, netlist: FlatNetlist, ports: Sequence[Port], kept: Mapping[int, Collection[str]]
) -> Iterator[str]:
    names: dict[int, str] = dict(CONSTANTS)
    used = {netlist.cells[place].pins[pin] for place, pins in kept.items() for pin in pins}
    ties = []
    yield f"module {top} ({', '.join(port.name for port in ports)});\n"
    for port in sorted(ports, key=lambda port: port.direction):  # inputs first: they name nets
        bits = f" [{port.width - 1}:0]" if port.width > 1 else ""
        yield f"  {port.direction}{bits} {port.name};\n"
        for bit, net in zip(bit_names(port), netlist.ports[port.name], strict=True):
            if port.direction == "input" or net in used or net in names:
                name = names.setdefault(net, bit)
                ties += [f"  assign {bit} = {name};\n"] if name != bit else []
    yield from ties
    for place, cell in enumerate(netlist.cells):
        if place in kept:
            pins = [
                f".{pin}({names.get(net, f'n{net}')})"
                for pin, net in cell.pins.items()
                if pin in kept[place]
            ]
            yield f"  {cell.kind} \\{_legal(cell.name, place)}  ({', '.join(pins)});\n"
    yield "endmodule\n"


def _legal(name: str, place: int) -> str:
    """A cell's name without what Yosys made up, which not every reader takes: a number instead."""
    known = name.partition("$")[0]
    return known if known == name else f"{known}g{place}"
