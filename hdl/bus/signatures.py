"""The bus as a signature, and the ports that a bus slave has on either side, as emitted."""

from collections.abc import Mapping

from amaranth.lib import wiring

from cimforge.hdl.bus.registers import WORD_BITS, RegisterMap
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.macro.streams import SINKS, SOURCES, macro_streams
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = [
    "WishboneSignature",
    "bus_ports",
    "slave_members",
    "stream_members",
    "stream_ports",
    "wrapper_ports",
]


class WishboneSignature(wiring.Signature):
    """Wishbone B4, standard cycles, as the master sees it; ``adr`` counts bytes.

    Raises ValueError where ``address_bits`` or ``data_bits`` make no bus.
    """

    def __init__(self, *, address_bits: int, data_bits: int = WORD_BITS):
        if type(address_bits) is not int or address_bits < 1:
            raise ValueError(f"address_bits must be an integer of at least 1, not {address_bits!r}")
        if type(data_bits) is not int or data_bits not in (8, 16, 32, 64):
            raise ValueError(f"data_bits must be 8, 16, 32 or 64, not {data_bits!r}")
        super().__init__(
            {
                **{"cyc": Out(1), "stb": Out(1), "we": Out(1), "adr": Out(address_bits)},
                **{"sel": Out(data_bits // 8), "dat_w": Out(data_bits), "dat_r": In(data_bits)},
                **{"ack": In(1), "err": In(1)},
            }
        )


def slave_members(config: MacroConfig) -> dict[str, wiring.Member]:
    """Bus side of a slave: the bus and its two lines."""
    bus = WishboneSignature(address_bits=RegisterMap(config).address_bits)
    return {"wb": In(bus), "irq": Out(1), "busy": Out(1)}


def bus_ports(config: MacroConfig) -> dict[str, tuple[str, int]]:
    """Direction and width of each port of the bus side, without clk and rst."""
    return _directions(wiring.Signature(slave_members(config)))


def wrapper_ports(config: MacroConfig) -> dict[str, tuple[str, int]]:
    """Direction and width of each port of the wrapped macro, in their order: clk, rst, the storage
    style's control ports, the bus side."""
    own = ["clk", "rst", *(name for name, _ in config.storage_traits.control_ports)]
    widths = {port.name: (port.direction, port.width) for port in macro_ports(config)}
    return {name: widths[name] for name in own} | bus_ports(config)


def stream_ports(config: MacroConfig) -> dict[str, tuple[str, int]]:
    """The macro's stream ports: direction as seen by the macro, and width."""
    streams = {f"{name}_" for name in (*SOURCES, *SINKS)}
    ports = (port for port in macro_ports(config) if port.name[:2] in streams)
    return {port.name: (port.direction, port.width) for port in ports}


def stream_members(config: MacroConfig) -> dict[str, wiring.Member]:
    """The macro's streams as a slave sees them."""
    streams = macro_streams(config).items()
    return {name: (Out if name in SOURCES else In)(stream) for name, stream in streams}


def _directions(signature: wiring.Signature) -> dict[str, tuple[str, int]]:
    ways: Mapping = {wiring.In: "input", wiring.Out: "output"}
    members = signature.flatten(signature.create())
    return {"_".join(path): (ways[m.flow], m.shape) for path, m, _ in members}
