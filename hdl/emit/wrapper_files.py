"""Everything beside a wrapped macro: its Verilog, lint waivers, constraints, and the views of its
registers."""

from cimforge.hdl.bus.bus_wrapper import BUSES, bus_wrapper_modules
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.emit.handover import render_sdc
from cimforge.hdl.emit.register_views import macro_map_files
from cimforge.hdl.emit.templates import render
from cimforge.hdl.emit.waivers import FRONT_WAIVERS, WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command

__all__ = ["register_files", "wrapper_facts", "wrapper_files", "wrappers_among"]


def wrapper_files(
    config: MacroConfig, bus: str = "wishbone", patience: int | None = None
) -> dict[str, str]:
    """Files of the macro's wrapper ``NAME_TAIL`` for ``bus`` (of BUSES), by name; ``NAME_TAIL.f``
    lists its own and the macro's sources.

    An access that comes too early, or is wrong, waits up to ``patience`` cycles before its error,
    the bus's own number where it is None.
    """
    macro, name = config.module, f"{config.module}_{BUSES[bus].tail}"
    command = f"{canonical_command(config)} --bus {bus}"
    if patience is not None and patience != BUSES[bus].patience:
        command += f" --patience {patience}"
    patience = BUSES[bus].patience if patience is None else patience
    header = f"// {command}\n// SPDX-License-Identifier: Apache-2.0\n\n"
    modules = bus_wrapper_modules(config, bus, patience)
    models = [f"{model}.v" for model in config.models]
    sources = (
        *(f"{macro}.vlt", "cim_cells.v", *models, f"{macro}.v"),
        *(f"{name}.vlt", f"{name}.v"),
    )
    return {
        f"{name}.v": header + modules_to_verilog(modules),
        f"{name}.vlt": lint_waivers(name, WRAPPER_WAIVERS if bus == "wishbone" else FRONT_WAIVERS),
        f"{name}.f": "\n".join(sources) + "\n",
        f"{name}.sdc": render_sdc(config, top=modules[-1]),
        **register_files(config),
        **macro_map_files(config),
    }


def wrappers_among(config: MacroConfig, names: set[str]) -> list[str]:
    """The buses whose wrapper is among files of these names."""
    return [bus for bus, known in BUSES.items() if f"{config.module}_{known.tail}.v" in names]


def wrapper_facts(config: MacroConfig, bus: str) -> dict[str, object]:
    """What a manifest says of the wrapper for ``bus``."""
    top = bus_wrapper_modules(config, bus)[-1]
    ports = [_fact(port) for port in top.ports.values()]
    return {"top": top.name, "bus": bus, "ports": ports}


def _fact(port: Port) -> dict[str, object]:
    return {"name": port.name, "direction": port.direction, "width": port.width}


def register_files(config: MacroConfig) -> dict[str, str]:
    """C header and register document, from the same RegisterMap as the hardware.

    They hold behind every bus. Header symbols begin with the macro's name, functions in small
    letters.
    """
    name = config.module
    facts: dict[str, object] = {"name": name, "guard": name.upper(), "prefix": name.lower()}
    facts |= {"command": canonical_command(config), "config": config, "map": RegisterMap(config)}
    facts |= {"buses": [(f"{name}_{bus.tail}", bus.title) for bus in BUSES.values()]}
    return {f"{name}_regs.{kind}": render(f"regs.{kind}.j2", **facts) for kind in ("h", "md")}
