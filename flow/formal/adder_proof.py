"""Proof that the adders of an emitted macro add: every tree, count of ones and accumulating sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.formal.cell_laws import LawError
from cimforge.flow.formal.emitted_design import DESIGN, read_design
from cimforge.flow.formal.final_adders import PLAIN, final_claims, prove_finals, write_plain
from cimforge.flow.formal.leaf_laws import Leaves, Modules
from cimforge.flow.formal.netlist_graph import read_graph
from cimforge.flow.formal.netlist_rules import check_netlist
from cimforge.flow.formal.sat_proofs import WHOLE_BITS, law_goal, prove_goals, sum_goal
from cimforge.flow.formal.tree_checker import check_module
from cimforge.flow.formal.tree_claims import Claim, macro_claims, negated_claims
from cimforge.flow.formal.tree_rules import Fault
from cimforge.hdl.emit.outputs import CELLS
from cimforge.hdl.params.config import MacroConfig

__all__ = ["AdderProof", "prove_adders", "prove_claims"]


@dataclass(frozen=True)
class AdderProof:
    """What was proven: ``adders`` names each claimed module with the number of its cells, registers
    left out, ``leaves`` each leaf cell in them with its law as text, ``whole`` the modules that SAT
    compared with a sum, ``words`` those with a + of Verilog, which a mapper builds as it likes.
    Nothing is proven where there are ``faults``."""

    adders: dict[str, int]
    leaves: dict[str, str]
    whole: tuple[str, ...]
    faults: tuple[Fault, ...]
    words: tuple[str, ...] = ()


def prove_adders(config: MacroConfig, folder: Path) -> AdderProof:
    """Prove the adders of the macro emitted in ``folder``, from its Verilog alone. Files go to
    ``folder``/proof. Raises YosysError where the Verilog cannot be read."""
    work = folder / "proof"
    work.mkdir(exist_ok=True)
    source = f"{config.module}.v"
    models = [f"{model}.v" for model in config.models]
    for name in (CELLS, *models, source):
        (work / name).write_text((folder / name).read_text())
    return prove_claims(work, [*models, source], macro_claims(config), negated_claims(config))


def prove_claims(
    work: Path, sources: Sequence[str], claims: Sequence[Claim], others: Sequence[Claim] = ()
) -> AdderProof:
    """Prove ``claims`` on Verilog files in ``work``, which holds the leaf cells' too; ``others`` by
    structure alone, for their modules with other ports tied.

    Structure: the rules of RULES. Function: each leaf cell's law, by its truth table and by SAT;
    modules of up to WHOLE_BITS operand bits whole, by SAT against a sum written as +, and so are
    final adders of any width, which then stand as a + in the modules that place them.
    """
    tied = {claim.module: (claim.ties, claim.registers) for claim in claims}
    finals = final_claims(work, CELLS, sources, list(tied))
    write_plain(work, finals)
    modules = read_design(work, CELLS, sources, list(tied), tied, PLAIN if finals else "")
    leaves = Leaves(modules)
    faults = check_netlist(modules, leaves, claims)
    adders = {claim.module: 1 for claim in finals}
    for claim in (claim for claim in claims if claim.module in modules):
        graph = read_graph(claim.module, modules, leaves)
        adders[claim.module] = sum(n.law is not None and not n.is_wire for n in graph.nodes)
        faults += check_module(graph, claim)
    whole = tuple(c.module for c in claims if c.module in adders and c.input_bits <= WHOLE_BITS)
    checked = [claim.module for claim in claims if claim.module in adders]
    kinds = {name: {c["type"] for c in modules[name]["cells"].values()} for name in checked}
    laws = _laws(leaves, set().union(*kinds.values()))
    faults += _prove_by_sat(work, modules, claims, whole, laws)
    faults += _prove_others(work, sources, others)
    broken = prove_finals(work, CELLS, sources, finals)
    faults += [
        Fault(name, "whole", "", "", "SAT finds a pattern that breaks a +") for name in broken
    ]
    whole = (*whole, *(claim.module for claim in finals))
    words = tuple(name for name in kinds if "$add" in kinds[name])
    return AdderProof(adders, laws, whole, tuple(faults), words)


def _prove_others(work: Path, sources: Sequence[str], claims: Sequence[Claim]) -> list[Fault]:
    """Faults of modules of which something else is claimed with other ports tied."""
    if not claims:
        return []
    tied = {claim.module: (claim.ties, claim.registers) for claim in claims}
    modules = read_design(work, CELLS, sources, list(tied), tied)
    leaves = Leaves(modules)
    graphs = [(read_graph(claim.module, modules, leaves), claim) for claim in claims]
    return [fault for graph, claim in graphs for fault in check_module(graph, claim)]


def _laws(leaves: Leaves, used: set[str]) -> dict[str, str]:
    """The sums that the leaf cells among ``used`` keep, by name; those that keep none are parities,
    pairs, or faults of the modules they stand in."""
    laws: dict[str, str] = {}
    for kind in sorted(used):
        try:
            if kind in leaves and leaves.wires(kind) is None:
                law = leaves.law(kind)
                laws |= {} if law.pair or law.parity else {kind: str(law)}
        except LawError:
            continue
    return laws


def _prove_by_sat(
    work: Path,
    modules: Modules,
    claims: Sequence[Claim],
    whole: Sequence[str],
    laws: dict[str, str],
) -> list[Fault]:
    """Faults of the small modules, taken whole, and of the leaf cells."""
    leaves = Leaves(modules)
    goals = [(claim.module, "whole", sum_goal(claim)) for claim in claims if claim.module in whole]
    for kind in laws:
        ports = {name: len(port["bits"]) for name, port in modules[kind]["ports"].items()}
        goals.append((kind, "cell", law_goal(kind, leaves.law(kind), ports)))
    broken = prove_goals(work, [f"read_rtlil {DESIGN}"], [goal for *_, goal in goals])
    return [
        Fault(name, rule, "", "", f"SAT finds a pattern that breaks {laws.get(name, 'the sum')}")
        for name, rule, goal in goals
        if goal[0] in broken
    ]
