"""Where a simulation is built: make and Verilator take no path with a space, a colon or an é."""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cimforge.hdl.params.config_file import InputError

__all__ = [
    "build_root",
    "check_installation",
    "placed_sources",
    "shelter",
    "unsafe_characters",
]

UNSAFE = re.compile(r"[^A-Za-z0-9_/.+@-]", re.ASCII)


def unsafe_characters(path: Path) -> str:
    """Those characters of a path that make's rules or a shell do not take, quoted. Verilator writes
    letters of other scripts as numbers into its makefiles."""
    return ", ".join(repr(each) for each in sorted(set(UNSAFE.findall(str(path)))))


def check_installation() -> None:
    """Raise InputError where the project itself lies where Verilator cannot build."""
    if bad := unsafe_characters(Path(sys.prefix)):
        rule = f"{sys.prefix} holds {bad}, which make cannot take"
        raise InputError(f"--simulator verilator: {rule}; move it, or use --simulator icarus")


def build_root(folder: Path) -> Path:
    """The folder below which the design in ``folder`` is built: ``folder`` itself, absolute, or
    where tools do not take its path, a folder of the user's own below the temporary folder.

    Raises InputError where there is no such place.
    """
    folder = folder.resolve()
    if not UNSAFE.search(str(folder)):
        return folder
    return shelter() / _digest(folder)


def placed_sources(folder: Path, names: Sequence[str]) -> list[Path]:
    """Paths of a design's sources, named from ``folder``, that every tool takes: where they are, or
    copies in build_root."""
    placed = []
    for number, source in enumerate((folder / name).resolve() for name in names):
        if UNSAFE.search(str(source)):
            root = shelter() / _digest(folder.resolve()) / "sources"
            root.mkdir(parents=True, exist_ok=True)
            copy = root / f"{number}_{UNSAFE.sub('_', source.name)}"  # two may have one name
            source = shutil.copyfile(source, copy)
        placed.append(source)
    return placed


def _digest(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def shelter() -> Path:
    """A folder that only this user can write to; raises InputError where there is none."""
    base = Path(tempfile.gettempdir()).resolve()
    if bad := unsafe_characters(base):
        raise InputError(f"TMPDIR: {base} holds {bad}, which make cannot take; choose another")
    place = base / f"cimforge-{os.getuid()}"
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        state = place.lstat()
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}; set TMPDIR to a folder of yours") from None
    if place.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o022:
        raise InputError(f"{place} is not yours alone; set TMPDIR to a folder of yours")
    return place
