"""Designs of front ends, emitted to be simulated alone or in front of registers."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cimforge.cocotb_tests.bus_fronts.register_file import ADDRESS_BITS, RegisterFile
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.bus.apb_slave import ApbSlave
from cimforge.hdl.bus.axi4_master import Axi4Master
from cimforge.hdl.bus.axi4lite_slave import Axi4LiteSlave
from cimforge.hdl.bus.axi_streams import AxiStreamIn, AxiStreamOut
from cimforge.hdl.bus.bus_wrapper import build_bus_wrapper, bus_wrapper_modules
from cimforge.hdl.bus.wishbone_master import WishboneMaster
from cimforge.hdl.bus.wishbone_registers import WishboneRegisterSlave
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

__all__ = ["MASTERS", "SLAVES", "master_design", "slave_design", "stream_design", "wrapper_design"]

SLAVES: dict[str, Callable[..., Block]] = {
    "axi4lite": Axi4LiteSlave,
    "apb": ApbSlave,
    "wishbone": WishboneRegisterSlave,
}
MASTERS: dict[str, Callable[..., Block]] = {"axi4": Axi4Master, "wishbone": WishboneMaster}


def slave_design(bus: str, patience: int, folder: Path) -> Design:
    """``front_BUS_bench``: a front end of registers with a RegisterFile behind it; its ports are
    clk, rst and the bus's."""
    front, file = SLAVES[bus]("front", ADDRESS_BITS, patience), RegisterFile("front")
    top = Structure("front", f"{bus}_bench", "A front end and registers.", role="bus")
    inner = {n: top.wire(n, p.width) for n, p in file.ports.items() if n.startswith("registers")}
    outer = {n: top.port(p.direction, n, p.width) for n, p in front.ports.items() if n not in inner}
    top.place(front, "front", **outer, **inner)
    top.place(file, "file", **outer, **inner)
    return _written(folder, [front, file, top])


def master_design(bus: str, address_bits: int, data_bits: int, folder: Path) -> Design:
    """A front end of memory, alone."""
    return _written(folder, [MASTERS[bus]("front", address_bits, data_bits)])


def stream_design(data_bits: int, folder: Path) -> Design:
    """``front_streams``: AxiStreamIn, whose beats go to AxiStreamOut; ports clk, rst, ``in_`` and
    ``out_``, each with the names of AXI4-Stream."""
    parts = {"in": AxiStreamIn("front", data_bits), "out": AxiStreamOut("front", data_bits)}
    top = Structure("front", "streams", "Beats in and out.", role="bus")
    nets = {name: top.port("input", name) for name in ("clk", "rst")}
    nets |= {n: top.wire(n, p.width) for n, p in parts["in"].ports.items() if n[:5] == "beats"}
    for name, part in parts.items():
        lines = {n: p for n, p in part.ports.items() if n.startswith("axis_")}
        outer = {
            n: top.port(p.direction, n.replace("axis", name), p.width) for n, p in lines.items()
        }
        top.place(part, name, **nets, **outer)
    return _written(folder, [*parts.values(), top])


def wrapper_design(config: MacroConfig, bus: str, patience: int, folder: Path) -> Design:
    """A macro behind a bus of AMBA, with its own files."""
    emit_macro(config, folder)
    modules = bus_wrapper_modules(config, bus, patience)
    top = build_bus_wrapper(config, bus, patience)
    name = f"{top.name}.v"
    (folder / name).write_text(modules_to_verilog(modules))
    sources = (folder / f"{config.module}.f").read_text().split()
    return Design(config, folder, (*sources, name), top.name, tuple(top.ports))


def _written(folder: Path, modules: Sequence[Module]) -> Design:
    """The modules as one file; the last is the top. The configuration only names the job."""
    top = modules[-1]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "front.v").write_text(modules_to_verilog(modules))
    return Design(load_config("tiny"), folder, ("front.v",), top.name, tuple(top.ports))
