"""Scoreboard: what the macro must deliver, value by value and cycle by cycle."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from cimforge.golden.cycles import (
    fill_cycles,
    pass_cycles,
    result_interval,
    slots,
    write_cycles,
)
from cimforge.golden.macro import MacroModel
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.mode import Mode

__all__ = ["Expected", "Scoreboard"]


@dataclass
class Expected:
    """A result in flight: its stream (``slot`` for a neighbour's code that a write has read, which
    appears nowhere), the counts of unstalled cycles at its acceptance and at which it must appear,
    its values, and the mode in which they lie on the port."""

    stream: str
    began: int
    due: int
    values: np.ndarray | None  # None where weights it depends on were never written
    mode: Mode


class Scoreboard:
    """Follows the accepted beats in the golden model and predicts every result and the cycle in
    which it appears.

    The array advances in every cycle in which it does not hold; a result appears when it has
    advanced result_interval + result_ranks times since its acceptance. So early, late, missing and
    extra results all show, under any back-pressure.

    A row that has neighbours in its group, and is not filled, or any in tables, is ``under_way``
    (bank, row) until the ``slots`` that it ``wants`` have passed the array; any other row occupies
    the stream for ``filling`` more cycles: one that completes its group, or whose style has several
    write_cycles. A reset cuts off what is under way.
    """

    def __init__(self, config: MacroConfig):
        self.config = config
        self.model = MacroModel(config)
        self.inflight: deque[Expected] = deque()
        self.advanced = 0
        self.planes = 0  # of the last vector
        self.planes_left = 0
        self.pass_cycle = 0
        self.active_bank = 0
        self.reading = False
        self.passes = 0
        self.under_way: tuple[int, int] | None = None
        self.slots = 0
        self.filling = 0
        self.filled_bank = 0

    def reset(self) -> None:
        """Drop everything in flight; weights stay, but for a row under way."""
        self.inflight.clear()
        self.planes_left = 0
        self.model.interrupt()
        if self.under_way:
            self.model.forget(*self.under_way)
        self.under_way, self.slots, self.filling = None, 0, 0

    def must_offer(self) -> str | None:
        """The stream that must be valid in this cycle, if any."""
        if self._due and self.inflight[0].stream != "slot":
            return self.inflight[0].stream
        return None

    @property
    def _due(self) -> bool:
        return bool(self.inflight) and self.inflight[0].due <= self.advanced

    def arrives_late(self) -> bool:
        """Whether a result stands in this cycle, of whose beats none is checked yet, and the next
        one arrives."""
        stands = self.must_offer() is not None and len(self.inflight) > 1
        return stands and self.inflight[1].due == self.advanced + 1

    def writing(self, bank: int | None = None) -> bool:
        """Whether a row, with ``bank`` one of it, accepted in an earlier cycle occupies the write
        stream."""
        occupied = self.under_way[0] if self.under_way else self.filled_bank
        return bool(self.under_way or self.filling) and bank in (None, occupied)

    def end_cycle(self, stalled: bool) -> None:
        """Account for one clock cycle, before the beats accepted in it."""
        self.filling = max(0, self.filling - 1)
        if stalled:
            return
        if self._due and self.inflight[0].stream == "slot":
            self.inflight.popleft()
            if not self.slots and not any(each.stream == "slot" for each in self.inflight):
                self.under_way = None
        self.advanced += 1
        if self.planes_left:
            self.planes_left -= 1
            self.pass_cycle += 1

    def vector(
        self, patterns: np.ndarray, x_bits: int, x_signed: bool, bank: int, x_rows: int = 0
    ) -> None:
        """A vector was accepted: its result follows on y."""
        self.planes = pass_cycles(self.config, x_bits, x_signed, patterns)
        cycles = result_interval(self.config, x_bits, x_signed, patterns)
        values = None
        if bank >= self.config.banks or self.model.defined(bank):
            values = self.model.mvm(
                patterns, x_bits=x_bits, x_signed=x_signed, bank=bank, x_rows=x_rows
            )
        self._start("y", cycles, values, bank)

    def read(self, bank: int, row: int) -> None:
        """A read-back was accepted: the row follows on q."""
        exists = bank < self.config.banks and row < self.config.rows
        known = not exists or self.model.defined(bank, row)
        self._start("q", 1, self.model.read(bank, row) if known else None, bank)

    def slot(self) -> None:
        """The row under way was given the array: what it reads follows."""
        assert self.under_way is not None
        self.slots -= 1
        self._start("slot", 1, None, self.under_way[0])

    def _start(self, stream: str, cycles: int, values: np.ndarray | None, bank: int) -> None:
        assert self.planes_left == 0, "accepted while another pass is running"
        due = self.advanced + cycles + self.config.result_ranks
        mode = self.config.modes[self.model.fuse(bank)]
        self.inflight.append(Expected(stream, self.advanced, due, values, mode))
        self.planes_left, self.pass_cycle = cycles, 0
        self.active_bank, self.reading = bank, stream != "y"

    def write(
        self,
        bank: int,
        row: int,
        patterns: np.ndarray,
        signed: bool,
        fill: bool = False,
        fuse: int = 0,
    ) -> None:
        """A row was accepted."""
        running = self.planes_left > 0 and self.active_bank == bank and bank < self.config.banks
        assert not running, f"a write to bank {bank} was accepted in the middle of its pass"
        self.model.write(bank, row, patterns, signed, fill, fuse)
        exists = bank < self.config.banks and row < self.config.rows
        if exists and self.config.tables:
            self.under_way, self.slots = (bank, row), slots(self.config, row, fill)
        elif exists and fill:
            self.filling = fill_cycles(self.config, row) - 1
            self.filled_bank = bank
        elif exists and self.config.group_size(row) > 1:
            self.under_way, self.slots = (bank, row), 1
        else:  # in a missing bank no sum is renewed: as a missing row
            stored = row if exists else self.config.rows
            self.filling = write_cycles(self.config, stored) - 1
            self.filled_bank = bank

    @property
    def wants(self) -> bool:
        """Whether the row under way wants a slot of the array."""
        return self.slots > 0

    def check(self, stream: str, values: np.ndarray) -> None:
        """Compare a delivered result with the one that is due."""
        expected = self.inflight.popleft()
        assert expected.stream == stream
        self.passes += stream == "y" and expected.values is not None
        if expected.values is not None and not np.array_equal(values, expected.values):
            wrong = int(np.flatnonzero(values != expected.values)[0])
            raise AssertionError(
                f"{stream}[{wrong}] is {values[wrong]}, must be {expected.values[wrong]} "
                f"({int((values != expected.values).sum())} of {len(values)} columns differ)"
            )
