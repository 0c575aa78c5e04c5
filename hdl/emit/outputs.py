"""The one rule for files this project writes: a set appears whole, and nothing is lost to it."""

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from cimforge.hdl.emit.output_paths import BUILD, kind_of
from cimforge.hdl.params.config_file import InputError

__all__ = ["CELLS", "MANIFEST", "Content", "OutputFolder", "listing", "open_outputs", "write_file"]

CELLS = "cim_cells.v"  # leaf cells of all macros
MANIFEST = "manifest.json"
STAGE = ".cimforge"  # where a set is written before it appears
SEAL = "sha256"  # the manifest's last key: the hash of the rest

Content = str | bytes


def listing(contents: Mapping[str, Content]) -> list[dict[str, str]]:
    """Path and SHA-256 of each file, as a manifest's ``files``."""
    return [{"path": path, "sha256": _digest(text)} for path, text in contents.items()]


class OutputFolder:
    """A folder that holds one set of files, told by its ``manifest.json``; made by open_outputs.

    A set has a name (a macro's, for example), and a folder never holds two; paths of its files may
    have folders in them. A file is replaced only
    where the manifest lists it with the hash it has, so whatever a user wrote or edited stays. The
    set is first written beside its place: a full disk or an interruption leaves the old set. A
    process that dies between two renames leaves files of both sets; the next run knows both.
    """

    def __init__(self, folder: Path, name: str):
        self.folder, self.name = folder, name
        self._old = _read_manifest(folder / MANIFEST)
        if self._old.get("name", name) != name:
            rule = f"{folder} holds {self._old['name']}, and a folder holds one set of files"
            raise InputError(f"{rule}; choose another with -o")
        staged: dict[str, Any] = {}
        with suppress(InputError):  # a process died before the manifest was whole
            staged = _read_manifest(folder / STAGE / MANIFEST)
        self._known = {(f["path"], f["sha256"]) for m in (self._old, staged) for f in _files(m)}

    def kept(self, described: Mapping[str, Any], fresh: Mapping[str, Content]) -> list[dict]:
        """Entries of the old manifest that stay true beside the ``fresh`` files: same command,
        same tools, and still here."""
        if any(self._old.get(key) != described.get(key) for key in ("command", "tools")):
            return []
        others = [file for file in _files(self._old) if file["path"] not in fresh]
        return [file for file in others if (self.folder / file["path"]).exists()]

    def check(self, contents: Mapping[str, Content | None], command: str = "") -> None:
        """Raise InputError, naming the first, where a file of these names must not be replaced.

        ``contents`` may be None where it is not known yet; ``command`` is the one that writes.
        """
        for path, content in contents.items():
            target = self.folder / path
            for above in (self.folder / name for name in list(Path(path).parents)[-2::-1]):
                if (kind := kind_of(above)) not in ("", "a folder"):
                    raise InputError(f"{above} is {kind}, and a folder is needed; move it away")
            kind = kind_of(target)
            if kind not in ("", "a file"):
                raise InputError(f"{target} is {kind}, which is never replaced; move it away")
            if not kind:
                continue
            digest = _digest(target.read_bytes())
            if (path, digest) in self._known or (content and digest == _digest(content)):
                continue
            listed = any(path == known for known, _ in self._known)
            what = "was changed since it was written" if listed else "is not listed in a manifest"
            rule = f"{target} {what}, so it is kept; move it away"
            raise InputError(f"{rule}{self._as_it_is(path, command)}")

    def write(self, contents: Mapping[str, Content], described: dict[str, Any]) -> list[str]:
        """Write the set and its manifest, which is ``described`` with its own hash added.

        Returns the names of files removed: those the old manifest lists, untouched, that belong to
        the set no longer. Raises InputError as ``check`` does, OSError where the disk is full.
        """
        self.check(contents, described.get("command", ""))
        sealed = {**described, SEAL: _digest(_json(described))}
        whole = {**contents, MANIFEST: _json(sealed)}
        stage = self.folder / STAGE
        shutil.rmtree(stage, ignore_errors=True)
        try:
            stage.mkdir()
            for path, content in whole.items():
                (stage / path).parent.mkdir(parents=True, exist_ok=True)
                (stage / path).write_bytes(_bytes(content))
        except BaseException as error:
            shutil.rmtree(stage, ignore_errors=True)
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(self.folder)) from None
            raise
        for path in whole:  # the manifest is last: until then both sets' hashes are known
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).replace(self.folder / path)
        shutil.rmtree(stage)
        return self._remove_stale({file["path"] for file in described["files"]})

    def _as_it_is(self, path: str, command: str) -> str:
        """How to check an edited source of the macro without writing it again."""
        sources = (f"{self.name}.v", CELLS)
        if path not in sources or not command:
            return ""
        named = (f"--sources {_quoted(self.folder / source)}" for source in sources)
        command = self._old.get("command", command)
        there = [] if self.folder == Path(BUILD) / self.name else [f"-o {_quoted(self.folder)}"]
        verify = " ".join([command.replace("generate", "verify", 1), *named, *there])
        return f", or verify it as it is: {verify}"

    def _remove_stale(self, current: set[str]) -> list[str]:
        stale = [file for file in _files(self._old) if file["path"] not in current]
        removed = []
        for path, digest in ((file["path"], file["sha256"]) for file in stale):
            target = self.folder / path
            if kind_of(target) == "a file" and _digest(target.read_bytes()) == digest:
                target.unlink()
                removed.append(path)
                with suppress(OSError):  # folders that hold something else stay
                    for above in list(Path(path).parents)[:-1]:
                        (self.folder / above).rmdir()
        return removed


@contextmanager
def open_outputs(folder: Path, name: str) -> Iterator[OutputFolder]:
    """The folder for the set ``name``, made where missing and locked against other processes.

    Raises InputError where it holds another set. A folder made here that stays empty is removed.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    lock = _lock(folder)
    try:
        yield OutputFolder(folder, name)
    finally:
        os.close(lock)
        with suppress(OSError):
            for each in made:
                each.rmdir()


def _lock(folder: Path) -> int:
    """A descriptor of the folder that holds its lock, which ends when it is closed."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # some network file systems lock no folders
            flock(lock, LOCK_EX)
        with suppress(FileNotFoundError):  # another process made it, failed and removed it
            if os.path.samestat(os.fstat(lock), folder.stat()):
                return lock
        os.close(lock)


def write_file(path: Path, content: Content) -> None:
    """Write one file, whole or not at all, its folder made where missing; check_file judged it.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")  # not another process's
    try:
        partial.write_bytes(_bytes(content))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _read_manifest(path: Path) -> dict[str, Any]:
    """The manifest at ``path``; empty where there is none. Raises InputError where it is not one,
    or was changed."""
    if not (kind := kind_of(path)):
        return {}
    if kind != "a file":
        raise InputError(f"{path} is {kind}, which is never replaced; move it away")
    try:
        manifest = json.loads(path.read_text())
        name, files = manifest["name"], [(f["path"], f["sha256"]) for f in manifest["files"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is not a manifest of cimforge's; move it away") from None
    rest = {key: value for key, value in manifest.items() if key != SEAL}
    if not (name and files) or manifest.get(SEAL, _digest(_json(rest))) != _digest(_json(rest)):
        raise InputError(f"{path} was changed since it was written, so it is kept; move it away")
    return manifest


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _files(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    return manifest.get("files", [])


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _digest(content: Content) -> str:
    return hashlib.sha256(_bytes(content)).hexdigest()
