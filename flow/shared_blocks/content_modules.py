"""A macro's modules under names of their content: equal blocks of any two macros are called
alike."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cimforge.flow.synth.census import AreaRoles
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.module import LEAF, Port
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig

__all__ = ["ContentModule", "content_modules", "content_roles", "content_verilog"]

PREFIX = "cim_content"  # of all names before they are known by content
MODULE = re.compile(r"^module (\w+).*?^endmodule\n?", re.M | re.S)
OWN = "\0"  # a module's own name in the text that decides its name


@dataclass(frozen=True)
class ContentModule:
    """A module: ``name`` is b and 16 hex digits of its text, of the names of those inside and of
    the roles that they serve; ``kind`` and ``role`` as Module's. ``inside`` are (instance, name,
    role there) of its children, leaves included. ``source`` is RTLIL where ``described``, else
    Verilog."""

    name: str
    kind: str
    role: str
    ports: tuple[Port, ...]
    inside: tuple[tuple[str, str, str], ...]
    source: str
    described: bool

    @property
    def stub(self) -> str:
        """Verilog of its ports alone."""
        ports = ", ".join(f"{p.direction} [{p.width - 1}:0] {p.name}" for p in self.ports)
        return f"module {self.name} ({ports});\nendmodule\n"


def content_modules(config: MacroConfig) -> list[ContentModule]:
    """The distinct modules of a macro, each behind those it instantiates, the top last. The macro's
    name decides nothing."""
    macro = config.model_copy(update={"name": PREFIX})
    names: dict[str, str] = {}
    found: dict[str, ContentModule] = {}
    for module in _children_first(macro_modules(macro)):
        described = hasattr(module, "rtlil")
        source = module.rtlil() if described else module.verilog()
        text = _renamed(source, {**names, module.name: OWN})
        inside = tuple(
            (child.instance, names.get(child.module.name, child.module.name), child.role)
            for child in module.children
        )
        told = repr((text, inside, module.kind, module.role))
        name = f"b{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        names[module.name] = name
        own = _renamed(source, names)
        ports = tuple(module.ports.values())
        found[name] = ContentModule(name, module.kind, module.role, ports, inside, own, described)
    return list(found.values())


def content_roles(modules: Iterable[ContentModule]) -> AreaRoles:
    """What modules and their instances serve, for counting by role."""
    roles = {module.name: module.role for module in modules}
    instances = {
        (module.name, instance): role
        for module in modules
        for instance, _, role in module.inside
        if role
    }
    leaves = {name for module in modules for _, name, _ in module.inside if name not in roles}
    return AreaRoles({**dict.fromkeys(leaves, LEAF), **roles}, instances)


def content_verilog(modules: Sequence[ContentModule]) -> dict[str, str]:
    """The modules' Verilog by name, comments left out. Raises YosysError."""
    described: list[Any] = [_Described(each) for each in modules if each.described]
    found = MODULE.finditer(modules_to_verilog(described)) if described else ()
    texts = {each[1]: each[0] for each in found}
    texts |= {each.name: each.source for each in modules if not each.described}
    return {name: re.sub(r"(?m)^ *//.*\n", "", text) for name, text in texts.items()}


class _Described:
    """A module that Amaranth describes, as modules_to_verilog takes it."""

    comment = ""

    def __init__(self, module: ContentModule):
        self.name, self._source = module.name, module.source

    def rtlil(self) -> str:
        return self._source


def _children_first(modules: list) -> list:
    """``modules`` in an order in which each stands behind those inside it."""
    known = {module.name: module for module in modules}
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in known and name not in order:
            for child in known[name].children:
                visit(child.module.name)
            order[name] = None

    for name in known:
        visit(name)
    return [known[name] for name in order]


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with the names of modules replaced, whole words alone."""
    return re.sub(rf"\b{PREFIX}(?:_\w+)?\b", lambda found: names.get(found[0], found[0]), text)
