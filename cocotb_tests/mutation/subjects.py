"""What is broken: six small designs, and the regression that must notice."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile
from typing import Any

from cimforge.cocotb_tests.array.array_nets import VISIBLE, observed
from cimforge.cocotb_tests.regression import ARRAY_SUITE, BUS_SUITE, SUITE
from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.board_files import board_design, board_files
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.wrapper_files import wrapper_files
from cimforge.hdl.params.config import MacroConfig

__all__ = ["SUBJECTS", "Subject"]

HX8K = BOARDS["hx8k"]
# Its oscillator for a clock, as a PLL is not ours to break; an odd divisor: halves do not cancel.
BOARD = HX8K._replace(clock_hz=HX8K.oscillator_hz, baud=HX8K.oscillator_hz // (LEAST_DIVISOR + 1))


@dataclass(frozen=True)
class Subject:
    """A design and its tests: a macro alone, behind its ``bus``, or on a ``board`` (``around``).

    In a macro everything is broken; in a wrapper only what is around the macro, which is a subject
    of its own. ``single``: one instance of a module at a time, not all alike.
    """

    config: MacroConfig
    around: str = "macro"
    suite: tuple[str, ...] = (*SUITE, *ARRAY_SUITE)
    options: Mapping[str, Any] = field(default_factory=dict)
    single: bool = False

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
            emit_macro(self.config, folder, board_files(self.config, BOARD))
            return board_design(self.config, folder)
        emit_macro(self.config, folder)
        return observed(Design.emitted(self.config, folder))

    def targets(self, design: Design) -> list[str]:
        """The modules that are broken; none stands for all."""
        if self.around == "macro":
            return []
        text = (design.folder / design.sources[-1]).read_text()
        return re.findall(r"^module (\w+)", text, re.M)

    def broken(self, whole: Design, text: str, folder: Path) -> Design:
        """The emitted design ``whole`` with this Verilog in place of its own, in ``folder``."""
        (folder / "broken.v").write_text(text)
        visible = [source for source in whole.sources if source == VISIBLE]
        for source in visible:
            copyfile(whole.folder / source, folder / source)
        return Design(whole.config, folder, (*visible, "broken.v"), whole.top, whole.ports)


# Small, because each of a thousand mutants is simulated; odd, so that nothing is right by chance.
SUBJECTS: Sequence[Subject] = (
    Subject(MacroConfig(name="plain", rows=5, cols=2, weight_bits=4, input_bits=4)),
    Subject(
        MacroConfig(
            name="latched",
            rows=6,
            cols=2,
            weight_bits=3,
            input_bits=6,
            bits_per_cycle=3,
            banks=3,
            storage="latch",
            tree_stages=2,
        )
    ),
    Subject(
        MacroConfig(
            name="rippled",
            rows=5,
            cols=3,
            weight_bits=2,
            input_bits=4,
            bits_per_cycle=2,
            banks=2,
            tree="ripple",
            tree_stages=1,
        )
    ),
    Subject(
        MacroConfig(
            name="single",
            rows=5,
            cols=2,
            weight_bits=3,
            input_bits=4,
            bits_per_cycle=2,
            banks=3,
            tree_stages=1,
        ),
        single=True,
    ),
    Subject(
        MacroConfig(
            name="bussed",
            rows=5,
            cols=5,
            weight_bits=7,
            input_bits=9,
            bits_per_cycle=9,
            banks=3,
        ),
        "bus",
        BUS_SUITE,
        {"accesses": 3000},
    ),
    Subject(
        MacroConfig(
            name="boarded",
            rows=5,
            cols=2,
            weight_bits=4,
            input_bits=4,
            bits_per_cycle=4,
            banks=2,
        ),
        "board",
        ("uart.brief_suite",),
        {"divisor": BOARD.divisor},
    ),
)
