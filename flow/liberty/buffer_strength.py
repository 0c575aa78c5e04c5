"""How fast the buffers of a library are at a load, and which one to take."""

from collections.abc import Sequence
from dataclasses import dataclass

from cimforge.flow.liberty.characterisation import EDGES, DelayArc, delay_arcs
from cimforge.flow.liberty.leaf_cells import LeafCells, Match
from cimforge.flow.liberty.library import Library
from cimforge.flow.liberty.lookup_table import TableError

__all__ = ["BufferStrengths", "buffer_strengths"]

WORTH = 0.1  # of a net's delay: a smaller buffer that costs less than this is taken
FAN_OUT = 8  # buffers behind the smallest one, whose edge is what buffers are compared at
FEMTO = 1e3  # fF in a pF


@dataclass(frozen=True)
class _Buffer:
    """A buffer: input capacitance and most load (pF), its delays, and the smallest one's edge."""

    match: Match
    capacitance: float
    most: float
    arcs: tuple[DelayArc, ...]

    def delay(self, slew: float, load: float) -> float:
        """ns to the slower edge at a load of pF."""
        return max(
            table.value(slew, load * FEMTO)
            for arc in self.arcs
            for edge in EDGES
            for table in arc.delays[edge]
        )

    def slew(self, load: float) -> float:
        """The slower edge (ns) that it makes of a steep one."""
        tables = [table for arc in self.arcs for edge in EDGES for table in arc.slews[edge]]
        return max((table.value(0.0, load * FEMTO) for table in tables), default=0.0)


@dataclass(frozen=True)
class BufferStrengths:
    """The buffers that may drive nets, the smallest first; ``resistance`` (ns a pF) and ``slew``
    (ns) are what one is driven with: those of the smallest. Without delays both are 0."""

    buffers: tuple[_Buffer, ...]
    resistance: float = 0.0
    slew: float = 0.0

    def choose(self, load: float, siblings: int, fast: bool) -> Match:
        """The buffer for ``load`` pF, one of ``siblings`` behind one output.

        Of those that ``load`` fills at most by half, the smallest; where ``fast``, the smallest
        within WORTH of the least delay, its own and what its input costs the output before it. The
        strongest where none is strong enough.
        """
        strong = [buffer for buffer in self.buffers if buffer.most >= 2 * load]
        if not strong:
            return max(self.buffers, key=lambda buffer: buffer.most).match
        if not fast or not self.resistance:
            return strong[0].match
        before = self.resistance * siblings
        taken = [b.delay(self.slew, load) + before * b.capacitance for b in strong]
        good = (1 + WORTH) * min(taken)
        return next(b.match for b, delay in zip(strong, taken, strict=True) if delay <= good)


def buffer_strengths(library: Library, leaves: LeafCells) -> BufferStrengths:
    """The strengths of the buffers that may be drivers."""
    order = sorted(leaves.drivers, key=lambda m: (m.cell.area == 0, m.area, m.cell.name))
    buffers = tuple(_buffer(library, match) for match in order)
    timed = tuple(buffer for buffer in buffers if any(_delays(buffer.arcs)))
    if not timed:
        return BufferStrengths(buffers)
    smallest = timed[0]
    load = FAN_OUT * smallest.capacitance
    slew = smallest.slew(load)
    rise = smallest.delay(slew, 2 * load) - smallest.delay(slew, load)
    return BufferStrengths(timed, max(rise / load, 0.0) if load else 0.0, slew)


def _buffer(library: Library, match: Match) -> _Buffer:
    pin, output = match.cell.pin(match.pins["a"]), match.cell.pin(match.pins["y"])
    try:
        arcs = delay_arcs(output.source, library.parts[match.cell.part].header)
    except TableError:
        arcs = ()
    return _Buffer(match, pin.capacitance, output.max_capacitance, arcs)


def _delays(arcs: Sequence[DelayArc]) -> list[bool]:
    return [bool(arc.delays[edge]) for arc in arcs for edge in EDGES]
