"""Files of the board's top: its Verilog and the list of all sources; the design they are."""

from pathlib import Path

from cimforge.flow.board import Board
from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.soc import soc_modules, soc_ports
from cimforge.hdl.emit.wrapper_files import wrapper_files
from cimforge.hdl.netlist.module import behavioural_models
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig

__all__ = ["board_design", "board_files"]


def board_files(config: MacroConfig, board: Board, link: str = "uart") -> dict[str, str]:
    """The wrapper's files and those of ``NAME_soc`` for a board and a link of fpga.soc, by name;
    ``NAME_soc.f`` lists all sources, and models of the device's own blocks, which simulation alone
    takes."""
    top = f"{config.module}_soc"
    header = "// SPDX-License-Identifier: Apache-2.0\n\n"
    wrapper, modules = wrapper_files(config), soc_modules(config, board, link)
    models = behavioural_models(modules)
    wrapped = wrapper[f"{config.module}_wb.f"].split()
    theirs = [name for name in wrapped if not name.startswith(f"{config.module}_wb.")]
    sources = [*theirs, *models, f"{top}.v"]
    return {
        **wrapper,
        **models,
        f"{top}.v": header + modules_to_verilog(modules),
        f"{top}.f": "".join(f"{name}\n" for name in sources),
    }


def board_design(config: MacroConfig, folder: Path, link: str = "uart") -> Design:
    """The board's top in ``folder``, to be simulated: the wrapped macro behind a link."""
    return Design.listed(config, folder, f"{config.module}_soc", soc_ports(link))
