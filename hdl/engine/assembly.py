"""Wiring by name: blocks whose ports are on the nets of their names."""

from collections.abc import Mapping
from typing import Any

from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Structure

__all__ = ["Assembly"]


class Assembly:
    """A Structure under construction, its nets by name: ``out`` and ``nets``."""

    def __init__(self, out: Structure):
        self.out = out
        self.nets: dict[str, Any] = {}

    def port(self, direction: str, name: str, width: int = 1) -> None:
        """A port of the structure."""
        self.nets[name] = self.out.port(direction, name, width)

    def ports_of(
        self, block: Module, *begins: str, called: Mapping[str, str] | None = None
    ) -> None:
        """Ports of a block that become the structure's: those whose names begin so, under the
        names that they are ``called``."""
        for port in block.ports.values():
            if any(port.name == begin or port.name.startswith(f"{begin}_") for begin in begins):
                self.port(port.direction, renamed(port.name, called or {}), port.width)

    def place(self, block: Module, instance: str, called: Mapping[str, str] | None = None) -> None:
        """Place a block whose ports are on the nets of their names, or of what they are ``called``;
        nets that are new are made."""
        pins = {}
        for port in block.ports.values():
            name = renamed(port.name, called or {})
            if name not in self.nets:
                self.nets[name] = self.out.wire(name, port.width)
            pins[port.name] = self.nets[name]
        self.out.place(block, instance, **pins)


def renamed(name: str, called: Mapping[str, str]) -> str:
    """A port's name, its beginning changed as the longest of ``called`` says."""
    for begin in sorted(called, key=len, reverse=True):
        if name == begin or name.startswith(f"{begin}_"):
            return called[begin] + name[len(begin) :]
    return name
