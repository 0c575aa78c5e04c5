"""Tasks as bytes for another file system: a file goes as its content, a folder becomes another."""

import hashlib
import io
import os
import pickle
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple

__all__ = ["Content", "Packer", "Unpacked", "pack_result", "store", "unpack", "unpack_result"]

FILE, FOLDER, PATH, TEXT = "file", "folder", "path", "text"


class Content(NamedTuple):
    """A file as it is carried: its name, and its bytes, compressed."""

    name: str
    packed: bytes


class Unpacked(NamedTuple):
    """What a task is on a worker, and by its paths there those of the sender."""

    value: Any
    origins: dict[str, str]


class Packer:
    """Pickles tasks: each Path to a file stands for its content, by digest; each other Path for a
    folder of the worker's own. ``contents`` are those of all tasks, each once."""

    def __init__(self) -> None:
        self.contents: dict[str, Content] = {}
        self._seen: dict[str, tuple[tuple[int, int], str]] = {}

    def pack(self, value: Any) -> tuple[bytes, frozenset[str]]:
        """The task, and the digests of the contents that it reads. Raises OSError."""
        target, digests = io.BytesIO(), set[str]()
        pickler = _TaskPickler(target, self._digest, digests)
        pickler.dump(value)
        return target.getvalue(), frozenset(digests)

    def _digest(self, path: PurePath) -> str:
        """The digest of a file's content, which is read again where the file has changed; empty for
        what is no file."""
        if not Path(path).is_file():
            return ""
        state = os.stat(path)
        stamp = (state.st_mtime_ns, state.st_size)
        seen = self._seen.get(str(path))
        if seen and seen[0] == stamp:
            return seen[1]
        text = Path(path).read_bytes()
        digest = hashlib.sha256(path.name.encode() + b"\0" + text).hexdigest()[:32]
        self.contents.setdefault(digest, Content(path.name, zlib.compress(text, 1)))
        self._seen[str(path)] = stamp, digest
        return digest


class _TaskPickler(pickle.Pickler):
    def __init__(self, target: io.BytesIO, digest: Any, digests: set[str]):
        super().__init__(target, protocol=5)
        self._digest, self._digests = digest, digests

    def persistent_id(self, value: Any) -> tuple[str, ...] | None:
        """What stands for a path."""
        if not isinstance(value, PurePath):
            return None
        if digest := self._digest(value):
            self._digests.add(digest)
            return FILE, str(value), digest, value.name
        return FOLDER, str(value)


def store(contents: Mapping[str, Content], place: Path) -> None:
    """Write contents below ``place``, each into a folder called by its digest; one that is there is
    left as it is."""
    for digest, content in contents.items():
        path = place / digest / content.name
        if path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{content.name}.{os.getpid()}.part")
        partial.write_bytes(zlib.decompress(content.packed))
        partial.replace(path)  # whole or not at all: several workers share the place


def unpack(payload: bytes, place: Path, scratch: Path) -> Unpacked:
    """The task that Packer.pack made: files are in ``place`` (store), folders below ``scratch``,
    which are not made."""
    origins: dict[str, str] = {}
    unpickler = _TaskUnpickler(io.BytesIO(payload), place, scratch, origins)
    return Unpacked(unpickler.load(), origins)


class _TaskUnpickler(pickle.Unpickler):
    def __init__(self, source: io.BytesIO, place: Path, scratch: Path, origins: dict[str, str]):
        super().__init__(source)
        self._place, self._scratch, self._origins = place, scratch, origins

    def persistent_load(self, told: Any) -> Path:
        """The path here that stands for the sender's."""
        kind, origin, *more = told
        if kind == FILE:
            digest, name = more
            path = self._place / digest / name
        else:
            number = hashlib.sha256(origin.encode()).hexdigest()[:12]
            path = self._scratch / number / (PurePath(origin).name or "folder")
        self._origins[str(path)] = origin
        return path


def pack_result(value: Any, origins: Mapping[str, str]) -> bytes:
    """A result with the sender's paths in place of the worker's, in texts too."""
    target = io.BytesIO()
    _ResultPickler(target, origins).dump(value)
    return target.getvalue()


class _ResultPickler(pickle.Pickler):
    def __init__(self, target: io.BytesIO, origins: Mapping[str, str]):
        super().__init__(target, protocol=5)
        self._origins = sorted(origins.items(), reverse=True)  # the longer of two comes first

    def persistent_id(self, value: Any) -> tuple[str, str] | None:
        """What stands for a path, or for a text that holds one."""
        if isinstance(value, PurePath):
            return PATH, self._original(str(value))
        if isinstance(value, str) and (told := self._original(value)) is not value:
            return TEXT, told
        return None

    def _original(self, text: str) -> str:
        for own, origin in self._origins:
            if own in text:
                text = text.replace(own, origin)
        return text


def unpack_result(data: bytes) -> Any:
    """The result that pack_result made."""
    return _ResultUnpickler(io.BytesIO(data)).load()


class _ResultUnpickler(pickle.Unpickler):
    def persistent_load(self, told: Any) -> Path | str:
        """A path, or a text that holds one."""
        kind, text = told
        return Path(text) if kind == PATH else text
