"""Reads Liberty text into plain data: groups with their attributes, in the order of the file."""

import gzip
import re
import zlib
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path

from cimforge.hdl.params.config_file import InputError

__all__ = ["POWER", "Group", "read_groups"]

CONTINUED = r"\\[ \t]*(?:\r\n?|\n)"
COMMENT = r"/\*.*?\*/|//[^\r\n]*"
STRING = r'"(?:[^"\\]|\\.)*"'
SPACE = re.compile(rf"(?:\s+|{CONTINUED}|{COMMENT})*", re.S)
LIBRARY = re.compile(r'"?library"?\s*(?=\()')
NAME = re.compile(rf'{STRING}|(?:[^\s,;:(){{}}"\\/]|/(?![*/]))+', re.S)
ARGUMENT = re.compile(rf'{STRING}|(?:[^\s,;(){{}}"\\/]|/(?![*/]))+', re.S)
PLAIN_VALUE = re.compile(r':\s*(?:"([^"\\]*)"|([\w.+-]+))[ \t]*;')
VALUE_PART = re.compile(
    rf'[ \t]+|{CONTINUED}|{COMMENT}|(?P<word>(?:[^\s;{{}}"\\/]|/(?![*/]))+)', re.S
)
BRACE = re.compile(rf"[{{}}]|{STRING}|{COMMENT}", re.S)
DEEPEST_INCLUDE = 8
# What a mapper or static timing needs. Of all other groups only their presence is kept.
KEPT = {
    *("library", "cell", "pin", "bus", "bundle", "ff", "latch", "timing", "lu_table_template"),
    *("cell_rise", "cell_fall", "rise_transition", "fall_transition"),
    *("rise_constraint", "fall_constraint", "wire_load"),
}
# And what power needs besides.
POWER = {
    *("internal_power", "leakage_power", "power_lut_template"),
    *("rise_power", "fall_power", "power"),
}


@dataclass
class Group:
    """A Liberty group: its kind and arguments, simple attributes (of equal names the last),
    complex ones in order, and inner groups in order."""

    kind: str
    args: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    lists: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    groups: list["Group"] = field(default_factory=list)

    def all(self, kind: str) -> list["Group"]:
        """The inner groups of a kind."""
        return [group for group in self.groups if group.kind == kind]

    def arguments(self, name: str) -> tuple[str, ...]:
        """The arguments of the last complex attribute ``name``, or none."""
        return next((args for key, args in reversed(self.lists) if key == name), ())


def read_groups(path: Path, further: Set[str] = frozenset()) -> list[Group]:
    """The libraries in a Liberty file, gzipped or not; what include_file names stands in its place.

    Groups are kept whole if they are of a kind in KEPT or ``further``.

    Raises InputError where a file cannot be read or is no Liberty text.
    """
    text = _file_text(path, f"--liberty {path}")
    try:
        return _Reader(text, path, KEPT | further).libraries()
    except (ValueError, RecursionError) as error:
        raise InputError(f"--liberty {path}: not a Liberty file: {error}") from None


def _file_text(path: Path, where: str) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    return data.decode("utf-8-sig", errors="replace")


class _Reader:
    """A recursive reader of statements, by position in the text."""

    def __init__(self, text: str, path: Path, kept: Set[str], depth: int = 0):
        self._text = text
        self._path = path
        self._kept = kept
        self._depth = depth
        self._at = 0

    def libraries(self) -> list[Group]:
        """All of the file: one library behind the other."""
        found = []
        while self._next():
            if not LIBRARY.match(self._text, self._at):
                raise self._unexpected()
            found.append(self._statement(None))
        if not found:
            raise ValueError(f"{self._place()}it holds no library")
        return found

    def _next(self) -> str:
        """The next character that is no space or comment, or nothing at the end."""
        self._at = SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
        return self._text[self._at : self._at + 1]

    def _place(self) -> str:
        """Where the reader stands, for a message."""
        before = self._text[: self._at]
        line = before.count("\n") + before.count("\r") - before.count("\r\n") + 1
        return f"{f'{self._path.name} ' if self._depth else ''}line {line}: "

    def _unexpected(self) -> ValueError:
        here = re.split(r"[\r\n]", self._text[self._at : self._at + 20])[0]
        return ValueError(f"{self._place()}{repr(here) if here else 'the end'} was not expected")

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if not found:
            raise self._unexpected()
        self._at = found.end()
        return found[0]

    def _statement(self, parent: Group | None) -> Group:
        """A group, or an attribute that is put into ``parent``."""
        name = _plain(self._take(NAME))
        mark = self._next()
        if parent is not None and mark == ":":
            parent.values[name] = self._value()
            return parent
        if mark != "(":
            raise self._unexpected()
        args = self._arguments()
        if self._next() == "{":
            group = Group(name, args)
            if name in self._kept:
                self._at += 1
                self._fill(group, closed=True)
            else:
                self._skip()
            if parent is not None:
                parent.groups.append(group)
            return group
        if parent is None:
            raise ValueError(f"{self._place()}no {{ behind library (...)")
        if name == "include_file":
            self._include(parent, args)
        parent.lists.append((name, args))
        return parent

    def _fill(self, group: Group, closed: bool) -> None:
        """Statements up to the group's }, or where it is not ``closed`` the end of the text."""
        while mark := self._next():
            if mark == ";":
                self._at += 1
            elif mark == "}" and closed:
                self._at += 1
                return
            else:
                self._statement(group)
        if closed:
            raise ValueError(f"{self._place()}it ends in the middle of a group ({group.kind})")

    def _value(self) -> str:
        """What stands behind a colon: a string, or all up to the semicolon or the line's end."""
        if found := PLAIN_VALUE.match(self._text, self._at):
            self._at = found.end()
            return found[1] if found[2] is None else found[2]
        self._at += 1
        if self._next() == '"':
            return _plain(self._take(NAME))
        words = []
        while found := VALUE_PART.match(self._text, self._at):
            if (found["word"] or "").endswith(":"):
                raise self._unexpected()
            words.append(found["word"] or " ")
            self._at = found.end()
        if self._text.startswith(("{", '"'), self._at):
            raise self._unexpected()
        return " ".join("".join(words).split())

    def _arguments(self) -> tuple[str, ...]:
        """What stands in parentheses."""
        self._at += 1
        args = []
        while (mark := self._next()) != ")":
            if mark == ",":
                self._at += 1
            else:
                args.append(_plain(self._take(ARGUMENT)).strip())
        self._at += 1
        return tuple(args)

    def _skip(self) -> None:
        """Past a group's braces."""
        depth = 0
        for mark in BRACE.finditer(self._text, self._at):
            depth += (mark[0] == "{") - (mark[0] == "}")
            if depth == 0:
                self._at = mark.end()
                return
        raise ValueError(f"{self._place()}it ends in the middle of a group")

    def _include(self, parent: Group, args: tuple[str, ...]) -> None:
        """The statements of another file, found from this one's folder."""
        named = self._path.parent / " ".join(args)
        where = f"--liberty {self._path}: include_file ({' '.join(args)})"
        if self._depth == DEEPEST_INCLUDE:
            raise InputError(f"{where}: files include each other more than {self._depth} deep")
        inner = _Reader(_file_text(named, where), named, self._kept, self._depth + 1)
        inner._fill(parent, closed=False)


def _plain(token: str) -> str:
    """A token without its quotes, continued lines joined."""
    if not token.startswith('"'):
        return token
    if "\\" not in token:
        return token[1:-1]
    joined = re.sub(CONTINUED, "", token[1:-1])
    return re.sub(r"\\(.)", r"\1", joined, flags=re.S)
