"""Settings of LibreLane and OpenROAD-flow-scripts: to harden a macro, and to use it hardened."""

import json
from collections.abc import Sequence

from cimforge.flow.handover.open_platforms import Platform, find_platform
from cimforge.flow.handover.outline import UTILISATION, sides
from cimforge.hdl.emit.constraints import instance_patterns
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.leaf import CLOCK_GATE, LATCH, SET_CLEAR
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config import MacroConfig

__all__ = ["flow_settings", "pin_order"]

# No JSON holds a comment: the name itself says it, for LibreLane would else take sky130A.
SET_PDK = "SET-THIS-TO-YOUR-PDK"
SET_PLATFORM = (
    "ifeq ($(PLATFORM),)",
    "$(error PLATFORM: set it to that of your cells, for example PLATFORM=sky130hd)",
    "endif",
    "export PLATFORM",
)
SHARE = round(100 * UTILISATION)  # percent


def flow_settings(
    config: MacroConfig, ports: Sequence[Port], clock: float, library: str = ""
) -> dict[str, str]:
    """Files by name, all beside the other views, the Verilog one folder up.

    ``harden_librelane.json`` and ``harden_orfs.mk`` place and route the macro itself;
    ``use_librelane.json`` and ``use_orfs.mk`` are what a design adds that has it as an instance
    ``macro``: they name NAME.gds, which hardening leaves. NAME_pins.cfg is the pins' order.
    Both harden on the platform of ``library`` (find_platform); where none is known they name none,
    and say what to set.
    """
    name, platform = config.module, find_platform(library)
    return {
        f"{name}_pins.cfg": pin_order(ports),
        "harden_librelane.json": _json(_harden_librelane(config, clock, platform)),
        "use_librelane.json": _json(_use_librelane(name)),
        "harden_orfs.mk": _harden_orfs(config, platform),
        "use_orfs.mk": _use_orfs(name),
    }


def pin_order(ports: Sequence[Port]) -> str:
    """LibreLane's pin order: a section a side, a pattern a pin; supplies are straps, not here."""
    lines = []
    for side, names in sides(ports).items():
        lines += [f"#{side}", *(name.replace("[", r"\[").replace("]", r"\]") for name in names), ""]
    return "\n".join(lines)


def _sources(config: MacroConfig) -> list[str]:
    """Leaf cells, black boxes of RAMs, the macro."""
    return ["cim_cells.v", *(f"{model}.v" for model in config.models), f"{config.module}.v"]


def _named_inside(config: MacroConfig) -> bool:
    """Whether the constraints name instances, so that the hierarchy must stay."""
    top = build_macro(config)
    return any(instance_patterns(top, leaf) for leaf in (CLOCK_GATE, LATCH, SET_CLEAR))


def _harden_librelane(config: MacroConfig, clock: float, platform: Platform) -> dict[str, object]:
    """Names that LibreLane 2 and 3 both read: FP_PIN_ORDER_CFG is the older one's."""
    name = config.module
    return {
        "meta": {"version": 2, "flow": "Classic"},
        "PDK": platform.pdk or SET_PDK,
        **({"STD_CELL_LIBRARY": platform.cells} if platform.cells else {}),
        "DESIGN_NAME": name,
        "VERILOG_FILES": [f"dir::../{source}" for source in _sources(config)],
        "CLOCK_PORT": "clk",
        "CLOCK_PERIOD": clock,
        "PNR_SDC_FILE": f"dir::{name}.sdc",
        "SIGNOFF_SDC_FILE": f"dir::{name}.sdc",
        "SYNTH_HIERARCHY_MODE": "keep" if _named_inside(config) else "flatten",
        "FP_SIZING": "relative",
        "FP_ASPECT_RATIO": 1,
        "FP_CORE_UTIL": SHARE,
        "FP_PIN_ORDER_CFG": f"dir::{name}_pins.cfg",
        "VDD_NETS": ["VDD"],
        "GND_NETS": ["VSS"],
    }


def _use_librelane(name: str) -> dict[str, object]:
    return {
        "MACROS": {
            name: {
                "gds": [f"dir::{name}.gds"],
                "lef": [f"dir::{name}.lef"],
                "vh": [f"dir::{name}_bb.v"],
                "lib": {"*": [f"dir::{name}.lib"]},
                "instances": {"macro": {"location": [50, 50], "orientation": "N"}},
            }
        },
        "PDN_MACRO_CONNECTIONS": ["macro VDD VSS VDD VSS"],
    }


def _harden_orfs(config: MacroConfig, platform: Platform) -> str:
    name = config.module
    sources = " ".join(f"$(HERE)/../{source}" for source in _sources(config))
    lines = [
        "# OpenROAD-flow-scripts: make DESIGN_CONFIG=this file",
        "HERE := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))",
        *([f"export PLATFORM ?= {platform.orfs}"] if platform.orfs else SET_PLATFORM),
        f"export DESIGN_NAME = {name}",
        f"export VERILOG_FILES = {sources}",
        f"export SDC_FILE = $(HERE)/{name}.sdc",
        f"export CORE_UTILIZATION = {SHARE}",
        "export CORE_ASPECT_RATIO = 1",
        "export CORE_MARGIN = 2",
        *(["export SYNTH_HIERARCHICAL = 1"] if _named_inside(config) else []),
    ]
    return "\n".join([*lines, ""])


def _use_orfs(name: str) -> str:
    lines = [
        "# OpenROAD-flow-scripts: include this file in the config.mk of a design with the macro.",
        f"{name}_DIR := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))",
        f"export VERILOG_FILES += $({name}_DIR)/{name}_bb.v",
        f"export ADDITIONAL_LEFS += $({name}_DIR)/{name}.lef",
        f"export ADDITIONAL_LIBS += $({name}_DIR)/{name}.lib",
        f"export ADDITIONAL_GDS += $({name}_DIR)/{name}.gds",
    ]
    return "\n".join([*lines, ""])


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
