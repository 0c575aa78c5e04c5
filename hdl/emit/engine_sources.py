"""The Verilog of an engine, beside that of its macro."""

from cimforge.hdl.emit.handover import render_sdc
from cimforge.hdl.emit.waivers import lint_waivers
from cimforge.hdl.netlist.module import Module, distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ENGINE_WAIVERS", "engine_sources"]

ENGINE_WAIVERS = (
    ("DECLFILENAME", "{name}.v", None, "one file holds all modules of an engine"),
    (
        *("UNUSEDSIGNAL", "{name}.v", None),
        "blocks are general, and some lines of theirs serve other parameters than an engine's",
    ),
    (
        *("WIDTHEXPAND", "{name}.v", "*Operator *"),
        "decoders compare addresses and fields with constants as short as they can be written",
    ),
    ("WIDTHTRUNC", "{name}.v", "*Logical operator LOGNOT*", "!count compares it with zero"),
    (
        *("CMPCONST", "{name}.v", "*Comparison is constant*"),
        "a rule of a descriptor that every value of its field keeps with these parameters",
    ),
    ("SYMRSVDWORD", "{name}.v", "*interrupt*", "an interrupt is called so"),
)


def engine_sources(config: EngineConfig, top: Module) -> dict[str, str]:
    """``TOP.v`` with the modules of ``top`` that the macro has not, its lint waivers ``TOP.vlt``,
    ``TOP.f``, which lists these behind the macro's sources, and its constraints ``TOP.sdc``."""
    macro = config.macro
    inner = next(child.module for _, child in _below(top) if child.module.name == macro.module)
    shared = {module.name for module in distinct_modules(inner)}
    own = [module for module in distinct_modules(top) if module.name not in shared]
    models = [f"{model}.v" for model in macro.models]
    name = top.name
    files = (
        *(f"{macro.module}.vlt", "cim_cells.v", *models, f"{macro.module}.v"),
        *(f"{name}.vlt", f"{name}.v"),
    )
    header = "// SPDX-License-Identifier: Apache-2.0\n\n"
    return {
        f"{name}.v": header + modules_to_verilog(own),
        f"{name}.vlt": lint_waivers(name, ENGINE_WAIVERS),
        f"{name}.f": "\n".join(files) + "\n",
        f"{name}.sdc": render_sdc(macro, top=top),
    }


def _below(top: Module):
    for child in top.children:
        yield top, child
        yield from _below(child.module)
