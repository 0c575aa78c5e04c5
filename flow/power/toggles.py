"""Counts the toggles of nets, cycle by cycle, in a VCD that streams by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ToggleCounter", "Toggles"]

Counts = NDArray[np.int64]
BASE = 95  # identifier codes are printable characters, ! to ~
LEAST, MOST = 33, 4  # the first such character, and the most of them in a code
VARIABLE = re.compile(rb"\$var\s+\w+\s+1\s+(\S+)\s+(\w+)\s+\$end")
END_OF_HEADER = b"$enddefinitions $end"
ZERO, ONE, HASH = (ord(c) for c in "01#")


@dataclass
class Toggles:
    """What the nets did in the cycles of one kind: all toggles, those in cycles after which a net
    had another value than before (one a cycle at most: ``functional``), in how many cycles it was 1
    at the end, and changes from or to an unknown value."""

    cycles: int
    all: Counts
    functional: Counts
    high: Counts
    unknown: int = 0


class ToggleCounter:
    """Takes a VCD in pieces, through ``feed``; afterwards ``kinds`` holds the toggles in the cycles
    that each mark was 1 in.

    Nets are named n0, n1, ... and ``marks`` by their names, all of one bit. Cycle k begins at
    ``start`` + k ``period`` (in the file's time steps); what changes at that time belongs to it.
    Several changes of a net at one time are one.
    """

    def __init__(self, nets: int, marks: Sequence[str], *, start: int, period: int):
        self._start, self._period = start, period
        self._names = {f"n{net}": net for net in range(nets)}
        self._names |= {mark: nets + place for place, mark in enumerate(marks)}
        size = len(self._names)
        self._marks = {mark: self._names[mark] for mark in marks}
        self.kinds = {mark: _nothing(nets) for mark in marks}
        self._nets = nets
        self._state = np.full(size, -1, np.int8)  # -1: unknown
        self._before = self._state.copy()
        self._toggles = np.zeros(size, np.int64)
        self._unknown = 0
        self._cycle = -1  # before the first
        self._last = np.zeros(0, np.int64)
        self._shared: dict[int, int] = {}
        self._rest = b""
        self._slots: Counts | None = None

    def feed(self, piece: bytes) -> None:
        """The next piece of the file."""
        text = self._rest + piece
        if self._slots is None:
            at = text.find(END_OF_HEADER)
            if at < 0:
                self._rest = text
                return
            self._slots = self._read_header(text[:at])
            text = text[at + len(END_OF_HEADER) :]
        whole = text.rfind(b"\n") + 1
        self._rest = text[whole:]
        if whole:
            self._read_changes(np.frombuffer(text, np.uint8, whole))

    @property
    def counted(self) -> int:
        """Cycles of all kinds so far."""
        return sum(kind.cycles for kind in self.kinds.values())

    def finish(self) -> None:
        """The file has ended: so has its last cycle."""
        self._end_cycle()

    def _read_header(self, header: bytes) -> Counts:
        """The net of each identifier code; -1 for codes of none. Nets that are one in the simulator
        may share a code: each gets what the first of them does."""
        codes = {name.decode(): code for code, name in VARIABLE.findall(header)}
        places = {name: self._code(codes[name]) for name in self._names if name in codes}
        slots = np.full(max(places.values(), default=0) + 1, -1, np.int64)
        for name, code in places.items():
            if slots[code] < 0:
                slots[code] = self._names[name]
            else:
                self._shared[self._names[name]] = int(slots[code])
        return slots

    @staticmethod
    def _code(code: bytes) -> int:
        number = 0
        for letter in code:
            number = number * BASE + letter - LEAST + 1
        return number

    def _read_changes(self, text: NDArray[np.uint8]) -> None:
        ends = np.flatnonzero(text == 10)
        starts = np.concatenate(([0], ends[:-1] + 1))
        lengths = ends - starts
        starts, lengths = starts[lengths > 0], lengths[lengths > 0]
        first = text[starts]
        cycles = self._line_cycles(text, starts, lengths, first == HASH)
        changes = (first == ZERO) | (first == ONE) | (first == ord("x")) | (first == ord("z"))
        nets = self._line_nets(text, starts[changes], lengths[changes])
        values = np.where(first == ONE, 1, np.where(first == ZERO, 0, -1))[changes].astype(np.int8)
        cycles = cycles[changes]
        known = nets >= 0
        nets, values, cycles = nets[known], values[known], cycles[known]
        edges = np.flatnonzero(np.diff(cycles)) + 1
        for part in np.split(np.arange(len(cycles)), edges):
            if len(part):
                self._advance(int(cycles[part[0]]))
                self._change(nets[part], values[part])
        if len(self._last):
            self._advance(int(self._last[-1]))

    def _line_cycles(
        self, text: NDArray[np.uint8], starts: Counts, lengths: Counts, is_time: NDArray[np.bool_]
    ) -> Counts:
        """The cycle of each line: that of the last time before it."""
        begins, digits = starts[is_time] + 1, lengths[is_time] - 1
        times = np.zeros(len(begins), np.int64)
        for place in range(int(digits.max(initial=0))):
            here = place < digits
            letters = text[np.where(here, begins + place, 0)].astype(np.int64) - ZERO
            times = np.where(here, times * 10 + letters, times)
        self._last = (times - self._start) // self._period
        before = np.cumsum(is_time)
        return np.concatenate(([self._cycle], self._last))[before]

    def _line_nets(self, text: NDArray[np.uint8], starts: Counts, lengths: Counts) -> Counts:
        assert self._slots is not None
        codes = np.zeros(len(starts), np.int64)
        for place in range(1, MOST + 1):
            here = place < lengths
            letters = text[np.where(here, starts + place, 0)].astype(np.int64) - LEAST + 1
            codes = np.where(here, codes * BASE + letters, codes)
        inside = codes < len(self._slots)
        return np.where(inside, self._slots[np.where(inside, codes, 0)], -1)

    def _advance(self, cycle: int) -> None:
        """End the present cycle, and those up to ``cycle`` in which nothing changes."""
        while self._cycle < cycle:
            self._end_cycle()
            self._cycle += 1

    def _change(self, nets: Counts, values: NDArray[np.int8]) -> None:
        """The changes of one cycle, or of a part of it."""
        self._toggles += np.bincount(nets, minlength=len(self._toggles))
        self._unknown += int(np.count_nonzero(values < 0))
        self._state[nets] = values

    def _end_cycle(self) -> None:
        for net, other in self._shared.items():
            self._toggles[net], self._state[net] = self._toggles[other], self._state[other]
        for mark, place in self._marks.items():
            if self._state[place] == 1:
                self._count(self.kinds[mark])
        self._toggles[:] = 0
        self._unknown = 0
        self._before[:] = self._state

    def _count(self, kind: Toggles) -> None:
        kind.cycles += 1
        kind.all += self._toggles[: self._nets]
        kind.functional += (self._state != self._before)[: self._nets]
        kind.high += (self._state == 1)[: self._nets]
        kind.unknown += self._unknown


def _nothing(nets: int) -> Toggles:
    return Toggles(0, np.zeros(nets, np.int64), np.zeros(nets, np.int64), np.zeros(nets, np.int64))
