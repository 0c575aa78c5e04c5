"""An engine with its registers, behind no bus, and lines inside it that a test may look at."""

from pathlib import Path

from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.bus.engine_registers import EngineRegisters
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.engine.assembly import Assembly
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["WATCHED", "bare_design", "build_bare_engine"]

# by instance inside the engine: what tells the state of its unit (engine_phases.py)
WATCHED = {
    "queue": ("order_state", "errors_failing", "at"),
    "fetch": ("busy", "failed", "read_valid", "read_data_valid", "w_valid"),
    "run": ("x_valid", "starved", "idle"),
    "store": ("sequencer_state", "failed", "write_valid", "write_data_valid"),
}
MEMORY = ("read", "read_data", "write", "write_data", "write_done")


def build_bare_engine(config: EngineConfig) -> Structure:
    """``NAME_bare``: ports clk, rst, the macro's control ports, the register_port ``registers``,
    ``irq`` and a memory_port (``read`` … ``write_done``)."""
    registers, engine = EngineRegisters(config), build_engine(config)
    sentence = "An engine and its registers, behind no bus."
    top = Assembly(Structure(config.module, "bare", sentence, role="bus"))
    for name in ("clk", "rst"):
        top.port("input", name)
    for name, width in config.macro.storage_traits.control_ports:
        top.port("input", name, width)
    top.ports_of(registers, "registers", "irq")
    top.ports_of(engine, *MEMORY)
    top.place(registers, "control")
    top.place(engine, "engine")
    return top.out


def bare_design(config: EngineConfig, folder: Path) -> Design:
    """The emitted files of build_bare_engine in ``folder``, with WATCHED visible to cocotb."""
    folder.mkdir(parents=True, exist_ok=True)
    emit_macro(config.macro, folder, macro_extras(config.macro))
    top = build_bare_engine(config)
    for name, text in engine_sources(config, top).items():
        (folder / name).write_text(text)
    design = Design.listed(config.macro, folder, top.name, tuple(top.ports))
    lines = [
        f'public_flat_rd -module "{config.module}_{unit}" -var "{name}"'
        for unit, names in WATCHED.items()
        for name in names
    ]
    (folder / "watched.vlt").write_text("\n".join(["`verilator_config", *lines]) + "\n")
    sources = ("watched.vlt", *design.sources)
    return Design(config.macro, folder, sources, design.top, design.ports)
