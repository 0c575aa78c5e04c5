"""Proof that the adders of a macro still add where they are mapped to a library's cells."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from cimforge.flow.formal.mapped_graph import mapped_graph
from cimforge.flow.formal.tree_checker import check_module
from cimforge.flow.formal.tree_claims import macro_claims, negated_claims
from cimforge.flow.formal.tree_rules import Fault
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Library
from cimforge.flow.synth.synthesis import map_to_library
from cimforge.hdl.params.config import MacroConfig

__all__ = ["MappedProof", "prove_mapped"]


@dataclass(frozen=True)
class MappedProof:
    """What was proven on a library's netlist: ``adders`` names each module with the number of its
    cells there. Nothing is proven where there are ``faults``."""

    library: str
    adders: dict[str, int]
    faults: tuple[Fault, ...]


def prove_mapped(
    config: MacroConfig, folder: Path, library: Library, left: Collection[str] = ()
) -> MappedProof:
    """Map the macro emitted in ``folder`` as ``synth --target liberty`` does and prove its adders
    on the netlist, by the functions in the library.

    Modules of ``left`` hold a + that the mapper is free to build as it likes, those of approximate
    trees gates that it merges: they are left out.
    Raises YosysError, and InputError where the library lacks a cell.
    """
    leaves = choose_cells(library, latches=bool(config.storage_traits.control_ports))
    netlist = map_to_library(config, folder, library, leaves)
    adders: dict[str, int] = {}
    faults: list[Fault] = []
    claims = [claim for claim in macro_claims(config) if not claim.pairs]
    claims += negated_claims(config)
    for claim in (claim for claim in claims if claim.module not in left):
        module = netlist.modules[claim.module]
        adders[claim.module] = len(module["cells"])
        graph = mapped_graph(claim.module, module, library, claim.ties)
        faults += check_module(graph, claim)
    told = tuple(replace(fault, module=f"{fault.module} in {library.name}") for fault in faults)
    return MappedProof(library.name, adders, told)
