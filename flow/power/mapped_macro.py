"""A macro on a cell library, with all that its energy depends on but the toggles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.liberty.characterisation import Physics, read_physics
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.liberty.lookup_table import TableError
from cimforge.flow.power.clock_network import ClockNetwork, clock_network
from cimforge.flow.power.clocking import Clocking, clocking
from cimforge.flow.power.energy import CellEnergies, NetActivity, cell_energies
from cimforge.flow.power.flat_netlist import FlatNetlist, flatten
from cimforge.flow.power.operating_point import OperatingPoint, net_loads, operating_point
from cimforge.flow.synth.census import area_roles
from cimforge.flow.synth.synthesis import map_to_library
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["MappedMacro", "map_macro"]


@dataclass(frozen=True)
class MappedMacro:
    """The flat netlist of a macro, mapped in ``folder``; what the library says of its cells
    (``physics``, and ``kinds`` of those that keep a state), loads of its nets in fF."""

    library: Library
    folder: Path
    netlist: FlatNetlist
    physics: Mapping[str, Physics]
    kinds: Mapping[str, Clocking]
    clock: ClockNetwork
    loads: Sequence[float]
    point: OperatingPoint

    def energies(self, activity: NetActivity) -> CellEnergies:
        """The energies of every cell at an activity of the nets."""
        known = (self.library.cells, self.physics, self.kinds, self.clock.nets)
        return cell_energies(self.netlist, *known, activity, self.loads, self.point.slews)

    @property
    def notes(self) -> list[str]:
        """What the libraries leave out."""
        notes = [*self.library.notes]
        every = self.physics.items()
        lacks = {
            "internal power": sorted(n for n, each in every if not any(each.energies.values())),
            "leakage": sorted(n for n, each in every if not each.leakage),
        }
        for what, names in lacks.items():
            if names:
                more = f" and {len(names) - 4} more" if len(names) > 4 else ""
                notes.append(f"no {what} of {', '.join(names[:4])}{more}: counted as 0")
        return notes


def map_macro(
    config: MacroConfig,
    folder: Path,
    liberty: Sequence[Path],
    overrides: Mapping[str, str] | None = None,
    wire_load: float = 0.0,
) -> MappedMacro:
    """Map the macro emitted in ``folder`` to the libraries ``liberty``, ``wire_load`` fF a pin.

    Raises InputError where the libraries lack what is needed, and YosysError.
    """
    library = read_library(*liberty)
    leaves = choose_cells(library, overrides, latches=bool(config.storage_traits.control_ports))
    found = map_to_library(config, folder, library, leaves)
    flat = flatten(found.modules, found.top, area_roles(build_macro(config)))
    physics = _physics({cell.kind for cell in flat.cells}, library, liberty)
    kinds = {kind: how for kind in physics if (how := clocking(library.cells[kind]))}
    clock = clock_network(flat, physics, kinds, flat.ports["clk"][0])
    loads = net_loads(flat, physics, wire_load)
    point = operating_point(flat, physics, kinds, clock, loads)
    return MappedMacro(library, found.folder, flat, physics, kinds, clock, loads, point)


def _physics(used: set[str], library: Library, liberty: Iterable[Path]) -> dict[str, Physics]:
    """What the libraries say of the ``used`` cells; InputError where that is not enough."""
    unknown = sorted(used - set(library.cells))
    if unknown:
        raise InputError(f"--liberty: {library.name} has no cell for {', '.join(unknown[:4])}")
    try:
        physics = read_physics(liberty, sorted(used))
    except TableError as error:
        raise InputError(f"--liberty: {library.name}: {error}") from None
    if not all(each.voltage for each in physics.values()):
        raise InputError(f"--liberty: {library.name} says no nom_voltage, which energy needs")
    still = sorted(n for n, each in physics.items() if library.cells[n].inputs and not each.timed)
    if still:
        raise InputError(f"--liberty: {library.name} has no delays of {', '.join(still[:4])}")
    return physics
