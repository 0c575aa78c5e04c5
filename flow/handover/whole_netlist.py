"""The mapped macro as one module for static timing, nothing left out, and what its pins load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cimforge.flow.liberty.characterisation import Physics, read_physics
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.liberty_writer import timing_library
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.liberty.lookup_table import TableError
from cimforge.flow.power.flat_netlist import FlatNetlist, flatten
from cimforge.flow.synth.census import area_roles
from cimforge.flow.synth.synthesis import map_to_library
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.netlist.yosys import run_yosys
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["WHOLE", "WholeNetlist", "map_whole"]

WHOLE = "whole.v"  # buses stay buses, so that a port is one object to OpenSTA
FLATTEN = f"""
read_json netlist.json
setattr -mod -unset keep_hierarchy *
flatten
splitnets
opt_clean
write_verilog -noattr -noexpr -nohex -nodec -simple-lhs {WHOLE}
"""


@dataclass(frozen=True)
class WholeNetlist:
    """A macro mapped in ``folder``, as data; ``libraries`` are the Liberty files beside it that
    tell its cells' timing, ``physics`` what else is known of them."""

    library: Library
    folder: Path
    libraries: tuple[str, ...]
    netlist: FlatNetlist
    physics: Mapping[str, Physics]

    @property
    def complete(self) -> bool:
        """Whether the library knows every cell: RAMs it does not."""
        return all(cell.kind in self.library.cells for cell in self.netlist.cells)

    def write_verilog(self) -> None:
        """Write all of it as the file WHOLE in ``folder``."""
        run_yosys(FLATTEN, self.folder)

    def cell_area(self, sizes: Mapping[str, float] | None = None) -> tuple[float, list[str]]:
        """Area of all cells in the library's unit (um2), of ``sizes`` (by name) where the library
        tells none; and the cells that have none at all."""
        sizes = sizes or {}
        known = self.library.cells
        areas = {kind: known[kind].area or sizes.get(kind, 0.0) for kind in self._kinds}
        total = sum(areas.get(cell.kind, 0.0) for cell in self.netlist.cells)
        return total, sorted(kind for kind in self._kinds if not areas[kind])

    def leakage(self) -> tuple[float, list[str]]:
        """Leakage of all cells in nW, each the mean of its states where the library tells no value
        for the cell; and the cells of which nothing is told."""
        told = {kind: _leakage(self.physics[kind]) for kind in self._kinds}
        total = sum(told.get(cell.kind) or 0.0 for cell in self.netlist.cells)
        return total, sorted(kind for kind, value in told.items() if value is None)

    def capacitance(self, port: Port) -> float:
        """Load in pF of an input: the sum of its cells' pins, of a bus its largest bit's."""
        return max(self._loads.get(net, 0.0) for net in self.netlist.ports[port.name]) / 1000

    def largest_load(self, port: Port) -> float:
        """What may hang on an output, in pF: the driving pin's largest load without what it drives
        inside, of a bus its weakest bit's; 0 where the library does not say."""
        return min(self._spare.get(net, 0.0) for net in self.netlist.ports[port.name])

    @cached_property
    def _kinds(self) -> set[str]:
        kinds = {cell.kind for cell in self.netlist.cells}
        return {kind for kind in kinds if kind in self.library.cells}

    @cached_property
    def _loads(self) -> dict[int, float]:
        loads: dict[int, float] = {}
        for cell in self.netlist.cells:
            capacitance = self.physics[cell.kind].capacitance if cell.kind in self.physics else {}
            for pin, net in cell.pins.items():
                if net >= 0 and pin in capacitance:
                    loads[net] = loads.get(net, 0.0) + capacitance[pin]
        return loads

    @cached_property
    def _spare(self) -> dict[int, float]:
        loads, spare = self._loads, {}
        for cell in self.netlist.cells:
            if cell.kind in self.library.cells:
                for pin in self.library.cells[cell.kind].outputs:
                    net = cell.pins.get(pin.name, -1)
                    if net >= 0:
                        spare[net] = max(0.0, pin.max_capacitance - loads.get(net, 0.0) / 1000)
        return spare


def _leakage(physics: Physics) -> float | None:
    """A cell's leakage in nW: of the cell as a whole, or the mean of its states."""
    whole = [each.value for each in physics.leakage if each.when is None]
    stated = whole or [each.value for each in physics.leakage]
    return sum(stated) / len(stated) if stated else None


def map_whole(
    config: MacroConfig,
    folder: Path,
    liberty: Sequence[Path],
    overrides: Mapping[str, str] | None = None,
) -> WholeNetlist:
    """Map the macro emitted in ``folder`` to the libraries ``liberty``, as ``cimforge synth`` does.

    Raises InputError where the libraries lack what is needed, and YosysError.
    """
    library = read_library(*liberty)
    leaves = choose_cells(library, overrides, latches=bool(config.storage_traits.control_ports))
    mapped = map_to_library(config, folder, library, leaves)
    rams = set(config.models) if config.storage_traits.memory else set()
    used = sorted(mapped.cell_types - set(mapped.modules) - rams)
    unknown = [kind for kind in used if kind not in library.cells]
    if unknown:
        raise InputError(f"--liberty: {library.name} has no cell for {', '.join(unknown[:4])}")
    flat = flatten(mapped.modules, mapped.top, area_roles(build_macro(config)))
    try:
        physics = read_physics(liberty, used)
    except TableError as error:
        raise InputError(f"--liberty: {library.name}: {error}") from None
    names = _write_libraries(mapped.folder, library, used)
    return WholeNetlist(library, mapped.folder, names, flat, physics)


def _write_libraries(folder: Path, library: Library, used: Sequence[str]) -> tuple[str, ...]:
    """Write the used cells of each library as a file that OpenSTA reads; the files' names."""
    names = []
    for index, part in enumerate(library.parts):
        if any(library.cells[kind].part == index for kind in used):
            names.append(f"arcs{index or ''}.lib")
            (folder / names[-1]).write_text(timing_library(library, part, used))
    return tuple(names)
