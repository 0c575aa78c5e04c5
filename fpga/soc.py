"""The board's top: UART, bridge and the wrapped macro."""

from cimforge.fpga.bridge import UartBridge
from cimforge.fpga.uart import FRAME_BITS, UartReceiver, UartTransmitter
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import bus_ports
from cimforge.hdl.bus.wrapper import build_wrapper
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Structure, constant
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.protocol import GAP_BYTES

__all__ = ["SOC_PORTS", "build_soc", "soc_modules"]

SOC_PORTS = ("clk", "rx", "tx", "busy")
RESET_BITS = 6


def soc_modules(config: MacroConfig, divisor: int) -> list[Module]:
    """The modules of ``NAME_soc`` that the wrapped macro does not have, the top last."""
    top = build_soc(config, divisor)
    return [*(child.module for child in top.children if child.module.role == "link"), top]


def build_soc(config: MacroConfig, divisor: int) -> Structure:
    """``NAME_soc``: UART and bridge in front of the wrapped macro.

    Ports: ``clk``, ``rx`` and ``tx`` (serial, idle high, ``divisor`` cycles a bit), ``busy`` (high
    while the macro has work: for a LED). There is no reset pin: a counter that starts at 0, as
    flip-flops of FPGAs do, holds reset for the first 2^RESET_BITS cycles. Latency: the link's.
    """
    name = config.module
    sentence = "A macro on a board: UART, bridge to Wishbone, wrapped macro."
    out = Structure(name, "soc", sentence, role="link", latency=1)
    ports = {
        port: out.port("output" if port in ("tx", "busy") else "input", port) for port in SOC_PORTS
    }
    out.nets.append(f"reg [{RESET_BITS}:0] started = 0;")
    out.line(f"always @(posedge clk) if (!started[{RESET_BITS}]) started <= started + 1'b1;")
    rst = out.wire("rst")
    out.assign(rst, f"~started[{RESET_BITS}]")
    widths = {port: width for port, (_, width) in bus_ports(config).items() if port != "busy"}
    bus = {port: out.wire(port, width) for port, width in widths.items()}
    bus["busy"] = out.wire("working")  # busy is the LED's port
    widths = {"rx_data": 8, "rx_valid": 1, "tx_data": 8, "tx_valid": 1, "tx_ready": 1}
    serial = {net: out.wire(net, width) for net, width in widths.items()}
    clocks = {"clk": ports["clk"], "rst": rst}
    receiver, transmitter = UartReceiver(name, divisor), UartTransmitter(name, divisor)
    rx = {"rx": ports["rx"], "data": serial["rx_data"], "valid": serial["rx_valid"]}
    tx = {"tx": ports["tx"], "data": serial["tx_data"], "valid": serial["tx_valid"]}
    out.place(receiver, "receiver", **clocks, **rx)
    out.place(transmitter, "transmitter", **clocks, **tx, ready=serial["tx_ready"])
    bits = RegisterMap(config).address_bits
    bridge = UartBridge(name, bits, gap=GAP_BYTES * FRAME_BITS * divisor)
    out.place(bridge, "bridge", **clocks, **serial, **bus)
    idle = {line: constant(0, width) for line, width in config.storage_traits.control_ports}
    out.place(build_wrapper(config), "wrapped", **clocks, **bus, **idle)
    out.assign("busy", f"{bus['wb_cyc']} | {bus['irq']}")
    return out
