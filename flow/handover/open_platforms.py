"""Which platform of OpenROAD-flow-scripts, and which PDK of LibreLane, an open library is of."""

from dataclasses import dataclass

__all__ = ["Platform", "find_platform"]


@dataclass(frozen=True)
class Platform:
    """The ``orfs`` platform of a library, and in LibreLane its ``pdk`` and ``cells``
    (STD_CELL_LIBRARY); empty where that flow has none."""

    orfs: str
    pdk: str = ""
    cells: str = ""


# By how libraries of theirs begin in their Liberty files. Names of flows, as those flows have them.
PLATFORMS = {
    "sg13g2_stdcell": Platform("ihp-sg13g2", "ihp-sg13g2", "sg13g2_stdcell"),
    "sky130_fd_sc_hd_": Platform("sky130hd", "sky130A", "sky130_fd_sc_hd"),
    "sky130_fd_sc_hs_": Platform("sky130hs", "sky130A", "sky130_fd_sc_hs"),
    "NangateOpenCellLibrary": Platform("nangate45"),
    "gf180mcu_fd_sc_mcu7t5v0": Platform("gf180", "gf180mcuD", "gf180mcu_fd_sc_mcu7t5v0"),
    "gf180mcu_fd_sc_mcu9t5v0": Platform("gf180", "gf180mcuD", "gf180mcu_fd_sc_mcu9t5v0"),
    "asap7sc7p5t": Platform("asap7"),
}
UNKNOWN = Platform("")


def find_platform(library: str) -> Platform:
    """The platform of the library of that name; one without names where none is known."""
    return next((p for start, p in PLATFORMS.items() if library.startswith(start)), UNKNOWN)
