"""Bytes that a layer moves at each level of memory, and energy: macros beside a von Neumann
machine."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from cimforge.compiler.energy.constants import EnergyConstants
from cimforge.compiler.graph.graph import Graph
from cimforge.compiler.map.layer_plan import LayerPlan, plan_network
from cimforge.compiler.map.product_trace import kind_precision
from cimforge.hdl.params.config import MacroConfig

__all__ = ["DESIGNS", "LEVELS", "LayerEnergy", "Movement", "layer_energies", "macro_movement"]
__all__ += ["summed", "von_neumann_movement"]

DESIGNS = ("macros", "von_neumann")


@dataclass(frozen=True)
class Movement:
    """Bytes that pass off-chip memory (``dram``), on-chip memory (``sram``) and, of weights, the
    write ports of macros (``macro``), and the energy of each and of computing, in pJ."""

    dram: float
    sram: float
    macro: float
    dram_pj: float
    sram_pj: float
    macro_pj: float
    compute_pj: float

    @property
    def moved_pj(self) -> float:
        """All but computing."""
        return self.dram_pj + self.sram_pj + self.macro_pj

    @property
    def total_pj(self) -> float:
        """All."""
        return self.moved_pj + self.compute_pj

    @property
    def share(self) -> float:
        """Of the energy, what moving takes, 0..1."""
        return self.moved_pj / self.total_pj if self.total_pj else 0.0

    def as_json(self) -> dict[str, Any]:
        """As plain data, energy in uJ."""
        return {
            "bytes": {level: round(getattr(self, level), 3) for level in LEVELS},
            "uj": {
                **{level: _micro(getattr(self, f"{level}_pj")) for level in LEVELS},
                "compute": _micro(self.compute_pj),
                "total": _micro(self.total_pj),
            },
            "moving_share": round(self.share, 6),
        }


LEVELS = tuple(field.name for field in fields(Movement))[:3]


@dataclass(frozen=True)
class LayerEnergy:
    """A layer's plan, and what it moves on macros and on a von Neumann machine."""

    plan: LayerPlan
    macros: Movement
    von_neumann: Movement

    @property
    def ratio(self) -> float:
        """Energy of the von Neumann machine over that of the macros."""
        return self.von_neumann.total_pj / max(self.macros.total_pj, 1e-30)

    def label(self, place: int) -> str:
        """Number, operator and sizes: names in files are long, and alike at their ends."""
        plan = self.plan
        parts = f"{plan.parts} of " if plan.parts > 1 else ""
        return f"{place} {plan.operator} {parts}{plan.k} x {plan.n}"

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.plan.name,
            "operator": self.plan.operator,
            "macs": self.plan.macs,
            "passes": self.plan.passes,
            "tiles": self.plan.tiles,
            "utilisation": round(self.plan.utilisation, 4),
            **{design: getattr(self, design).as_json() for design in DESIGNS},
            "ratio": round(self.ratio, 4),
        }


def layer_energies(
    graph: Graph,
    config: MacroConfig,
    constants: EnergyConstants,
    fj: float,
    macros: int = 1,
    items: int = 1,
    resident: bool = False,
) -> tuple[LayerEnergy, ...]:
    """Each product of the network for ``items`` items on ``macros`` macros of ``config`` that take
    ``fj`` fJ a 1b-MAC, beside the same multiply-accumulates on a von Neumann machine. Weights that
    are ``resident`` were put into the macros, and into its on-chip memory, before.

    Raises GraphError and ValueError as plan_network does, ValueError where the banks of all macros
    do not hold what is to be resident.
    """
    nodes = {node.name: node for node in graph.nodes}
    plans = plan_network(graph, config, macros, items)
    if resident:
        _check_resident(plans, macros * config.banks)
    found = []
    for plan in plans:
        read, _ = graph.of(nodes[plan.name])
        held = [t for t in read[1:] if t is not None and t.is_constant and len(t.shape) > 1]
        weights = sum(t.size * kind_precision(t.kind).bits / 8 for t in held)
        if held and resident:
            plan, weights = replace(plan, weight_bytes=0), 0.0
        here = macro_movement(plan, config, constants, fj, bool(held))
        found.append(LayerEnergy(plan, here, von_neumann_movement(plan, constants, weights)))
    return tuple(found)


def _check_resident(plans: Sequence[LayerPlan], banks: int) -> None:
    """Raise ValueError where there are more tiles than banks."""
    tiles = sum(plan.tiles for plan in plans)
    if tiles > banks:
        rule = f"{tiles} tiles of weights must fit the {banks} banks of all macros to be resident"
        raise ValueError(f"{rule}; take more macros or more banks, or load weights")


def macro_movement(
    plan: LayerPlan, config: MacroConfig, constants: EnergyConstants, fj: float, stored: bool
) -> Movement:
    """What a layer moves on macros.

    ``dram = weight_bytes`` where weights are ``stored`` there (0 where they are made at run time);
    ``sram = 2 weight_bytes + input_bytes + 2 result_bytes + y_bytes``: weights come through a
    buffer, unfinished sums are written and read once each; ``macro = weight_bytes``, at the energy
    of on-chip memory. Computing takes ``passes * rows * cols * weight_bits * min(x_bits,
    input_bits) * fj``: cells that hold no weight count as if they did.
    """
    dram = plan.weight_bytes if stored else 0
    through = 2 * plan.weight_bytes if stored else plan.weight_bytes
    sram = through + plan.input_bytes + 2 * plan.result_bytes + plan.y_bytes
    planes = min(plan.x_bits, config.input_bits)
    macs_1b = plan.passes * config.rows * config.cols * config.weight_bits * planes
    moved = (dram, sram, plan.weight_bytes)
    return _movement(moved, constants, macs_1b * fj * 1e-3)


def von_neumann_movement(
    plan: LayerPlan, constants: EnergyConstants, weight_bytes: float
) -> Movement:
    """What the same multiply-accumulates move where memory and arithmetic are apart.

    ``dram = weight_bytes``: each weight once; ``sram = weight_bytes + macs (x_bits + w_bits) / (8
    reuse) + y_bytes``: weights are put down, operands are read for every ``reuse``
    multiply-accumulates, sums stay in registers, results are written. Computing takes ``macs *
    compute_pj``.
    """
    operands = plan.macs * (plan.x_bits + plan.w_bits) / 8 / constants.reuse
    moved = (weight_bytes, weight_bytes + operands + plan.y_bytes, 0.0)
    return _movement(moved, constants, plan.macs * constants.compute_pj)


def summed(movements: Sequence[Movement]) -> Movement:
    """All of them together."""
    names = [field.name for field in fields(Movement)]
    return Movement(*(sum(getattr(each, name) for each in movements) for name in names))


def _movement(
    moved: tuple[float, float, float], constants: EnergyConstants, compute_pj: float
) -> Movement:
    dram, sram, macro = moved
    byte = constants.sram_byte
    return Movement(*moved, dram * constants.dram_byte, sram * byte, macro * byte, compute_pj)


def _micro(picojoules: float) -> float:
    return round(picojoules * 1e-6, 6)
