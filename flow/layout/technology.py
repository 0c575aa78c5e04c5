"""Technologies that a macro can be laid out in, as data: files of a cell library, and what the
tools must be told of it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.liberty.library_path import OSU018 as OSU018_LIBERTY
from cimforge.hdl.params.config_file import InputError

__all__ = ["OSU018", "QFLOW", "TECHNOLOGIES", "Technology", "check_tools"]

QFLOW = Path("/usr/lib/qflow/scripts")
PROGRAMS = ("tclsh", "graywolf", "qrouter", "magic", "netgen-lvs")
PACKAGES = ("qflow",)  # which asks for the programs


@dataclass(frozen=True)
class Technology:
    """A cell library with the files of the layout tools, all in ``folder``.

    ``lef`` holds cells and layers, ``placer`` Graywolf's
    parameters, ``magicrc`` Magic's start file, ``netgen`` Netgen's set-up. ``filler`` is the cell
    that fills rows; ``buffer`` a buffer (cell, input, output). ``stripes`` are the width and the
    pitch of the power stripes in um, ``via_stack`` how many vias may lie on
    one another. ``densities`` are tried one after the other, as the share of
    the rows that cells may take, until all is well. ``small_metal`` matches Magic's rule of a
    metal's least area, its number as a group.
    """

    name: str
    folder: Path
    liberty: Path
    lef: str
    placer: str
    magicrc: str
    netgen: str
    filler: str
    buffer: tuple[str, str, str]
    power: str
    ground: str
    stripes: tuple[float, float]
    via_stack: int
    densities: tuple[float, ...]
    small_metal: str
    packages: tuple[str, ...]  # of Debian that bring the files

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the tools read."""
        names = (self.lef, self.placer, self.magicrc, self.netgen)
        return (self.liberty, *(self.folder / name for name in names))


OSU018 = Technology(
    name="osu018",
    folder=OSU018_LIBERTY.parent,
    liberty=OSU018_LIBERTY,
    lef="osu018_stdcells.lef",
    placer="osu018.par",
    magicrc="osu018.magicrc",
    netgen="osu018_setup.tcl",
    filler="FILL",
    buffer=("BUFX2", "A", "Y"),
    power="vdd",
    ground="gnd",
    stripes=(2.0, 50.0),
    via_stack=1,
    densities=(1.0, 0.8, 0.65, 0.5),
    small_metal=r"^Metal(\d) area",
    packages=("qflow-tech-osu018",),
)

TECHNOLOGIES = {OSU018.name: OSU018}


def check_tools(technology: Technology) -> None:
    """Raise InputError, naming Debian's packages, where a program or a file is missing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    missing += [str(path) for path in (QFLOW, *technology.files) if not path.exists()]
    if missing:
        packages = " ".join((*PACKAGES, *technology.packages))
        hint = f"install Debian's tools: apt install {packages}"
        raise InputError(f"layout: no {', '.join(missing[:3])}; {hint}")
