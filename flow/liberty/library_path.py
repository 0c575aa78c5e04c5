"""Finds the Liberty file a user means: a path, a PDK's, or Debian's small one."""

import os
from pathlib import Path

from cimforge.hdl.params.config_file import InputError

__all__ = ["OSU018", "find_library"]

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
TYPICAL = ("_tt_", "_typ_", "typical", "_typ.", "nom")  # how libraries name their typical corner
STANDARD_CELLS = ("_sc_", "stdcell", "cells")  # how they name libraries of standard cells
HINT = "give --liberty FILE, set PDK_ROOT, or install Debian's qflow-tech-osu018"


def find_library(name: str | None) -> Path:
    """The library of ``--liberty NAME``: a file, or a part of the name of one below PDK_ROOT.

    Without a name: the typical corner of a standard-cell library below PDK_ROOT (below its folder
    PDK where that is set, the first by name), else osu018. Raises InputError where there is none.
    """
    if name is not None and Path(name).is_file():
        return Path(name)
    root = os.environ.get("PDK_ROOT")
    if root and not Path(root).is_dir():
        raise InputError(f"PDK_ROOT: {root} is no folder")
    found = _below(Path(root)) if root else []
    if name is not None:
        matching = [path for path in found if name in path.name]
        if not matching or not name or os.sep in name:
            where = f" and none below PDK_ROOT ({root}) has it in its name" if root else ""
            raise InputError(f"--liberty {name}: no such file{where}; {HINT}")
        return _typical_first(matching)[0]
    if found:
        return _typical_first(found)[0]
    if OSU018.is_file():
        return OSU018
    where = f"no .lib below PDK_ROOT ({root})" if root else "no library given"
    raise InputError(f"--target liberty: {where}; {HINT}")


def _below(root: Path) -> list[Path]:
    """Liberty files of standard cells below a PDK root."""
    base = root / os.environ.get("PDK", "")
    base = base if base.is_dir() else root
    patterns = ("*.lib", "*.lib.gz")
    paths = sorted(p for pattern in patterns for p in base.rglob(pattern) if p.is_file())
    return [path for path in paths if any(word in path.name for word in STANDARD_CELLS)] or paths


def _typical_first(paths: list[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (not any(t in path.name for t in TYPICAL), str(path)))
