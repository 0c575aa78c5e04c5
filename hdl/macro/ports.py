"""The macro's ports, in the order of the interface table."""

from typing import NamedTuple

from cimforge.hdl.params.config import MacroConfig

__all__ = ["Port", "macro_ports"]


class Port(NamedTuple):
    """One port: ``direction`` is input or output."""

    name: str
    direction: str
    width: int


def macro_ports(config: MacroConfig) -> list[Port]:
    """All ports of the macro; those whose width would be 0 are left out."""
    y_width, row_width = config.cols * config.y_bits, config.cols * config.weight_bits
    table = [
        *(("clk", "input", 1), ("rst", "input", 1)),
        *(
            ("x_valid", "input", 1),
            ("x_ready", "output", 1),
            ("x_data", "input", config.rows * config.input_bits),
        ),
        *(
            ("x_bits", "input", config.x_bits_width),
            ("x_signed", "input", 1),
            ("x_bank", "input", config.bank_bits),
        ),
        *(("y_valid", "output", 1), ("y_ready", "input", 1), ("y_data", "output", y_width)),
        *(("w_valid", "input", 1), ("w_ready", "output", 1), ("w_bank", "input", config.bank_bits)),
        *(
            ("w_row", "input", config.row_bits),
            ("w_data", "input", row_width),
            ("w_signed", "input", 1),
        ),
        *(("r_valid", "input", 1), ("r_ready", "output", 1), ("r_bank", "input", config.bank_bits)),
        *(("r_row", "input", config.row_bits), ("q_valid", "output", 1), ("q_ready", "input", 1)),
        ("q_data", "output", row_width),
        *((name, "input", width) for name, width in config.storage_traits.control_ports),
    ]
    return [Port(*entry) for entry in table if entry[2] > 0]
