"""Files of the board's top: its Verilog and the list of all sources."""

from fpga.soc import soc_modules
from hdl.bus.collateral import wrapper_files
from hdl.config import MacroConfig
from hdl.emit.verilog import modules_to_verilog

__all__ = ["board_files"]


def board_files(config: MacroConfig, divisor: int) -> dict[str, str]:
    """The wrapper's files and those of ``NAME_soc``, by name; ``NAME_soc.f`` lists all sources."""
    top = f"{config.name}_soc"
    header = "// SPDX-License-Identifier: Apache-2.0\n\n"
    wrapper = wrapper_files(config)
    return {
        **wrapper,
        f"{top}.v": header + modules_to_verilog(soc_modules(config, divisor)),
        f"{top}.f": wrapper[f"{config.name}_wb.f"] + f"{top}.v\n",
    }
