"""What is broken: five small designs, and the regression that must notice."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.cocotb_tests.regression import BUS_SUITE, SUITE
from cimforge.flow.simulate.serial_line import DIVISOR
from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.board_files import board_design, board_files
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.wrapper_files import wrapper_files
from cimforge.hdl.params.config import MacroConfig

__all__ = ["SUBJECTS", "Subject"]


@dataclass(frozen=True)
class Subject:
    """A design and its tests. Mutations go into the modules of the files ``broken`` (those that
    end in the given names), for the macro inside a wrapper has been broken by itself already."""

    config: MacroConfig
    suite: tuple[str, ...] = SUITE
    around: str = "macro"  # or bus, board
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its short name, that of its macro."""
        return self.config.module

    def emit(self, folder: Path) -> Design:
        """Write its files and return the design they are."""
        if self.around == "bus":
            emit_macro(self.config, folder, wrapper_files(self.config))
            return Design.wrapped(self.config, folder)
        if self.around == "board":
            emit_macro(self.config, folder, board_files(self.config, DIVISOR))
            return board_design(self.config, folder)
        emit_macro(self.config, folder)
        return Design.emitted(self.config, folder)

    def targets(self, design: Design) -> list[str]:
        """The modules that are broken: all of a macro, a wrapper's own."""
        if self.around == "macro":
            return []
        text = (design.folder / design.sources[-1]).read_text()
        return re.findall(r"^module (\w+)", text, re.M)


def _config(name: str, **parameters) -> MacroConfig:
    return MacroConfig(name=name, **parameters)


# Small, because each of a thousand mutants is simulated; odd, so that nothing is right by chance.
SUBJECTS: Sequence[Subject] = (
    Subject(_config("plain", rows=5, cols=2, weight_bits=4, input_bits=4)),
    Subject(
        _config(
            *("latched",),
            **{"rows": 6, "cols": 2, "weight_bits": 3, "input_bits": 6, "bits_per_cycle": 3},
            **{"banks": 3, "storage": "latch", "tree_stages": 2},
        )
    ),
    Subject(
        _config(
            *("rippled",),
            **{"rows": 5, "cols": 3, "weight_bits": 2, "input_bits": 4, "bits_per_cycle": 2},
            **{"banks": 2, "tree": "ripple", "tree_stages": 1},
        )
    ),
    Subject(
        _config("bussed", rows=5, cols=5, weight_bits=7, input_bits=9, bits_per_cycle=9, banks=3),
        BUS_SUITE,
        "bus",
        {"accesses": 3000},
    ),
    Subject(
        _config("board", rows=5, cols=2, weight_bits=4, input_bits=4, bits_per_cycle=4, banks=2),
        ("uart.uart_suite",),
        "board",
    ),
)
