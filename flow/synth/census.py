"""Counts a synthesised netlist by role: each distinct module once, times its instances."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cimforge.hdl.netlist.module import LEAF, ROLES, Module, distinct_modules

__all__ = ["BREAKDOWN", "AreaRoles", "area_roles", "count_by_role", "count_drivers", "sum_cells"]

BREAKDOWN = ROLES[: ROLES.index("control") + 1]  # of a macro

NetlistModules = Mapping[str, Mapping[str, Any]]
Counts = dict[str, Counter]


@dataclass(frozen=True)
class AreaRoles:
    """What each module's own cells serve, by its name; and each instance that serves something else
    than its module does, by (module, instance)."""

    modules: Mapping[str, str]
    instances: Mapping[tuple[str, str], str]

    def of_module(self, name: str) -> str:
        """The role of a module; ValueError for one that is not known."""
        if name not in self.modules:
            raise ValueError(f"module {name} has no role: its cells would be counted as others'")
        return self.modules[name]

    def of_cell(self, module: str, cell: str, role: str) -> str:
        """The role of a cell of a module that serves ``role``. What a mapper made of an instance
        keeps the instance's name in front."""
        return self.instances.get((module, cell.split(".")[0]), role)


def area_roles(top: Module) -> AreaRoles:
    """The roles of all modules and instances below ``top``, itself included."""
    modules = distinct_modules(top)
    leaves = {c.module.name for m in modules for c in m.children if c.module.role == LEAF}
    instances = {
        (module.name, child.instance): child.role
        for module in modules
        for child in module.children
        if child.role
    }
    known = {**dict.fromkeys(leaves, LEAF), **{module.name: module.role for module in modules}}
    return AreaRoles(known, instances)


def count_by_role(netlist: NetlistModules, top: str, roles: AreaRoles) -> Counts:
    """Cells of each type in each role, whole design, from a netlist's modules as JSON.

    Leaf cells that are kept as modules count for what the module serves in which they stand. Raises
    ValueError where a module has no role.
    """
    found: Counts = defaultdict(Counter)
    for role, module, instances in _visit(netlist, roles, top, LEAF, 1):
        for name, cell in netlist[module]["cells"].items():
            if cell["type"] not in netlist and not cell["type"].startswith("$scope"):
                found[roles.of_cell(module, name, role)][cell["type"]] += instances
    return dict(found)


def count_drivers(netlist: NetlistModules, top: str, roles: AreaRoles) -> Counter:
    """Cells of each type that drive a broadcast net, in the whole design."""
    found: Counter = Counter()
    for _, module, instances in _visit(netlist, roles, top, LEAF, 1):
        for name, cell in netlist[module]["cells"].items():
            if (module, name.split(".")[0]) in roles.instances:
                found[cell["type"]] += instances
    return found


def sum_cells(counts: Counts, size: Callable[[str], float]) -> dict[str, float]:
    """Size of each role of BREAKDOWN, ``size`` being that of one cell of a type."""
    return {
        role: sum(size(kind) * count for kind, count in counts.get(role, Counter()).items())
        for role in BREAKDOWN
    }


def _visit(
    netlist: NetlistModules, roles: AreaRoles, module: str, parent: str, instances: int
) -> Iterator[tuple[str, str, int]]:
    """(role, module, instances) of a module and all below it."""
    role = roles.of_module(module)
    role = parent if role == LEAF else role
    yield role, module, instances
    below = Counter(c["type"] for c in netlist[module]["cells"].values() if c["type"] in netlist)
    for kind, count in below.items():
        yield from _visit(netlist, roles, kind, role, instances * count)
