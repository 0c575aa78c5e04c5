"""Rules between modules: nothing adds that is not claimed, and instances get operands of their
own."""

from collections.abc import Iterator, Sequence
from typing import Any

from cimforge.flow.formal.cell_laws import LawError
from cimforge.flow.formal.leaf_laws import Bit, Leaves, Modules
from cimforge.flow.formal.tree_claims import Claim
from cimforge.flow.formal.tree_rules import Fault

__all__ = ["check_netlist"]


def check_netlist(modules: Modules, leaves: Leaves, claims: Sequence[Claim]) -> list[Fault]:
    """Faults of the modules around the claimed ones, as Yosys' JSON has them."""
    claimed = {claim.module: claim for claim in claims}
    faults = [
        Fault(claim.module, "claim", "", "", "is not in the netlist")
        for claim in claims
        if claim.module not in modules
    ]
    for name, module in modules.items():
        if name not in claimed and not leaves.is_leaf(name):
            faults += _unclaimed(name, module, leaves)
            faults += _shared_operands(name, module, claimed)
    return faults


def _unclaimed(name: str, module: Any, leaves: Leaves) -> Iterator[Fault]:
    """Leaf cells that add, in a module of which nothing is claimed."""
    for cell, data in module["cells"].items():
        kind = data["type"]
        if kind not in leaves or not leaves.is_leaf(kind):
            continue
        try:
            law = leaves.law(kind) if leaves.wires(kind) is None else None
            adds = law and len(law.inputs) > 1 and not law.pair
        except LawError:
            continue  # a latch, a clock gate
        if adds:
            text = f"is a {leaves.hdl_name(kind)} in a module of which nothing is claimed"
            yield Fault(name, "claim", cell, "", text)


def _shared_operands(name: str, module: Any, claimed: dict[str, Claim]) -> Iterator[Fault]:
    """Operand pins of claimed modules' instances that are constant, or share a net; but loose ones,
    copies of one operand, which must share theirs, and alternatives, which share none among
    themselves."""
    taken: dict[tuple[str, Bit], str] = {}
    for cell, data in module["cells"].items():
        if data["type"] not in claimed:
            continue
        terms = data["connections"].get("terms", [])
        user = data["type"] if claimed[data["type"]].alternative else ""
        first = {i: copies[0] for copies in claimed[data["type"]].copies for i in copies[1:]}
        for place, bit in enumerate(terms):
            pin = f"terms[{place}]"
            if place in first:
                if bit != terms[first[place]]:
                    text = f"takes another net than terms[{first[place]}]"
                    yield Fault(name, "wiring", cell, pin, text)
                continue
            if place in claimed[data["type"]].loose:
                continue
            if isinstance(bit, str):
                yield Fault(name, "wiring", cell, pin, f"takes the constant {bit}")
            elif (user, bit) in taken:
                yield Fault(name, "wiring", cell, pin, f"takes the net of {taken[user, bit]}")
            taken[user, bit] = f"{cell}.{pin}"
