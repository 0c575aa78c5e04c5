"""Setup, hold and delay arcs of a macro's ports, as tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cimforge.flow.liberty.lookup_table import LookupTable

__all__ = ["Check", "Delay", "Edges", "PortArcs"]

Edges = Mapping[str, LookupTable]  # by edge of the pin: rise, fall


@dataclass(frozen=True)
class Check:
    """How long before (``kind`` setup) or after (hold) an edge of clk (``edge`` rising or falling)
    an input must not change: ns by slew of the input (rows) and slew of the clock (columns)."""

    kind: str
    edge: str
    tables: Edges


@dataclass(frozen=True)
class Delay:
    """The longest (``kind`` max) or shortest (min) way to an output: ns by slew of its cause (rows)
    and load of the output in pF (columns), and the output's slew.

    ``related`` is clk, with the edge that launches as ``sense`` (rising_edge, falling_edge), or an
    input with the arc's unateness.
    """

    related: str
    kind: str
    sense: str
    delays: Edges
    slews: Edges


@dataclass(frozen=True)
class PortArcs:
    """Arcs by port; ``period`` is the shortest clock period in ns from register to register (0:
    none is timed); ``pins`` and ``wires`` what each bit of an input loads its driver with, in
    pF."""

    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    delays: Mapping[str, tuple[Delay, ...]] = field(default_factory=dict)
    period: float = 0.0
    pins: Mapping[str, float] = field(default_factory=dict)
    wires: Mapping[str, float] = field(default_factory=dict)

    def untimed(self, names: tuple[str, ...]) -> list[str]:
        """Those of the ports ``names`` that no arc begins or ends at."""
        related = {arc.related for arcs in self.delays.values() for arc in arcs}
        timed = {*(n for n, arcs in self.checks.items() if arcs), *related}
        timed |= {name for name, arcs in self.delays.items() if arcs}
        return [name for name in names if name not in timed]
