"""The wrapper: a macro and its bus slave as one module."""

from cimforge.hdl.bus.decided_slave import DecidedSlave
from cimforge.hdl.bus.signatures import bus_ports, stream_ports, wrapper_ports
from cimforge.hdl.bus.wishbone import WishboneSlave
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_wrapper", "wishbone_modules"]


def wishbone_modules(config: MacroConfig) -> list[Module]:
    """The slave and the wrapper, the modules that the macro itself does not have."""
    wrapper = build_wrapper(config)
    return [wrapper.children[0].module, wrapper]


def build_wrapper(config: MacroConfig, decided: bool = False) -> Structure:
    """``NAME_wb``: the macro of ``config`` behind a WishboneSlave; ``decided``: a DecidedSlave,
    under names of its own, ``NAME_late_wb`` and ``NAME_late_wishbone``.

    Ports: clk, rst (synchronous, active high), the style's control ports where the macro has them,
    and the slave's bus side. Latency and throughput are the slave's: an access is answered in the
    cycle after it, with ``decided`` two later.
    """
    sentence = "The macro behind a Wishbone B4 slave, 32 bits."
    slave = DecidedSlave(config) if decided else WishboneSlave(config)
    kind = "late_wb" if decided else "wb"
    out = Structure(config.module, kind, sentence, role="bus", latency=slave.latency)
    ports = {name: out.port(way, name, size) for name, (way, size) in wrapper_ports(config).items()}
    bus = {name: ports.pop(name) for name in bus_ports(config)}
    clk, rst = ports.pop("clk"), ports.pop("rst")
    streams = {name: out.wire(name, width) for name, (_, width) in stream_ports(config).items()}
    macro_rst = out.wire("macro_rst")
    nets = {**bus, "macro_rst": macro_rst, **streams}
    out.place(slave, "slave", clk=clk, rst=rst, **nets)
    out.place(build_macro(config), "macro", clk=clk, rst=macro_rst, **streams, **ports)
    return out
