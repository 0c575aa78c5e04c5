"""A verb with one idea of the hardware or its mapping switched off: what the idea is worth.

``python -m cimforge.scripts.ablation IDEA VERB ...`` runs ``cimforge VERB ...`` with something
plainer in the idea's place. Ideas that a parameter chooses need no entry here: tree=ripple,
storage=flop, tree_stages=0.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

from amaranth.hdl import Cat, Module

from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Cell, Library
from cimforge.hdl.arith.plan import Plan
from cimforge.hdl.arith.staging import REGISTER, Staging
from cimforge.hdl.cells.input_sum import InputSum
from cimforge.hdl.cells.plain_multiply import Multiplier
from cimforge.hdl.netlist.structure import expression
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts import counted_planes
from cimforge.scripts.main import main as run_command

__all__ = ["IDEAS", "Idea", "main", "switched_off"]


class Idea(NamedTuple):
    """What is built where an idea of decisions.md is switched off: ``plain`` things by the place
    (``module:name`` or ``module:class.name``) that carries it."""

    about: str
    plain: dict[str, Any]


def _every_cell(library: Library) -> list[Cell]:
    return [cell for cell in library.cells.values() if cell.usable and cell.area]


def _gates_for_adders(*arguments: Any, **options: Any) -> Any:
    leaves = choose_cells(*arguments, **options)
    return replace(leaves, cells={**leaves.cells, "fa": None, "ha": None})


def _and_products(self: Multiplier, platform: Any) -> Module:
    """Products of a plane and a stored bit as they are."""
    if self._config.banks > 1:
        rule = "banks must be 1, for with more the selecting gate inverts at no cost"
        raise InputError(f"nor_products: {rule} (nearest legal value: --set banks=1)")
    m, width = Module(), self._config.weight_bits
    m.d.comb += self.products.eq(Cat(self.stored & p.replicate(width) for p in self.planes_n))
    return m


def _uninverted(text: str, width: int) -> Any:
    """The code that a column's weights are stored as, without the inversion in front."""
    return expression(text.removeprefix("~"), width)


def _true_planes(planes: Any) -> Any:
    """What a serialiser inverts, inverted before."""
    return ~Cat(planes)


def _invert_planes(self: InputSum) -> Any:
    """The planes of an input sum, where they do not come inverted."""
    return ~self.planes_n


def _even_levels(plan: Plan, ranks: int, *_: Any) -> Staging:
    """Ranks that share a plan's levels out evenly, whatever crosses them and stands around them."""
    levels = [(cell.level - 1) * (ranks + 1) // plan.levels for cell in plan.cells]
    return Staging(plan, ranks, tuple(levels), (REGISTER,) * len(plan.result), 0, 0)


SYNTHESIS = "cimforge.flow.synth.synthesis"
IDEAS: dict[str, Idea] = {
    "clock_gates": Idea(
        "registers with enables keep their multiplexers",
        {f"{SYNTHESIS}:enable_gate_commands": lambda leaves: []},
    ),
    "adder_cells": Idea(
        "the mapper builds each adder, without the library's own cells",
        {
            "cimforge.flow.synth.synth_report:choose_cells": _gates_for_adders,
            f"{SYNTHESIS}:find_adder_gates": lambda library: None,
        },
    ),
    "free_polarity": Idea(
        "where a library has no full adder, the mapper builds each by itself",
        {f"{SYNTHESIS}:find_adder_gates": lambda library: None},
    ),
    "one_gate_a_function": Idea(
        "the mapper sees gates of every strength", {f"{SYNTHESIS}:mapper_cells": _every_cell}
    ),
    "area_first": Idea(
        "the mapper goes for depth first",
        {f"{SYNTHESIS}:ABC_SCRIPT": "+strash;ifraig;scorr;dc2;strash;dch,-f;map;buffer,-N,32"},
    ),
    "drivers": Idea(
        "no drivers in the macro: each line has all its loads",
        {"cimforge.hdl.netlist.drivers:LOADS": 1 << 30},
    ),
    "nor_products": Idea(
        "products are AND gates of planes and weights that are stored as they are",
        {
            "cimforge.hdl.cells.plain_multiply:Multiplier.elaborate": _and_products,
            "cimforge.hdl.cells.word:expression": _uninverted,
            "cimforge.hdl.macro.serialiser:Cat": _true_planes,
            "cimforge.hdl.cells.input_sum:InputSum._planes_n": _invert_planes,
        },
    ),
    "ranks_by_cost": Idea(
        "register ranks share the levels of a tree out evenly",
        {
            "cimforge.hdl.macro.pipeline:divided": _even_levels,
            "cimforge.hdl.cells.input_sum:divided": _even_levels,
        },
    ),
    "input_plan": Idea(
        "the input sum counts each plane, and adds the counts behind the trees' registers",
        counted_planes.PLAIN,
    ),
}


@contextmanager
def switched_off(name: str) -> Iterator[None]:
    """With plain things in an idea's place. Raises KeyError for no idea, AttributeError where a
    place no longer carries it."""
    with ExitStack() as stack:
        for place, plain in IDEAS[name].plain.items():
            module, _, path = place.partition(":")
            *owners, attribute = path.split(".")
            owner: Any = import_module(module)
            for each in owners:
                owner = getattr(owner, each)
            stack.callback(setattr, owner, attribute, getattr(owner, attribute))
            setattr(owner, attribute, plain)
        yield


def main(arguments: list[str] | None = None) -> int:
    """Run a verb without an idea; the verb's exit status, 2 for no idea."""
    name, *words = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name not in IDEAS:
        print(f"ablation: no idea {name!r}; ideas: {', '.join(IDEAS)}", file=sys.stderr)
        return 2
    with switched_off(name):
        return run_command(words)


if __name__ == "__main__":
    sys.exit(main())
