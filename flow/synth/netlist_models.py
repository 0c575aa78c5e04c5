"""The synthesised netlist of a macro as a design for the regression."""

import re
from pathlib import Path

from cimforge.flow.simulate.simulator import Design
from cimforge.flow.synth.synthesis import Netlist, synthesise
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.netlist.yosys import models
from cimforge.hdl.params.config import MacroConfig

__all__ = ["NETLISTS", "netlist_design", "used_models"]

NETLISTS = ("generic", "ice40", "ecp5")
MODULE = re.compile(r"^\s*(?:\(\*[^\n]*\*\)\s*)?module\s+\\?([\w$]+).*?\bendmodule", re.M | re.S)
INCLUDE = re.compile(r'^`include "([^"]+)"', re.M)
DIRECTIVE = re.compile(r"^\s*`(?:ifn?def|else|elsif|endif).*$", re.M)
# Icarus 11 does not know default values of ports, which the iCE40 models have without this.
HEADER = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"


def netlist_design(config: MacroConfig, folder: Path, target: str) -> Design:
    """Synthesise the macro emitted in ``folder``; the netlist with the simulation models of its
    cells, under the macro's name and ports.

    Raises YosysError where the synthesis fails.
    """
    netlist = synthesise(config, folder, target)
    text = _with_includes(models(TARGETS[target].models))
    (netlist.folder / "models.v").write_text(used_models(text, _cell_types(netlist)))
    return Design.macro(config, netlist.folder, ("models.v", "netlist.v"))


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


def _cell_types(netlist: Netlist) -> set[str]:
    modules = netlist.modules.values()
    types = {cell["type"] for module in modules for cell in module["cells"].values()}
    return {kind.removesuffix(" alone") for kind in types}


def _with_includes(path: Path) -> str:
    return INCLUDE.sub(lambda found: _with_includes(path.parent / found[1]), path.read_text())
