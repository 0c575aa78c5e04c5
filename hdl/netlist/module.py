"""The Module protocol: what every piece of emitted hardware tells about itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

__all__ = [
    "LEAF",
    "ROLES",
    "Child",
    "Module",
    "Port",
    "behavioural_models",
    "check_role",
    "distinct_modules",
    "walk",
]

# What a module's own cells serve in the macro, in the order of the reports; then what lies around
# the macro: its engine, buses and links.
MACRO_ROLES = ("storage", "multiply", "tree", "accumulate", "input", "control")
ENGINE_ROLES = ("buffer", "gather", "sums", "requantise", "dma", "queue")
ROLES = (*MACRO_ROLES, *ENGINE_ROLES, "bus", "link")
LEAF = "leaf"  # a leaf cell serves what the module it stands in serves


class Port(NamedTuple):
    """One port: ``direction`` is input or output, ``width`` at least 1 bit."""

    name: str
    direction: str
    width: int


@runtime_checkable
class Module(Protocol):
    """A module of the netlist: an Amaranth Block, a Structure of wires and instances, or a leaf.

    ``name`` is its name in Verilog, ``kind`` what it is within its macro (``tree``, ``column``, the
    same in every macro), ``role`` what its own cells serve (one of ROLES, or LEAF), ``comment`` one
    sentence. ``latency`` counts clock cycles from its inputs to its outputs. ``children`` are the
    instances inside.
    """

    @property
    def name(self) -> str:
        """Its name in Verilog."""

    @property
    def kind(self) -> str:
        """What it is within its macro."""

    @property
    def role(self) -> str:
        """What its own cells serve."""

    @property
    def latency(self) -> int:
        """Clock cycles from its inputs to its outputs."""

    @property
    def comment(self) -> str:
        """One sentence that says what the module is."""

    @property
    def ports(self) -> Mapping[str, Port]:
        """Its ports by name, in order."""

    @property
    def children(self) -> Sequence["Child"]:
        """The instances inside, in order."""

    def verilog(self) -> str:
        """Its text, empty for a leaf."""


class Child(NamedTuple):
    """An instance of ``module`` inside another; ``role`` is what it serves there where that is not
    the module's own role, ``about`` what a report calls it (empty: the module's kind)."""

    instance: str
    module: Module
    role: str = ""
    about: str = ""


def check_role(role: str, owner: str) -> str:
    """``role``, or ValueError where it is none: a module without a role would be counted as
    another's."""
    if role not in (*ROLES, LEAF):
        raise ValueError(f"role of {owner} must be one of {', '.join(ROLES)}, not {role!r}")
    return role


def walk(top: Module, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Child]]:
    """Every instance below ``top`` with the instance names that lead to it, its own last."""
    for child in top.children:
        below = (*path, child.instance)
        yield below, child
        yield from walk(child.module, below)


def distinct_modules(top: Module) -> list[Module]:
    """Each module below ``top`` once, ``top`` last; each stands behind those it instantiates.

    Raises ValueError where two different modules share a name.
    """
    found: dict[str, Module] = {}

    def visit(module: Module) -> None:
        if module.name in found:
            if found[module.name] is not module:
                raise ValueError(f"two different modules are named {module.name}")
            return
        for child in module.children:
            if child.module.role != LEAF:
                visit(child.module)
        found[module.name] = module

    visit(top)
    return list(found.values())


def behavioural_models(modules: Sequence[Module]) -> dict[str, str]:
    """The files of those leaves of ``modules`` that have a model of their own, by name."""
    leaves: list[Any] = [child.module for module in modules for child in module.children]
    return {f"{leaf.name}.v": leaf.model() for leaf in leaves if hasattr(leaf, "model")}
