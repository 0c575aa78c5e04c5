"""An engine behind buses: its registers, and front ends for control and memory."""

from cimforge.hdl.bus.apb_slave import ApbSlave
from cimforge.hdl.bus.axi4_master import Axi4Master
from cimforge.hdl.bus.axi4lite_slave import Axi4LiteSlave
from cimforge.hdl.bus.axi_streams import AxiStreamIn, AxiStreamOut
from cimforge.hdl.bus.engine_registers import EngineRegisters
from cimforge.hdl.bus.wishbone_master import WishboneMaster
from cimforge.hdl.bus.wishbone_registers import WishboneRegisterSlave
from cimforge.hdl.engine.assembly import Assembly
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["CONTROLS", "MEMORIES", "build_engine_top"]

# A bus: its front end, and the first part of its ports' names.
CONTROLS = {
    "axi4lite": (Axi4LiteSlave, "axil"),
    "apb": (ApbSlave, "apb"),
    "wishbone": (WishboneRegisterSlave, "wb"),
}
MEMORIES = {"axi4": (Axi4Master, "axi"), "wishbone": (WishboneMaster, "wbm")}
OWN = {"axi4": "axi", "wishbone": "wb"}  # what the master itself calls its ports
BEATS = {"axis_in": "into", "axis_out": "out"}  # the engine's streams behind AXI4-Streams


def build_engine_top(
    config: EngineConfig, control: str = "axi4lite", memory: str = "axi4"
) -> Structure:
    """``NAME_CONTROL_MEMORY``: the engine, its registers behind a slave of the bus ``control`` (of
    CONTROLS), its memory behind a master of the bus ``memory`` (of MEMORIES).

    Ports: clk, rst (synchronous, active high), the macro's control ports, the two buses, ``irq``,
    and with ``streams`` two AXI4-Streams, ``axis_in`` and ``axis_out``. Raises ValueError where a
    bus is none of these.
    """
    for known, chosen, what in ((CONTROLS, control, "control"), (MEMORIES, memory, "memory")):
        if chosen not in known:
            raise ValueError(f"{what} must be one of {', '.join(known)}, not {chosen!r}")
    registers, engine = EngineRegisters(config), build_engine(config)
    kind, begin = CONTROLS[control]
    slave = kind(config.module, registers.address_bits)
    master_kind, master_begin = MEMORIES[memory]
    master = master_kind(config.module, ADDRESS_BITS, config.bus_bits)
    sentence = f"An engine behind {control} for control and {memory} for memory."
    tail = f"{begin}_{master_begin}"
    top = Assembly(Structure(config.module, tail, sentence, role="bus"))

    for name in ("clk", "rst"):
        top.port("input", name)
    for name, width in config.macro.storage_traits.control_ports:
        top.port("input", name, width)
    top.port("output", "irq")
    called = {OWN[memory]: master_begin}
    top.ports_of(slave, begin)
    top.ports_of(master, OWN[memory], called=called)
    streams = _streams(config)
    for name, block in streams.items():
        top.ports_of(block, "axis", called={"axis": name})
    top.place(slave, "control")
    top.place(registers, "registers")
    top.place(master, "memory", called)
    top.place(engine, "engine", _of_memory())
    for name, block in streams.items():
        top.place(block, name, {"axis": name, "beats": BEATS[name]})
    return top.out


def _of_memory() -> dict[str, str]:
    """What the engine's memory port is called beside the master's."""
    streams = ("read", "read_data", "write", "write_data", "write_done")
    return {name: f"memory_{name}" for name in streams}


def _streams(config: EngineConfig) -> dict[str, AxiStreamIn | AxiStreamOut]:
    """The front ends of the engine's streams, by the first part of their ports' names."""
    if not config.streams:
        return {}
    size = config.bus_bits
    return {
        "axis_in": AxiStreamIn(config.module, size),
        "axis_out": AxiStreamOut(config.module, size),
    }
