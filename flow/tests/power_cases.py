"""Shared by the tests of power: a macro mapped, simulated and ready to sum."""

from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.liberty.characterisation import Physics, read_physics
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.power.cell_kinds import Clocking, clocking
from cimforge.flow.power.clock_network import ClockNetwork, clock_network
from cimforge.flow.power.energy import CellEnergies, NetActivity, cell_energies, net_activity
from cimforge.flow.power.flat_netlist import FlatNetlist, flatten
from cimforge.flow.power.operating_point import OperatingPoint, net_loads, operating_point
from cimforge.flow.power.toggles import Toggles
from cimforge.flow.synth.census import area_roles
from cimforge.flow.synth.synthesis import map_to_library
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig


@dataclass(frozen=True)
class Mapped:
    """A macro on a library, and what is known of it."""

    library: Library
    netlist: FlatNetlist
    physics: dict[str, Physics]
    kinds: dict[str, Clocking]
    clock: ClockNetwork
    loads: list[float]
    point: OperatingPoint

    def energies(self, toggles: Toggles) -> tuple[NetActivity, CellEnergies]:
        """The activity of a window, and its energies."""
        activity = net_activity(toggles, self.clock.nets)
        cells = self.library.cells
        known = (cells, self.physics, self.kinds, self.clock.nets)
        return activity, cell_energies(self.netlist, *known, activity, self.loads, self.point.slews)


def mapped(config: MacroConfig, folder: Path, library_file: Path, wire: float = 0.0) -> Mapped:
    """Emit a macro, map it, and find its operating point."""
    emit_macro(config, folder)
    library = read_library(library_file)
    leaves = choose_cells(library, latches=bool(config.storage_traits.control_ports))
    found = map_to_library(config, folder, library, leaves)
    netlist = flatten(found.modules, found.top, area_roles(build_macro(config)))
    physics = read_physics([library_file], {cell.kind for cell in netlist.cells})
    kinds = {kind: known for kind in physics if (known := clocking(library.cells[kind]))}
    clock = clock_network(netlist, physics, kinds, netlist.ports["clk"][0])
    loads = net_loads(netlist, physics, wire)
    point = operating_point(netlist, physics, kinds, clock, loads)
    return Mapped(library, netlist, physics, kinds, clock, loads, point)
