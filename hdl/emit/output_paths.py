"""What may be written to: the folder or file that a user names, judged before any work."""

import os
import shlex
import stat
from pathlib import Path

from cimforge.hdl.params.ranges import nearest_word

__all__ = ["BUILD", "PathError", "check_file", "check_folder", "kind_of"]

BUILD = "build"  # generated files live there by default, so it is made with all that lies below
KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISREG, "a file"),
)


class PathError(ValueError):
    """A path that is not written to: one line that says which, and why."""


def kind_of(path: Path) -> str:
    """What stands at ``path`` itself, links not followed; empty where there is nothing."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return next((name for test, name in KINDS if test(mode)), "a device")


def check_folder(folder: Path) -> None:
    """Raise PathError unless files can be written to ``folder``.

    It need not exist, but what it lies in must, or else lie in ``build`` of the working folder: a
    mistyped path makes no folders.
    """
    if not str(folder).strip():
        raise PathError("a name of blanks; name a folder")
    if folder.is_dir():
        if folder.resolve() == Path(folder.resolve().root):
            raise PathError(f"{folder} is the root of the file system; name a folder in it")
        return _check_writable(folder)
    if kind := kind_of(folder):
        raise PathError(f"{folder} is not a folder, but {kind}")
    _check_parent(folder)


def check_file(path: Path, suffix: str) -> None:
    """Raise PathError unless ``path`` can be made or replaced by a file that ends in ``suffix``.

    Only a plain file is replaced: never a device, a pipe or a link.
    """
    if path.is_dir():
        raise PathError(f"{path} is a folder; name a file")
    if (kind := kind_of(path)) == "a symbolic link":
        raise PathError(f"{path} is {kind}; name the file it leads to, {os.readlink(path)}")
    if kind not in ("", "a file"):
        raise PathError(f"{path} is {kind}, which is never replaced; name a file")
    if path.suffix.lower() != suffix:
        raise PathError(f"{path}: written as {suffix}, so name a file that ends in {suffix}")
    _check_parent(path)


def _check_parent(path: Path) -> None:
    """The folder that will hold ``path``: there, or below build."""
    parent = path.parent
    existing = next(each for each in (parent, *parent.parents) if kind_of(each) or each == Path())
    if not existing.is_dir():
        raise PathError(f"{existing} is not a folder")
    _check_writable(existing)
    if existing != parent and not _below_build(parent):
        missing = existing / parent.relative_to(existing).parts[0]
        beside = [BUILD, *(each.name for each in existing.iterdir() if each.is_dir())]
        close = nearest_word(missing.name, beside)
        did = f"did you mean {existing / close}? Else " if close else ""
        raise PathError(f"{missing} does not exist; {did}mkdir -p {shlex.quote(str(parent))}")


def _below_build(folder: Path) -> bool:
    if ".." in folder.parts:  # what is before it would be made too
        return False
    return Path(os.path.abspath(folder)).is_relative_to(Path(os.path.abspath(BUILD)))


def _check_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PathError(f"{folder} may not be written to")
