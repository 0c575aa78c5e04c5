"""A macro behind a bus: its Wishbone slave alone, or that, an adapter and a front end of AMBA."""

from typing import NamedTuple

from cimforge.hdl.bus.apb_slave import ApbSlave
from cimforge.hdl.bus.axi4lite_slave import Axi4LiteSlave
from cimforge.hdl.bus.register_adapter import RegisterAdapter
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import bus_ports, stream_ports, wrapper_ports
from cimforge.hdl.bus.wishbone import WishboneSlave
from cimforge.hdl.bus.wrapper import wishbone_modules
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BUSES", "BUS_FRONTS", "Wrapped", "build_bus_wrapper", "bus_wrapper_modules"]

LINES = ("irq", "busy")


class _Front(NamedTuple):
    """A bus: its front end, what its wrapper's name ends in, and what it is called."""

    kind: type[Axi4LiteSlave] | type[ApbSlave]
    tail: str
    title: str


BUS_FRONTS = {
    "axi4lite": _Front(Axi4LiteSlave, "axil", "an AXI4-Lite slave"),
    "apb": _Front(ApbSlave, "apb", "an APB4 slave"),
}


class Wrapped(NamedTuple):
    """A bus that a macro may stand behind: what its wrapper's name ends in, its title, and how many
    cycles an access waits before its error where nobody says."""

    tail: str
    title: str
    patience: int


PATIENCE = 1000  # longer than any pass, write or read-back takes: a processor need not poll
BUSES = {
    "wishbone": Wrapped("wb", "a Wishbone B4 slave, standard cycles", 0),
    **{bus: Wrapped(front.tail, front.title, PATIENCE) for bus, front in BUS_FRONTS.items()},
}


def bus_wrapper_modules(config: MacroConfig, bus: str, patience: int = 0) -> list[Module]:
    """What stands around the macro behind ``bus`` (of BUSES), the wrapper ``NAME_TAIL`` last: the
    modules that the macro itself does not have.

    Raises ValueError where ``patience`` is none: Wishbone's slave answers at once.
    """
    if bus == "wishbone":
        if patience:
            raise ValueError("patience must be 0: the Wishbone slave answers in the next cycle")
        return wishbone_modules(config)
    wrapper = build_bus_wrapper(config, bus, patience)
    return [*(child.module for child in wrapper.children[:-1]), wrapper]


def build_bus_wrapper(config: MacroConfig, bus: str, patience: int = 0) -> Structure:
    """``NAME_axil`` (bus axi4lite) or ``NAME_apb`` (apb): the macro of ``config`` behind that bus.

    Ports: clk, rst (synchronous, active high), the style's control ports where the macro has them,
    the bus, irq and busy. Registers, windows and errors are those of WishboneSlave, but that an
    access which comes too early, or is wrong, waits up to ``patience`` cycles before its error.
    Latency: the front end's, and one cycle of the slave.

    Raises ValueError where ``bus`` is none of BUS_FRONTS, or ``patience`` no number of cycles.
    """
    if bus not in BUS_FRONTS:
        raise ValueError(f"bus must be one of {', '.join(BUS_FRONTS)}, not {bus!r}")
    kind, tail, title = BUS_FRONTS[bus]
    address_bits = RegisterMap(config).address_bits
    front = kind(config.module, address_bits, patience)
    adapter, slave = RegisterAdapter(config.module, address_bits), WishboneSlave(config)
    latency = front.latency + slave.latency
    sentence = f"The macro behind {title}, 32 bits."
    out = Structure(config.module, tail, sentence, role="bus", latency=latency)

    own = {
        n: p for n, p in wrapper_ports(config).items() if n in LINES or n not in bus_ports(config)
    }
    lines = {name: own.pop(name) for name in LINES}
    ports = {name: out.port(way, name, width) for name, (way, width) in own.items()}
    clk, rst = ports.pop("clk"), ports.pop("rst")
    nets = _bus_and_wires(out, front, adapter)
    nets |= {name: out.port(way, name, width) for name, (way, width) in lines.items()}
    nets |= {name: out.wire(name, width) for name, (_, width) in stream_ports(config).items()}
    macro_rst = nets["macro_rst"] = out.wire("macro_rst")
    out.place(front, "front", clk=clk, rst=rst, **nets)
    out.place(adapter, "adapter", **nets)
    out.place(slave, "slave", clk=clk, rst=rst, **nets)
    out.place(build_macro(config), "macro", clk=clk, rst=macro_rst, **nets, **ports)
    return out


def _bus_and_wires(out: Structure, front: Block, adapter: Block) -> dict:
    """The wrapper's ports of the bus, and the wires from the front end to the slave."""
    inner = adapter.ports
    bus = {n: p for n, p in front.ports.items() if n not in inner and n not in ("clk", "rst")}
    nets = {name: out.port(port.direction, name, port.width) for name, port in bus.items()}
    return nets | {name: out.wire(name, port.width) for name, port in inner.items()}
