"""Finds the Liberty files a user means: paths, a PDK's typical corner, or Debian's small one."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cimforge.hdl.params.config_file import InputError

__all__ = ["OSU018", "Found", "find_libraries"]

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
TYPICAL = ("_tt_", "_typ_", "typical", "_typ.", "nom")  # how libraries name their typical corner
STANDARD_CELLS = ("_sc_", "stdcell", "cells")  # how they name libraries of standard cells
SUFFIXES = (".lib", ".lib.gz")
HINT = "give --liberty FILE, set PDK_ROOT, or install Debian's qflow-tech-osu018"
SHOWN = 6  # candidates in a message


@dataclass(frozen=True)
class Found:
    """Liberty files, and how each was come by where its path was not given."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def find_libraries(names: Sequence[str] = ()) -> Found:
    """The libraries of each ``--liberty NAME``: a file, or a part of the name of one below
    PDK_ROOT (below its folder PDK where that is set).

    Without a name: the typical corner of the standard-cell library below PDK_ROOT, else osu018.
    Raises InputError where there is none, and where several fit: none is taken by chance.
    """
    found = [_named(name) for name in names] or [_unnamed()]
    return Found(tuple(path for path, _ in found), tuple(note for _, note in found if note))


def _named(name: str) -> tuple[Path, str]:
    if not name:
        raise InputError(f"--liberty: must not be empty; {HINT}")
    path = Path(name)
    if path.is_file():
        return path, ""
    if path.is_dir():
        raise InputError(f"--liberty {name}: is a folder; name a file in it, or set PDK_ROOT to it")
    if path.exists():  # it is read more than once, here and by Yosys
        raise InputError(f"--liberty {name}: is a device or a pipe; name a file")
    root = os.environ.get("PDK_ROOT")
    if not root or os.sep in name:
        raise InputError(f"--liberty {name}: no such file; {HINT}")
    every = _below(root)
    matching = [path for path in every if name in path.name]
    if not matching:
        where = f"no such file and none below PDK_ROOT ({root}) has it in its name"
        raise InputError(f"--liberty {name}: {where}; {HINT}")
    return _only(matching, f"--liberty {name}", "a longer part of its name")


def _unnamed() -> tuple[Path, str]:
    if root := os.environ.get("PDK_ROOT"):
        found = _below(root)
        if not found:
            rule = f"no .lib or .lib.gz below {root}; unset it, or name a library with --liberty"
            raise InputError(f"PDK_ROOT: {rule}")
        return _only(found, "--target liberty", "--liberty and a part of its name")
    if OSU018.is_file():
        return OSU018, f"neither --liberty nor PDK_ROOT: Debian's small library {OSU018}"
    raise InputError(f"--target liberty: no library given; {HINT}")


def _only(paths: list[Path], what: str, way: str) -> tuple[Path, str]:
    """The one that fits best, standard cells before others, then the typical corner; InputError
    where several do."""
    best = paths
    for words in (STANDARD_CELLS, TYPICAL):
        best = [path for path in best if any(word in path.name for word in words)] or best
    if len(best) > 1:
        names = ", ".join(path.name for path in best[:SHOWN])
        more = f" and {len(best) - SHOWN} more" if len(best) > SHOWN else ""
        raise InputError(f"{what}: {len(best)} libraries fit: {names}{more}; name one with {way}")
    if len(paths) == 1:
        return best[0], f"below PDK_ROOT: {best[0]}"
    return best[0], f"below PDK_ROOT, the typical corner of {len(paths)} libraries: {best[0]}"


def _below(root: str) -> list[Path]:
    """Liberty files below a PDK root, by path; one where it is there with and without .gz."""
    base = Path(root)
    if not base.is_dir():
        raise InputError(f"PDK_ROOT: {root} is no folder")
    if pdk := os.environ.get("PDK"):
        base /= pdk
        if not base.is_dir():
            here = ", ".join(sorted(p.name for p in Path(root).iterdir() if p.is_dir())[:SHOWN])
            raise InputError(f"PDK: no folder {pdk} in PDK_ROOT ({root}); there: {here or 'none'}")
    plain: dict[str, Path] = {}
    for path in sorted(_files(base)):
        plain.setdefault(str(path).removesuffix(".gz"), path)
    return list(plain.values())


def _files(base: Path) -> Iterator[Path]:
    """Liberty files, through symbolic links as well, each real folder and file once."""
    seen = set()
    for folder, inner, names in os.walk(base, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if name.endswith(SUFFIXES) and path.is_file():
                target = os.path.realpath(path)
                if target not in seen:
                    seen.add(target)
                    yield path
