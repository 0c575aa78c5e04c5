"""The board's top: UART, bridge and the wrapped macro."""

from cimforge.flow.board import Board
from cimforge.fpga.bridge import FrameBridge
from cimforge.fpga.led import SHOWN_MS, LedStretcher
from cimforge.fpga.uart import RECEIVED, SENT, UartReceiver, UartTransmitter
from cimforge.hdl.bus.signatures import bus_ports
from cimforge.hdl.bus.wrapper import build_wrapper
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Net, Structure, constant
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.protocol import BUFFER_BYTES

__all__ = ["SOC_PORTS", "build_soc", "soc_modules"]

SOC_PORTS = ("clk", "rx", "tx", "busy")
RESET_BITS = 6
LARGE_BUFFER = 2 * BUFFER_BYTES  # one block RAM of most families, or less
BUFFERS = {"ice40": BUFFER_BYTES}  # two of its blocks


def soc_modules(config: MacroConfig, board: Board) -> list[Module]:
    """The modules of ``NAME_soc`` that the wrapped macro does not have, the top last."""
    top = build_soc(config, board)
    return [*(child.module for child in top.children if child.module.role == "link"), top]


def build_soc(config: MacroConfig, board: Board) -> Structure:
    """``NAME_soc``: UART and bridge in front of the wrapped macro, for a board's clock and baud
    rate.

    Ports: ``clk``, ``rx`` and ``tx`` (serial, idle high), ``busy`` (for a LED: high while the macro
    has work, and SHOWN_MS longer). There is no reset pin: a counter that starts at 0, as flip-flops
    of FPGAs do, holds reset for the first 2^RESET_BITS cycles. Latency: the link's.
    """
    name, divisor = config.module, board.divisor
    sentence = "A macro on a board: UART, bridge to Wishbone, wrapped macro."
    out = Structure(name, "soc", sentence, role="link", latency=1)
    ports = {
        port: out.port("output" if port in ("tx", "busy") else "input", port) for port in SOC_PORTS
    }
    out.nets.append(f"reg [{RESET_BITS}:0] started = 0;")
    out.line(f"always @(posedge clk) if (!started[{RESET_BITS}]) started <= started + 1'b1;")
    rst = out.wire("rst")
    out.assign(rst, f"~started[{RESET_BITS}]")
    clocks = {"clk": ports["clk"], "rst": rst}
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
    bridge = FrameBridge(config, BUFFERS.get(board.family, LARGE_BUFFER))
    light = LedStretcher(name, board.clock_hz * SHOWN_MS // 1000)
    out.place(receiver, "receiver", **clocks, rx=ports["rx"], **byte("rx"))
    out.place(transmitter, "transmitter", **clocks, tx=ports["tx"], **byte("tx"))
    out.place(bridge, "bridge", **clocks, **serial, **bus)
    idle = {line: constant(0, width) for line, width in config.storage_traits.control_ports}
    out.place(build_wrapper(config), "wrapped", **clocks, **bus, busy=working, **idle)
    out.place(light, "light", **clocks, active=working, led=ports["busy"])
    return out
