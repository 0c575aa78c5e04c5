"""Modes of the banks: how many slices make a weight, from the write that says so to the result."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.macro.arbiter import equals, one_hot
from cimforge.hdl.macro.token import delayed
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BankModes"]


class BankModes:
    """The mode of each bank (config.modes' number), set by every write to a row that exists: kept,
    like the bank's sign, through resets.

    ``offered`` is the mode of the row that w offers, 0 where ``fuse`` names none. ``follow``
    takes the running bank's mode along with its planes; signs act in a weight's top slice alone
    (``tops``).
    """

    def __init__(self, m: Module, config: MacroConfig, fuse: Value, written: Value):
        self._m, self._config = m, config
        self._width, count = config.w_fuse_width, len(config.modes)
        self._offered = Signal(self._width, name="w_mode")
        m.d.comb += self._offered.eq(
            fuse if count == 1 << self._width else Mux(fuse < count, fuse, 0)
        )
        self._kept = [
            Signal(self._width, name=f"bank_mode_{bank}", reset_less=True)
            for bank in range(config.banks)
        ]
        for line, mode in zip(written, self._kept, strict=True):
            with m.If(line):
                m.d.sync += mode.eq(self._offered)

    def offered_tops(self) -> Value:
        """A line for each slice of a column: whether it is the top of its weight in the row that w
        offers."""
        return self.tops(equals(self._offered, n) for n, _ in enumerate(self._config.modes))

    def tops(self, lines: Iterable[Value]) -> Value:
        """A line for each slice, from one for each mode."""
        every = list(lines)
        tops = [mode.tops(self._config.slices) for mode in self._config.modes]
        chosen = [
            [line for line, top in zip(every, of_modes, strict=True) if top]
            for of_modes in zip(*tops, strict=True)
        ]
        return Cat(Const(1, 1) if len(c) == len(tops) else reduce(or_, c) for c in chosen)

    def running(self, bank: Value, enable: Value, ranks: int) -> Signal:
        """A line for each mode: that of the bank whose planes came ``ranks`` enabled cycles ago,
        mode 0 for a missing bank."""
        width, config = self._width, self._config
        number = Signal(width, name="mode_0")
        chosen = (kept & line.replicate(width) for kept, line in zip(self._kept, bank, strict=True))
        self._m.d.comb += number.eq(self._kept[0] if config.banks == 1 else reduce(or_, chosen))
        arriving = delayed(self._m, number, ranks, enable, shape=width, name="mode")
        return one_hot(self._m, "mode_line", arriving, len(config.modes))
