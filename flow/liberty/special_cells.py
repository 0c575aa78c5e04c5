"""Cells of a library that only special circuits may use, and why."""

import re

from cimforge.flow.liberty.liberty_text import Group

__all__ = ["reason_to_leave"]

# Attributes of a cell or pin that a mapper must not overlook, and what to call such cells; any
# other is_…: true counts as special, too.
SPECIAL = {
    **{"dont_use": "dont_use", "pad_cell": "pads", "auxiliary_pad_cell": "pads", "is_pad": "pads"},
    **{"pad_type": "pads", "antenna_diode_type": "antenna diodes"},
    **{"antenna_diode_related_ground_pins": "antenna diodes"},
    **{"antenna_diode_related_power_pins": "antenna diodes"},
    **{"three_state": "tri-state", "is_three_state": "tri-state"},
    **{"is_isolation_cell": "isolation", "is_clock_isolation_cell": "isolation"},
    **{"isolation_cell_enable_pin": "isolation", "isolation_cell_data_pin": "isolation"},
    **{"is_isolated": "isolation", "isolation_enable_condition": "isolation"},
    **{"is_level_shifter": "level shifters", "level_shifter_type": "level shifters"},
    **{"level_shifter_data_pin": "level shifters", "level_shifter_enable_pin": "level shifters"},
    **{"always_on": "always on", "retention_cell": "retention", "retention_pin": "retention"},
    **{"save_action": "retention", "restore_action": "retention"},
    **{"power_gating_cell": "power gating", "switch_cell_type": "power switches"},
    **{"power_gating_pin": "power gating", "switch_pin": "power switches"},
    **{"scan_group": "scan", "is_filler_cell": "filler", "is_decap_cell": "decap"},
    **{"is_tap_cell": "tap", "is_tie_cell": "tie", "is_macro_cell": "macros"},
    **{"is_memory_cell": "memories", "interface_timing": "macros", "is_clock_cell": "clock only"},
    **{"is_clock_buffer": "clock only", "is_delay_cell": "delay", "delay_cell": "delay"},
    **{"is_analog": "analog", "is_pass_gate": "pass gates", "driver_type": "pulling"},
    **{"complementary_pin": "differential"},
}
# Groups that mark cells of several bits, of scan chains, or of buses.
SPECIAL_GROUPS = {
    **{"test_cell": "scan", "ff_bank": "of several bits", "latch_bank": "of several bits"},
    **{"bus": "with buses", "bundle": "with buses", "memory": "memories"},
    **{"retention_condition": "retention", "switch_cell": "power switches"},
}
SCAN_VALUES = {"signal_type": "test_", "nextstate_type": "scan_"}
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
KEYWORDS = {
    *("always", "and", "assign", "begin", "buf", "case", "cell", "config", "default", "else"),
    *("end", "endmodule", "for", "function", "if", "initial", "inout", "input", "integer"),
    *("library", "module", "nand", "negedge", "nor", "not", "or", "output", "parameter"),
    *("posedge", "reg", "signed", "specify", "table", "task", "time", "tri", "wire", "xnor"),
    *("xor", "pulldown", "pullup", "supply0", "supply1", "use", "wait", "while"),
}


def reason_to_leave(cell: Group) -> str:
    """Why no mapper may take the cell by itself, in words that go on after "N cells"; or empty."""
    for group in cell.groups:
        if group.kind in SPECIAL_GROUPS:
            return SPECIAL_GROUPS[group.kind]
    pins = cell.all("pin")
    for group in (cell, *pins):
        for name, value in group.values.items():
            if reason := _reason(name, value):
                return reason
    directions = {pin.values.get("direction", "").lower() for pin in pins}
    if not directions & {"input", "output", "inout"}:
        return "without signals"
    if not directions <= {"input", "output", "internal"}:
        return "with inout pins"
    if "input" not in directions:
        return "tie"
    names = [*cell.args[:1], *(name for pin in pins for name in pin.args)]
    if len(set(names)) < len(names):
        return "with a pin twice"
    if not all(IDENTIFIER.fullmatch(name) and name not in KEYWORDS for name in names):
        return "with names that are no plain Verilog"
    return "named as leaf cells are" if names[0].startswith("cim_") else ""


def _reason(name: str, value: str) -> str:
    if value.lower() in ("false", "0", "", "none"):
        return ""
    if name in SCAN_VALUES and value.startswith(SCAN_VALUES[name]):
        return "scan"
    if name in SPECIAL:
        return SPECIAL[name]
    marked = name.startswith("is_") and value.lower() == "true"
    return name.removeprefix("is_").replace("_", " ") if marked else ""
