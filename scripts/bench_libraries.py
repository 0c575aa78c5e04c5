"""The libraries of a bench as files on this machine: where each is, and whether it is the same."""

import gzip
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cimforge.hdl.params.config_file import InputError
from cimforge.scripts.bench_table import Bench, Row

__all__ = ["Located", "locate_libraries", "with_libraries"]

FOLDER = "CIMFORGE_LIBERTY"  # environment variable


@dataclass(frozen=True)
class Located:
    """Where a library is; ``why`` says what is wrong where its figures cannot be compared."""

    path: Path | None
    why: str = ""


def locate_libraries(bench: Bench, given: Sequence[Path] = ()) -> dict[str, Located]:
    """Each library of the bench by name, looked for by its file's name: among ``given``, in the
    folder CIMFORGE_LIBERTY, where the table says. Others among ``given`` are libraries of their
    own. Raises InputError where the folder is none."""
    folder = os.environ.get(FOLDER, "")
    if folder and not Path(folder).is_dir():
        raise InputError(f"{FOLDER}: {folder} is no folder; set it to one that holds Liberty files")
    found = {name: _locate(entry, given, folder) for name, entry in bench.libraries.items()}
    taken = {located.path for located in found.values()}
    for path in given:
        if path not in taken:
            found[path.name.removesuffix(".gz").removesuffix(".lib")] = Located(path, "your own")
    return found


def _locate(entry: Mapping[str, str], given: Sequence[Path], folder: str) -> Located:
    name = Path(entry["path"]).name
    places = [path for path in given if path.name == name]
    places += [Path(folder) / name] if folder else []
    for path in (*places, Path(entry["path"])):
        if path.is_file():
            same = _digest(path) == entry["sha256"]
            return Located(path, "" if same else f"{path} is another release of this library")
    return Located(None, f"{name}: name it with --liberty FILE or its folder in {FOLDER}")


def _digest(path: Path) -> str:
    text = path.read_bytes()
    return hashlib.sha256(gzip.decompress(text) if path.suffix == ".gz" else text).hexdigest()


def with_libraries(rows: Sequence[Row], found: Mapping[str, Located], bench: Bench) -> list[Row]:
    """The rows with their libraries' paths on this machine, those without a file left out; for a
    library of one's own, each design that is measured on any."""
    placed = []
    for row in rows:
        if not row.library:
            placed.append(row)
        elif here := found[row.on].path:
            placed.append(replace(row, library=str(here)))
    designs = {row.design: row for row in reversed(rows) if row.library}
    for name, located in found.items():
        if name not in bench.libraries:
            path = str(located.path)
            placed += [replace(row, on=name, library=path) for row in reversed(designs.values())]
    return placed
