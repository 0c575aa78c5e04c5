"""The wrapper: a macro and its bus slave as one module."""

from cimforge.hdl.bus.wishbone import WishboneSlave, bus_ports, stream_ports
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["wishbone_modules"]


def wishbone_modules(config: MacroConfig) -> list[Block | Structure]:
    """The slave and the wrapper ``NAME_wb`` around the macro of ``config``, the wrapper last.

    Ports: clk, rst (synchronous, active high), test_en where the macro has it, and the slave's bus
    side. Latency and throughput are the slave's: each access is answered in the cycle after it.
    """
    slave = WishboneSlave(config)
    out = Structure(f"{config.module}_wb", "The macro behind a Wishbone B4 slave, 32 bits.")
    out.port("input", "clk")
    out.port("input", "rst")
    control = config.storage_traits.control_ports
    held = {name: out.port("input", name, width) for name, width in control}
    bus = {name: out.port(way, name, width) for name, (way, width) in bus_ports(config).items()}
    streams = {name: out.wire(name, width) for name, (_, width) in stream_ports(config).items()}
    macro_rst = out.wire("macro_rst")
    nets = {**bus, "macro_rst": macro_rst, **streams}
    out.instance(slave.module, "slave", clk="clk", rst="rst", **nets)
    out.instance(config.module, "macro", clk="clk", rst=macro_rst, **streams, **held)
    return [slave, out]
