"""A verb with one idea of the hardware or its mapping switched off: what the idea is worth.

``python -m cimforge.scripts.ablation IDEA VERB ...`` runs ``cimforge VERB ...`` with something
plainer in the idea's place. Ideas that a parameter chooses need no entry here: tree=ripple,
storage=flop, tree_stages=0.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Cell, Library
from cimforge.scripts.main import main as run_command

__all__ = ["IDEAS", "Idea", "main", "switch_off"]


class Idea(NamedTuple):
    """An idea of decisions.md, the ``module`` and ``name`` that carry it, and what stands for it
    where it is switched off."""

    about: str
    module: str
    name: str
    plain: Any


def _every_cell(library: Library) -> list[Cell]:
    return [cell for cell in library.cells.values() if cell.usable and cell.area]


def _gates_for_adders(*arguments: Any, **options: Any) -> Any:
    leaves = choose_cells(*arguments, **options)
    return replace(leaves, cells={**leaves.cells, "fa": None, "ha": None})


def _nothing(value: Any) -> Any:
    """What an idea of optional commands or gates adds where it is off."""
    return None


SYNTHESIS = "cimforge.flow.synth.synthesis"
IDEAS: dict[str, Idea] = {
    "clock_gates": Idea(
        "registers with enables keep their multiplexers",
        SYNTHESIS,
        "enable_gate_commands",
        lambda leaves: [],
    ),
    "adder_cells": Idea(
        "adders are left to the mapper as gates, without the library's own cells",
        "cimforge.flow.synth.synth_report",
        "choose_cells",
        _gates_for_adders,
    ),
    "free_polarity": Idea(
        "where a library has no full adder, the mapper builds each by itself",
        SYNTHESIS,
        "find_adder_gates",
        _nothing,
    ),
    "one_gate_a_function": Idea(
        "the mapper sees gates of every strength",
        SYNTHESIS,
        "mapper_cells",
        _every_cell,
    ),
    "area_first": Idea(
        "the mapper goes for depth first",
        SYNTHESIS,
        "ABC_SCRIPT",
        "+strash;ifraig;scorr;dc2;strash;dch,-f;map;buffer,-N,32",
    ),
    "drivers": Idea(
        "no drivers in the macro: each line has all its loads",
        "cimforge.hdl.netlist.drivers",
        "LOADS",
        1 << 30,
    ),
}


def switch_off(name: str) -> Callable[[], None]:
    """Put the plain thing in an idea's place; what is returned puts the idea back. Raises KeyError
    for no idea, AttributeError where its module no longer carries it."""
    idea = IDEAS[name]
    module = import_module(idea.module)
    kept = getattr(module, idea.name)
    setattr(module, idea.name, idea.plain)
    return lambda: setattr(module, idea.name, kept)


def main(arguments: list[str] | None = None) -> int:
    """Run a verb without an idea; the verb's exit status, 2 for no idea."""
    name, *words = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name not in IDEAS:
        print(f"ablation: no idea {name!r}; ideas: {', '.join(IDEAS)}", file=sys.stderr)
        return 2
    put_back = switch_off(name)
    try:
        return run_command(words)
    finally:
        put_back()


if __name__ == "__main__":
    sys.exit(main())
