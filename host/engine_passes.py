"""Vectors and rows of weights at the macros, by cycles: when each is taken."""

from collections import deque
from collections.abc import Mapping

from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["Passes", "Pieces", "Rows"]

AHEAD = 3  # pieces of vectors between the cutter and the vector register (Gather)


class Pieces:
    """How a RUN's vectors are gathered: ``count`` pieces of each, behind ``steps`` that make the
    first position (Gather, PatchCutter)."""

    def __init__(self, config: EngineConfig, fields: Mapping[str, int]):
        word, length = config.gather_bytes, fields["length"]
        segment, done = fields["segment"], 0
        left = segment - fields.get("skip", 0)
        self.count = 0
        while done < length:  # a piece ends with its segment and with its word
            size = min(left, word - done % word, length - done)
            done, left = done + size, left - size or segment
            self.count += 1
        self.steps = _steps(fields)


def _steps(fields: Mapping[str, int]) -> int:
    skip_x, skip_y = fields.get("skip_x", 0), fields.get("skip_y", 0)
    origin = fields.get("origin_y", 0)
    lines = fields.get("segments_y", 1), fields.get("count_y", 1)
    if origin == 0 and skip_x == 0 and lines == (1, 1):
        return 0
    factors = fields.get("step_y", 0), fields.get("stride_y", 0), max(origin, ~origin)
    bits = max(1, *(factor.bit_length() for factor in factors))
    return max(skip_x + 1, bits + skip_y) + (skip_y > 0)


class _Vectors:
    """A RUN's vectors at the array: when each is taken, those that are not known yet left out."""

    def __init__(
        self, count: int, pieces: int, offered: int, interval: int, way: int, accumulate: bool
    ):
        self.accumulate = accumulate
        self.count, self.pieces, self.interval, self.way = count, pieces, interval, way
        self.offered = offered  # the next
        self.done = 0
        self.recent: deque[int] = deque(maxlen=AHEAD + 2)  # when the last ones were taken
        self.first_offered = offered


class Passes:
    """The array: vectors in the order of their RUNs, and single cycles between them, in which rows
    of tables read the array (SlotArbiter)."""

    def __init__(self, config: EngineConfig):
        self._config = config
        self._free = 0
        self._after_slot = False
        self._runs: list[_Vectors] = []
        self._at = 0  # the run whose vectors are taken

    def run(self, fields: Mapping[str, int], begins: int, landed: int = 0) -> int:
        """A RUN that is handed over in a cycle; its bank's rows ``landed`` in another. Returns its
        number."""
        macro = self._config.macro
        told = fields["bits"], bool(fields["signed"])
        pieces, interval = Pieces(self._config, fields), macro.pass_interval(*told)
        written = begins + 1
        if self._runs:
            number = len(self._runs) - 1
            self._finish(number)
            last = self._runs[-1]
            written = max(written, self._written(last, AHEAD - 1))
            offered = max(written + pieces.steps + AHEAD, last.recent[-1]) + pieces.count
        else:
            offered = written + pieces.steps + AHEAD + pieces.count
        offered, vectors = max(offered, landed), fields["vectors"]
        way, accumulate = macro.latency(*told), bool(fields["accumulate"])
        run = _Vectors(vectors, pieces.count, offered, interval, way, accumulate)
        self._runs.append(run)
        return len(self._runs) - 1

    def accepts(self) -> int:
        """When the next RUN may be handed over: with the last piece of the newest."""
        if not self._runs:
            return 0
        self._finish(len(self._runs) - 1)
        return self._written(self._runs[-1], AHEAD)

    def _written(self, run: _Vectors, back: int) -> int:
        """When the piece so many in front of a run's last was written."""
        vectors, within = divmod(back, run.pieces)
        if vectors + 1 < run.count and vectors + 2 <= len(run.recent):
            return run.recent[-2 - vectors] + run.pieces - 1 - within
        return run.first_offered - 1 - within

    def last_taken(self, number: int) -> int:
        """When the last vector of a RUN is taken."""
        self._finish(number)
        return self._runs[number].recent[-1]

    def ends(self, number: int) -> int:
        """When all its sums are written."""
        return self.last_taken(number) + self._runs[number].way + 1

    def reads(self, number: int) -> tuple[int, int, int] | None:
        """When the sums are read to which a RUN adds: the first, the last, and from one to the
        next; None where it replaces them."""
        self._finish(number)
        run = self._runs[number]
        if not run.accumulate or run.count < 2:
            return None
        last = run.recent[-1] + run.way
        step = max(run.interval, run.pieces)
        return last - (run.count - 1) * step, last, step

    def stand(self, cycles: int) -> None:
        """The array has stood still while the newest RUN's vectors went."""
        self._finish(len(self._runs) - 1)
        run = self._runs[-1]
        run.recent = deque((cycle + cycles for cycle in run.recent), run.recent.maxlen)
        self._free += cycles

    def slot(self, wanted: int) -> int:
        """The cycle in which a row reads the array that wants it from a cycle on."""
        while True:
            run = self._runs[self._at] if self._at < len(self._runs) else None
            at = max(wanted, self._free)
            goes = max(run.offered, self._free) if run else at + 1
            if run and (goes < at or (goes == at and self._after_slot)):
                self._take(run, goes)
                continue
            if at == self._free and not self._after_slot and self._config.macro.keeps_results:
                at += 1  # its result would follow a vector's in the next cycle
            self._free, self._after_slot = at + 1, True
            return at

    def likely_end(self, number: int) -> int:
        """When the last vector of a RUN is taken if no row comes between."""
        cycle = self._free
        for run in self._runs[self._at : number + 1]:
            cycle = max(run.offered, cycle)
            cycle += (run.count - run.done - 1) * max(run.interval, run.pieces) + run.interval
        run = self._runs[number]
        return run.recent[-1] if run.done == run.count else cycle - run.interval

    def _take(self, run: _Vectors, cycle: int) -> None:
        run.recent.append(cycle)
        run.done += 1
        run.offered, self._free = cycle + run.pieces, cycle + run.interval
        self._after_slot = False
        self._at += run.done == run.count

    def _finish(self, number: int) -> None:
        while self._at <= number:
            run = self._runs[self._at]
            step, many = max(run.interval, run.pieces), run.count - run.done - AHEAD - 2
            if many > 1:  # all the same
                self._take(run, max(run.offered, self._free))
                run.done += many - 1
                last = run.recent[-1] + (many - 1) * step
                run.recent.append(last)
                run.offered, self._free = last + run.pieces, last + run.interval
            self._take(run, max(run.offered, self._free))


class Rows:
    """Rows of a LOAD on their way to the macros (RowAssembler): a row and all of the next are
    held. Where they are tables each takes slots of the array."""

    def __init__(self, config: EngineConfig, passes: Passes, landed: int = 0):
        macro = config.macro
        self._config, self._passes, self.landed = config, passes, landed
        cycles = macro.fill_cycles if macro.grouped else macro.write_cycles
        self._cycles = [cycles(row) for row in range(macro.rows)]
        self._own = macro.storage_traits.slot_cycles + macro.result_ranks  # beside the slots
        self._tables = macro.tables
        self._row = self._word = 0
        self._ready = 0  # for words
        self.accepted = -1

    @staticmethod
    def keep_up(config: EngineConfig, rows: int) -> bool:
        """Whether rows are taken as fast as their words come, whatever the array does."""
        macro = config.macro
        if macro.tables:
            return False
        cycles = macro.fill_cycles if macro.grouped else macro.write_cycles
        return max(map(cycles, range(rows))) <= config.row_words

    def take(self, cycle: int) -> int:
        """When a word is taken that comes in a cycle."""
        cycle = max(cycle, self._ready)
        self._word += 1
        if self._word == self._config.row_words:
            self._word = 0
            if cycle < self.accepted:  # the row before is offered still
                self._ready = self.accepted + 1
            self._accept(max(cycle, self.accepted) + 1)
        return cycle

    def _accept(self, offered: int) -> None:
        self.accepted = max(offered, self.landed)
        cycles = self._cycles[self._row]
        self._row += 1
        if not self._tables:
            self.landed = self.accepted + cycles
            return
        slot = self.accepted
        for _ in range(cycles - self._own):
            slot = self._passes.slot(slot + 1)
        self.landed = slot + self._own
