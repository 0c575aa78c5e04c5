"""Registries: styles by name, in the order in which their files registered them."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from cimforge.hdl.params.errors import ConfigError, shown
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["Registry"]

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """Entries by name; ``kind`` is the parameter of MacroConfig that chooses among them.

    A new style registers itself once, from its own file or a test's; a second one of the same name
    raises ValueError. ``find`` raises ConfigError with the nearest name.
    """

    def __init__(self, kind: str):
        self._kind = kind
        self._entries: dict[str, Entry] = {}

    def register(self, name: str, entry: Entry) -> Entry:
        """Add an entry and return it."""
        if name in self._entries:
            raise ValueError(f"{self._kind} {name!r} is registered already")
        self._entries[name] = entry
        return entry

    def remove(self, name: str) -> None:
        """Take an entry out again: what a test added."""
        del self._entries[name]

    def find(self, name: str) -> Entry:
        """The entry ``name``."""
        if name in self._entries:
            return self._entries[name]
        nearest = nearest_word(name, list(self)) or next(iter(self))
        raise ConfigError(
            self._kind, f"must be one of {', '.join(self)}, not {shown(name)}", nearest
        )

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
