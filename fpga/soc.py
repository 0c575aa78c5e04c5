"""The board's top: a link, its bridge and the wrapped macro."""

from cimforge.flow.board import OUTPUT_PORTS, Board
from cimforge.fpga.board_clock import place_clock
from cimforge.fpga.board_link import LINK_PORTS, check_link
from cimforge.fpga.bridge import FrameBridge
from cimforge.fpga.led import SHOWN_MS, LedStretcher
from cimforge.fpga.spi_slave import SpiSlave
from cimforge.fpga.uart import RECEIVED, SENT, UartReceiver, UartTransmitter
from cimforge.hdl.bus.signatures import bus_ports
from cimforge.hdl.bus.wrapper import build_wrapper
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Bus, Net, Structure, constant
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.protocol import BUFFER_BYTES

__all__ = ["SOC_PORTS", "build_soc", "soc_modules", "soc_ports"]

LARGE_BUFFER = 2 * BUFFER_BYTES  # one block RAM of most families, or less
BUFFERS = {"ice40": BUFFER_BYTES}  # two of its blocks


def soc_ports(link: str = "uart") -> tuple[str, ...]:
    """Ports of ``NAME_soc``: ``clk``, those of the link, ``busy`` (for a LED: lit while the macro
    has work, and SHOWN_MS longer). ValueError where there is no such link."""
    check_link(link)
    return ("clk", *LINK_PORTS[link], "busy")


SOC_PORTS = soc_ports()


def soc_modules(config: MacroConfig, board: Board, link: str = "uart") -> list[Module]:
    """The modules of ``NAME_soc`` that the wrapped macro does not have, the top last."""
    top = build_soc(config, board, link)
    wrapped = next(child.module for child in top.children if child.instance == "wrapped")
    links = (child.module for child in top.children if child.module.role == "link")
    return [*links, wrapped.children[0].module, wrapped, top]


def build_soc(config: MacroConfig, board: Board, link: str = "uart") -> Structure:
    """``NAME_soc``: a link and its bridge in front of the wrapped macro, for a board's clock and,
    of a UART, its baud rate.

    Ports are soc_ports': serial lines idle high, SPI is mode 0; ``busy`` lights the LED, which the
    board may want to be low. Clock and reset: place_clock. Latency: the link's. Raises ValueError
    as soc_ports does.
    """
    names = {"uart": "UART", "spi": "SPI slave"}
    ports_of_link = soc_ports(link)
    sentence = f"A macro on a board: {names[link]}, bridge to Wishbone, wrapped macro."
    out = Structure(config.module, "soc", sentence, role="link", latency=1)
    ports = {
        port: out.port("output" if port in OUTPUT_PORTS else "input", port)
        for port in ports_of_link
    }
    clk, rst = place_clock(out, board, ports["clk"])
    clocks = {"clk": clk, "rst": rst}
    widths = {port: width for port, (_, width) in bus_ports(config).items() if port != "busy"}
    bus = {port: out.wire(port, width) for port, width in widths.items()}
    working = out.wire("working")
    serial = {
        f"{side}_{part}": out.wire(f"{side}_{part}", member.shape)
        for side, signature in (("rx", RECEIVED), ("tx", SENT))
        for part, member in signature.members.items()
    }
    _place_link(out, link, board, clocks, ports, serial)
    bridge = FrameBridge(config, BUFFERS.get(board.family, LARGE_BUFFER))
    light = LedStretcher(config.module, board.clock_hz * SHOWN_MS // 1000)
    out.place(bridge, "bridge", **clocks, **serial, **bus)
    idle = {line: constant(0, width) for line, width in config.storage_traits.control_ports}
    out.place(build_wrapper(config, decided=True), "wrapped", **clocks, **bus, busy=working, **idle)
    lit = out.wire("lit") if board.led_active_low else ports["busy"]
    out.place(light, "light", **clocks, active=working, led=lit)
    if board.led_active_low:
        out.assign(ports["busy"], f"~{lit}")
    return out


def _place_link(
    out: Structure,
    link: str,
    board: Board,
    clocks: dict[str, Net],
    ports: dict[str, Bus],
    serial: dict[str, Bus],
) -> None:
    """Place what makes bytes of the link's ports."""

    def named(side: str, stream: str) -> dict[str, Net]:
        return {net.replace(side, stream): serial[net] for net in serial if net.startswith(side)}

    if link == "spi":
        lines = {port: ports[port] for port in LINK_PORTS[link]}
        pins = {**named("rx", "byte"), **named("tx", "reply")}
        out.place(SpiSlave(out.prefix), "slave", **clocks, **lines, **pins)
        return
    receiver = UartReceiver(out.prefix, board.divisor)
    transmitter = UartTransmitter(out.prefix, board.divisor)
    out.place(receiver, "receiver", **clocks, rx=ports["rx"], **named("rx", "byte"))
    out.place(transmitter, "transmitter", **clocks, tx=ports["tx"], **named("tx", "byte"))
