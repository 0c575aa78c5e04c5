"""Which block of the design a cell of a flattened netlist belongs to."""

import re
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from cimforge.hdl.netlist.module import LEAF, Child, Module, distinct_modules

__all__ = ["BlockNames", "name_cells", "packed_name"]

# What packers hang on the name of a cell: nextpnr's logic cells, halves of a carry cell, buffers.
PACKED = re.compile(r"(_LC|_DFFLC|\$[^$]*)$")


class BlockNames:
    """Blocks below ``top`` by the hierarchical names of a flattened netlist, parts joined by dots.

    A block is called by its kind (``tree``), a driver by the net it drives; what stands inside a
    block that is described as one (an accumulator's adder) belongs to it.
    """

    def __init__(self, top: Module):
        self._top = top

    def of(self, name: str) -> str:
        """The block in which the cell or net ``name`` stands; ``top`` where in none."""
        label = "top"
        for child in self._path(name):
            if child.module.role != LEAF or child.about:
                label = child.about or child.module.kind.replace("_", " ") or label
            if hasattr(child.module, "rtlil"):
                break  # what stands in a described block belongs to it
        return label

    def _path(self, name: str) -> Iterator[Child]:
        module = self._top
        for part in name.split("."):
            child = next((c for c in module.children if c.instance == part), None)
            if child is None:
                return
            yield child
            module = child.module


def name_cells(
    netlist: Mapping[str, Any], sources: Mapping[str, str], top: Module
) -> dict[str, str]:
    """The block of each cell of a flattened module (Yosys JSON), made of ``sources`` (text by file
    name).

    A mapper merges logic across blocks and names cells after any net they touch, so their names do
    not tell. Carry chains and registers keep the source line they come from; a LUT that has lost it
    counts for the block that it computes into: of the first cell behind it with a line.
    """
    lines = _SourceLines(sources, top)
    known = {
        name: label
        for name, cell in netlist["cells"].items()
        if (label := lines.block(cell["attributes"].get("src", "")))
    }
    behind = _followers(netlist["cells"])
    return {name: _first_label(name, behind, known) for name in behind}


class _SourceLines:
    """The block that each line of the sources describes."""

    def __init__(self, sources: Mapping[str, str], top: Module):
        kinds = {module.name: module.kind.replace("_", " ") for module in distinct_modules(top)}
        self._starts = {
            file: [
                (number, kinds.get(found[1], ""))
                for number, line in enumerate(text.splitlines(), 1)
                if (found := re.match(r"module (\w+)", line))
            ]
            for file, text in sources.items()
        }

    def block(self, src: str) -> str:
        """The block of a cell's src attribute; empty where it names no line of the sources."""
        for place in src.split("|"):
            file, _, line = place.partition(":")
            starts = self._starts.get(file, [])
            at = bisect_right(starts, int(line.split(".")[0] or 0), key=lambda start: start[0])
            if at and starts[at - 1][1]:
                return starts[at - 1][1]
        return ""


def _followers(cells: Mapping[str, Any]) -> dict[str, list[str]]:
    """The cells that each cell drives."""
    makes: dict[str, list[int]] = {name: [] for name in cells}
    takes: dict[int, list[str]] = defaultdict(list)
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            wired = [bit for bit in bits if isinstance(bit, int)]
            if cell.get("port_directions", {}).get(port) == "output":
                makes[name] += wired
            else:
                for bit in wired:
                    takes[bit].append(name)
    return {name: [to for bit in bits for to in takes.get(bit, ())] for name, bits in makes.items()}


def _first_label(start: str, behind: Mapping[str, list[str]], known: Mapping[str, str]) -> str:
    """The block of a cell, or of the first cell behind it with a known one, breadth first."""
    waiting, seen = deque([start]), {start}
    while waiting:
        cell = waiting.popleft()
        if cell in known:
            return known[cell]
        fresh = [to for to in behind[cell] if to not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
    return "top"


def packed_name(cell: str, known: Mapping[str, str]) -> str | None:
    """The label of a cell that a packer has renamed, or None."""
    while cell not in known:
        shorter = PACKED.sub("", cell)
        if shorter == cell:
            return None
        cell = shorter
    return known[cell]
