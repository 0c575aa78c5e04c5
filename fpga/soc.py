"""The board's top: UART, bridge and the wrapped macro."""

from cimforge.fpga.bridge import UartBridge
from cimforge.fpga.uart import FRAME_BITS, UartReceiver, UartTransmitter
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.wishbone import bus_ports
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.structure import Structure, constant
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.protocol import GAP_BYTES

__all__ = ["SOC_PORTS", "soc_modules"]

SOC_PORTS = ("clk", "rx", "tx", "busy")
RESET_BITS = 6


def soc_modules(config: MacroConfig, divisor: int) -> list[Block | Structure]:
    """The modules of ``NAME_soc``, the top last; the wrapped macro is not among them.

    Ports: ``clk``, ``rx`` and ``tx`` (serial, idle high, ``divisor`` cycles a bit), ``busy`` (high
    while the macro has work: for a LED). There is no reset pin: a counter that starts at 0, as
    flip-flops of FPGAs do, holds reset for the first 2^RESET_BITS cycles.
    """
    name = config.module
    bits = RegisterMap(config).address_bits
    receiver, transmitter = UartReceiver(name, divisor), UartTransmitter(name, divisor)
    bridge = UartBridge(name, bits, gap=GAP_BYTES * FRAME_BITS * divisor)
    out = Structure(f"{name}_soc", "A macro on a board: UART, bridge to Wishbone, wrapped macro.")
    for port in SOC_PORTS:
        out.port("output" if port in ("tx", "busy") else "input", port)
    out.nets.append(f"reg [{RESET_BITS}:0] started = 0;")
    out.line(f"always @(posedge clk) if (!started[{RESET_BITS}]) started <= started + 1'b1;")
    rst = out.wire("rst")
    out.assign(rst, f"~started[{RESET_BITS}]")
    bus = {port: out.wire(port, width) for port, (_, width) in bus_ports(config).items()}
    widths = {"rx_data": 8, "rx_valid": 1, "tx_data": 8, "tx_valid": 1, "tx_ready": 1}
    serial = {net: out.wire(net, width) for net, width in widths.items()}
    clocks = {"clk": "clk", "rst": rst}
    rx, tx = ({"data": serial[f"{s}_data"], "valid": serial[f"{s}_valid"]} for s in ("rx", "tx"))
    out.instance(receiver.module, "receiver", **clocks, rx="rx", **rx)
    out.instance(
        transmitter.module, "transmitter", **clocks, **tx, ready=serial["tx_ready"], tx="tx"
    )
    master = {net: bus[net] for net in bus if net != "irq"}
    out.instance(bridge.module, "bridge", **clocks, **serial, **master)
    idle = {name: constant(0, width) for name, width in config.storage_traits.control_ports}
    out.instance(f"{name}_wb", "wrapped", **clocks, **bus, **idle)
    out.assign("busy", f"{bus['wb_cyc']} | {bus['irq']}")
    return [receiver, transmitter, bridge, out]
