"""The synthesised netlist of a macro as a design for the regression."""

import re
from collections.abc import Sequence
from pathlib import Path

from cimforge.flow.liberty.cell_models import ModelError, cell_models
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import read_library
from cimforge.flow.simulate.simulator import Design
from cimforge.flow.synth.synthesis import Netlist, map_to_library, synthesise
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.netlist.yosys import models
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["NETLISTS", "netlist_design", "used_models"]

NETLISTS = ("generic", "ice40", "ecp5", "gowin", LIBERTY)
MODULE = re.compile(r"^\s*(?:\(\*[^\n]*\*\)\s*)?module\s+\\?([\w$]+).*?\bendmodule", re.M | re.S)
INCLUDE = re.compile(r'^`include "([^"]+)"', re.M)
DIRECTIVE = re.compile(r"^\s*`(?:ifn?def|else|elsif|endif).*$", re.M)
# Icarus 11 does not know default values of ports, which the iCE40 models have without this.
HEADER = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"
# And aborts where one net is several inputs of Gowin's carry cell, whose model waits for @*.
REWRITTEN = {"gowin": [("always @*", "always @(I0 or I1 or I3)")]}


def netlist_design(
    config: MacroConfig, folder: Path, target: str, liberty: Sequence[Path] = ()
) -> Design:
    """Synthesise the macro emitted in ``folder``; the netlist with the simulation models of its
    cells, under the macro's name and ports. RAMs have the models that stand beside the macro.

    For target liberty it is the netlist whose area synth reports, on the libraries ``liberty``; its
    cells' models come from the functions in them. Raises YosysError where the synthesis fails, and
    InputError where the libraries lack a cell.
    """
    if target == LIBERTY:
        netlist, text = _library_netlist(config, folder, liberty)
    else:
        netlist = synthesise(config, folder, target)
        kinds = {kind.removesuffix(" alone") for kind in netlist.cell_types - set(config.models)}
        text = used_models(_with_includes(models(TARGETS[target].models)), kinds)
        for old, new in REWRITTEN.get(target, ()):
            text = text.replace(old, new)
    (netlist.folder / "models.v").write_text(text)
    rams = [f"{model}.v" for model in config.models]
    return Design.macro(config, netlist.folder, ("models.v", *rams, "netlist.v"))


def _library_netlist(
    config: MacroConfig, folder: Path, liberty: Sequence[Path]
) -> tuple[Netlist, str]:
    """The netlist on a library, and the models of its cells."""
    library = read_library(*liberty)
    leaves = choose_cells(library, latches=bool(config.storage_traits.control_ports))
    netlist = map_to_library(config, folder, library, leaves)
    kinds = netlist.cell_types - set(netlist.modules) - set(config.models)
    unknown = sorted(kinds - set(library.cells))
    if unknown:
        raise InputError(f"--liberty: {library.name} has no cell for {', '.join(unknown[:4])}")
    try:
        return netlist, cell_models(library.cells[kind] for kind in sorted(kinds))
    except ModelError as error:
        raise InputError(f"--liberty: {library.name} has no model of {error}") from None


def used_models(text: str, used: set[str]) -> str:
    """Those modules of a file of models, unchanged, that ``used`` and its modules instantiate.

    The others may hold constructs that a simulator refuses. What stands outside modules is kept.
    """
    bodies = {match[1]: match[0] for match in MODULE.finditer(text)}
    wanted, waiting = set[str](), used & set(bodies)
    while waiting:
        wanted |= waiting
        words = {word for name in waiting for word in re.findall(r"[\w$]+", bodies[name])}
        waiting = (words & set(bodies)) - wanted

    def keep(match: re.Match[str]) -> str:
        return match[0] if match[1] in wanted else "\n".join(DIRECTIVE.findall(match[0]))

    return HEADER + re.sub(r"\n{3,}", "\n\n", MODULE.sub(keep, text)) + "\n"


def _with_includes(path: Path) -> str:
    return INCLUDE.sub(lambda found: _with_includes(path.parent / found[1]), path.read_text())
