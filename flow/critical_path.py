"""The critical path of a placed design, block by block, from a placer's report."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cimforge.flow.logic_signatures import ALL, MODELS, is_output, net_signatures
from cimforge.flow.synth.blocks import name_cells, packed_name
from cimforge.flow.synth.static_timing import Step, group_steps
from cimforge.hdl.netlist.module import Module, walk

__all__ = ["critical_path", "return_lines"]

Netlist = Mapping[str, Any]  # a flat module as Yosys' JSON
Hop = Mapping[str, Any]


def critical_path(
    report: Netlist, netlist: Netlist, unmapped: Netlist, sources: Mapping[str, str], top: Module
) -> list[Step]:
    """The longest of the ``report``'s paths through ``netlist``, consecutive hops into one block
    together. ``unmapped`` is the netlist before its logic was mapped to LUTs, ``sources`` the texts
    of the Verilog files by name.

    A wire counts for the block that it leads into; a cell for the block that describes what it
    computes (return_lines), or into which it computes.
    """
    return_lines(netlist, unmapped, top)
    place = _Places(netlist, name_cells(netlist, sources, top))
    paths = [
        list(zip(place.blocks(path["path"]), (hop["delay"] for hop in path["path"]), strict=True))
        for path in report.get("critical_paths", [])
    ]
    longest = max(paths, key=lambda hops: sum(delay for _, delay in hops), default=[])
    return group_steps(longest)


def return_lines(netlist: Netlist, unmapped: Netlist, top: Module) -> None:
    """Give each LUT the source line that a mapper took from it: that of the gate of ``unmapped``
    which computes the same, or the same inverted.

    A mapper merges logic across blocks and names cells after any net they touch, but most of its
    LUTs still compute what some gate did.
    """
    before, named = net_signatures(unmapped), _net_lines(unmapped, top)
    lines: dict[int, str] = {}
    for cell, bit in _gate_outputs(unmapped):
        if src := named.get(bit, "") if _is_mapped(cell) else cell["attributes"]["src"]:
            lines.setdefault(before[bit], src)
    after = net_signatures(netlist)
    for cell, bit in _gate_outputs(netlist):
        signature = after[bit]
        if signature in (0, ALL) or not _is_mapped(cell):
            continue  # of no input, or too rarely another value to tell
        if src := lines.get(signature) or lines.get(signature ^ ALL):
            cell["attributes"]["src"] = src


def _net_lines(netlist: Netlist, top: Module) -> dict[int, str]:
    """The line of the module that drives each net with a name of its own: of a net's names on all
    levels the deepest that is no module's input."""
    lines = {
        name: cell["attributes"]["module_src"]
        for name, cell in netlist["cells"].items()
        if cell["type"] == "$scopeinfo" and "module_src" in cell["attributes"]
    }
    inside = {path: child.module for path, child in walk(top)}
    found: dict[int, tuple[int, str]] = {}
    for name, net in netlist["netnames"].items():
        path = _path(name, inside)
        line = lines.get(".".join(path))
        for bit in net["bits"] if line else ():
            if isinstance(bit, int):
                found[bit] = max(found.get(bit, (0, "")), (len(path), line or ""))
    return {bit: line for bit, (_, line) in found.items()}


def _path(name: str, inside: Mapping[tuple[str, ...], Module]) -> tuple[str, ...]:
    """The instances that lead to the module in which a net of this name is driven; none where it is
    not told, or the net is a module's input. ``inside`` are the modules by their instances."""
    if name.startswith("$"):  # made in a module before it was dissolved: $flatten\\a.\\b.$...
        told = re.findall(r"\\([^.\\]+)\.", name) if name.startswith("$flatten") else ()
        return tuple(told)
    *path, local = name.split(".")
    module = inside.get(tuple(path))
    enters = module and local in module.ports and module.ports[local].direction == "input"
    return () if enters else tuple(path)


def _gate_outputs(netlist: Netlist) -> Iterator[tuple[dict[str, Any], int]]:
    """The gates, LUTs and carries of a netlist, each with the bits it drives."""
    for cell in netlist["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["type"] in MODELS and is_output(cell, port):
                yield from ((cell, bit) for bit in bits if isinstance(bit, int))


def _is_mapped(cell: Mapping[str, Any]) -> bool:
    """Whether a mapper made the cell: its line is one of the mapper's own files, or it has none."""
    return all(line.startswith("/") for line in cell["attributes"].get("src", "/").split("|"))


class _Places:
    """The block of each hop of a path."""

    def __init__(self, netlist: Netlist, known: Mapping[str, str]):
        self._known = known
        driver = {
            bit: name
            for name, cell in netlist["cells"].items()
            for port, bits in cell["connections"].items()
            if is_output(cell, port)
            for bit in bits
        }
        self._drivers: dict[str, str] = {}  # the cell that drives a net, by the net's name
        for name, net in netlist["netnames"].items():
            for place, bit in enumerate(net["bits"], net.get("offset", 0)):
                wire = name if len(net["bits"]) == 1 else f"{name}[{place}]"
                if bit in driver:
                    self._drivers[wire] = driver[bit]

    def blocks(self, hops: Sequence[Hop]) -> list[str]:
        """The block of each hop; where a name tells nothing, that of the hop behind it, at the end
        that of the hop before."""
        own = [self._own(hop, hops[i + 1 : i + 2]) for i, hop in enumerate(hops)]
        behind = ""
        for i in reversed(range(len(own))):
            behind = own[i] = own[i] or behind
        before = "top"
        for i, block in enumerate(own):
            before = own[i] = block or before
        return own

    def _own(self, hop: Hop, following: Sequence[Hop]) -> str:
        """The block of a cell, by the net it drives on the path, else by its name; of a wire
        nothing: it leads into the next cell."""
        if hop["type"] in ("routing", "clk-skew"):
            return ""
        for wire in following:
            if block := self._known.get(self._drivers.get(wire.get("net", ""), "")):
                return block
        return packed_name(hop["to"]["cell"], self._known) or ""
