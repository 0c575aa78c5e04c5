"""The board's top: UART, bridge and the wrapped macro."""

from cimforge.flow.board import Board
from cimforge.fpga.board_clock import place_clock
from cimforge.fpga.bridge import UartBridge
from cimforge.fpga.led import SHOWN_MS, LedStretcher
from cimforge.fpga.uart import FRAME_BITS, RECEIVED, SENT, UartReceiver, UartTransmitter
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import bus_ports
from cimforge.hdl.bus.wrapper import build_wrapper
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Net, Structure, constant
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.protocol import GAP_BYTES

__all__ = ["SOC_PORTS", "build_soc", "soc_modules"]

SOC_PORTS = ("clk", "rx", "tx", "busy")


def soc_modules(config: MacroConfig, board: Board) -> list[Module]:
    """The modules of ``NAME_soc`` that the wrapped macro does not have, the top last."""
    top = build_soc(config, board)
    return [*(child.module for child in top.children if child.module.role == "link"), top]


def build_soc(config: MacroConfig, board: Board) -> Structure:
    """``NAME_soc``: UART and bridge in front of the wrapped macro, for a board's clock and baud
    rate.

    Ports: ``clk``, ``rx`` and ``tx`` (serial, idle high), ``busy`` (for a LED: lit, which the board
    may want to be low, while the macro has work, and SHOWN_MS longer). Clock and reset:
    place_clock. Latency: the link's.
    """
    name, divisor = config.module, board.divisor
    sentence = "A macro on a board: UART, bridge to Wishbone, wrapped macro."
    out = Structure(name, "soc", sentence, role="link", latency=1)
    ports = {
        port: out.port("output" if port in ("tx", "busy") else "input", port) for port in SOC_PORTS
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

    def byte(side: str) -> dict[str, Net]:
        return {net.replace(side, "byte"): serial[net] for net in serial if net.startswith(side)}

    receiver, transmitter = UartReceiver(name, divisor), UartTransmitter(name, divisor)
    gap = GAP_BYTES * FRAME_BITS * divisor
    bridge = UartBridge(name, RegisterMap(config).address_bits, gap=gap)
    light = LedStretcher(name, board.clock_hz * SHOWN_MS // 1000)
    out.place(receiver, "receiver", **clocks, rx=ports["rx"], **byte("rx"))
    out.place(transmitter, "transmitter", **clocks, tx=ports["tx"], **byte("tx"))
    out.place(bridge, "bridge", **clocks, **serial, **bus)
    idle = {line: constant(0, width) for line, width in config.storage_traits.control_ports}
    out.place(build_wrapper(config), "wrapped", **clocks, **bus, busy=working, **idle)
    lit = out.wire("lit") if board.led_active_low else ports["busy"]
    out.place(light, "light", **clocks, active=working, led=lit)
    if board.led_active_low:
        out.assign(ports["busy"], f"~{lit}")
    return out
