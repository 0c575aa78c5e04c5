"""A macro's power intent as UPF: one domain, its supplies, and what its ports belong to."""

from collections.abc import Iterable, Sequence

from cimforge.hdl.netlist.module import Port

__all__ = ["power_intent"]


def power_intent(name: str, ports: Sequence[Port], volt: str = "") -> str:
    """UPF (IEEE 1801-2015) of a macro that is powered as a whole: no switch, no retention, so
    weights are lost with VDD.

    Isolation is the surrounding design's to decide: the commands stand there as comments. ``volt``
    is the library's voltage, where there is a library.
    """
    inputs = [port.name for port in ports if port.direction == "input"]
    outputs = [port.name for port in ports if port.direction == "output"]
    state = f" {{{volt}}}" if volt else " {1.0}"
    known = "" if volt else "  ;# a placeholder: no library was given"
    lines = [
        f"# Power intent of {name}: one domain. Weights are lost without VDD (no retention).",
        "upf_version 2.1",
        f"create_power_domain PD_{name} -elements {{.}}",
        "create_supply_port VDD -direction in",
        "create_supply_port VSS -direction in",
        "create_supply_net VDD",
        "create_supply_net VSS",
        "connect_supply_net VDD -ports {VDD}",
        "connect_supply_net VSS -ports {VSS}",
        f"create_supply_set SS_{name} -function {{power VDD}} -function {{ground VSS}}",
        f"associate_supply_set SS_{name} -handle PD_{name}.primary",
        f"add_port_state VDD -state {{on{state}}} -state {{off off}}{known}",
        "add_port_state VSS -state {on 0.0}",
        f"set_port_attributes -ports {{{_names(inputs)}}} -receiver_supply SS_{name}",
        f"set_port_attributes -ports {{{_names(outputs)}}} -driver_supply SS_{name}",
        "# Where VDD may be off while the surroundings are on, outputs are clamped outside, valid",
        "# and ready low (SUPPLY and CONTROL are the surrounding design's):",
        f"# set_isolation iso_{name} -domain PD_{name} -applies_to outputs -clamp_value 0 \\",
        "#   -isolation_supply_set SUPPLY -isolation_signal CONTROL -location parent",
        "# After power-up: rst for a cycle of clk, then load every weight that is to be used.",
    ]
    return "\n".join([*lines, ""])


def _names(names: Iterable[str]) -> str:
    return " ".join(names)
