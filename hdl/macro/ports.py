"""The macro's ports, in the order of the interface table."""

from amaranth.lib.wiring import Out

from cimforge.hdl.macro.streams import SINKS, macro_streams
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config import MacroConfig

__all__ = ["macro_ports"]


def macro_ports(config: MacroConfig) -> list[Port]:
    """All ports of the macro: clock and reset, the streams, what the storage style needs besides;
    those whose width would be 0 are left out."""
    ports = [Port("clk", "input", 1), Port("rst", "input", 1)]
    for name, stream in macro_streams(config).items():
        outward = {True: "output", False: "input"}
        for part, member in stream.members.items():
            leaves = (member.flow == Out) == (name in SINKS)
            ports.append(Port(f"{name}_{part}", outward[leaves], member.shape))
    return ports + [
        Port(name, "input", width) for name, width in config.storage_traits.control_ports
    ]
