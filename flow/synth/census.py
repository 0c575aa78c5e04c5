"""Counts a synthesised netlist by role: each distinct module once, times its instances."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["BREAKDOWN", "DRIVER", "count_by_role", "count_drivers", "sum_cells"]

BREAKDOWN = ("storage", "multiply", "tree", "accumulate", "input", "control")

# What a module's own cells serve, by the kind in its name. Column and top hold nothing of their own
# but the write data on its way to the stores.
ROLE_OF_MODULE = {
    **{"": "storage", "column": "storage", "store": "storage", "write_gate": "storage"},
    **{"word": "storage", "multiplier": "multiply", "tree": "tree"},
    **{"popcount": "accumulate", "input_sum": "accumulate"},
    **{"accumulate_sum": "accumulate", "accumulator": "accumulate"},
    **{"serialiser": "input", "sequencer": "control"},
}
# What a driver serves, by the line it drives.
ROLE_OF_LINE = {
    **dict.fromkeys(("gate", "write_bank", "test_en", "d", "capture"), "storage"),
    **dict.fromkeys(("planes_n", "load", "plane", "fill", "sign_plane", "read"), "input"),
    **dict.fromkeys(("accumulate", "restart", "negate", "correction"), "accumulate"),
    **{"bank_select": "multiply", "enable": "tree"},
}
DRIVER = re.compile(r"drive_(\w+?)_\d+_\d+\b")

Modules = Mapping[str, Mapping[str, Any]]
Counts = dict[str, Counter]


def count_by_role(modules: Modules, top: str) -> Counts:
    """Cells of each type in each role, whole design, from a netlist's modules as JSON.

    Leaf modules that are kept as modules count for the role of the module they stand in.
    """
    found: Counts = defaultdict(Counter)
    for role, module, instances in _visit(modules, top, top, "storage", 1):
        for name, cell in modules[module]["cells"].items():
            if cell["type"] not in modules and not cell["type"].startswith("$scope"):
                found[_cell_role(name, role)][cell["type"]] += instances
    return dict(found)


def count_drivers(modules: Modules, top: str) -> int:
    """Cells that drive a broadcast net, in the whole design."""
    return sum(
        instances * sum(DRIVER.search(name) is not None for name in modules[module]["cells"])
        for _, module, instances in _visit(modules, top, top, "storage", 1)
    )


def sum_cells(counts: Counts, size: Callable[[str], float]) -> dict[str, float]:
    """Size of each role of BREAKDOWN, ``size`` being that of one cell of a type."""
    return {
        role: sum(size(kind) * count for kind, count in counts.get(role, Counter()).items())
        for role in BREAKDOWN
    }


def _visit(
    modules: Modules, top: str, module: str, parent: str, instances: int
) -> Iterator[tuple[str, str, int]]:
    """(role, module, instances) of a module and all below it."""
    kind = module.removeprefix(top).removeprefix("_")
    role = ROLE_OF_MODULE.get(kind, parent) if module.startswith(top) else parent
    yield role, module, instances
    below = Counter(c["type"] for c in modules[module]["cells"].values() if c["type"] in modules)
    for kind, count in below.items():
        yield from _visit(modules, top, kind, role, instances * count)


def _cell_role(name: str, role: str) -> str:
    driver = DRIVER.match(name)
    return ROLE_OF_LINE[driver[1]] if driver else role
