"""Tables of several banks: rows and passes take turns at the array."""

from cimforge.compiler.map.pass_intervals import PassIntervals
from cimforge.compiler.tiling import TilePlan
from cimforge.golden.cycles import slots
from cimforge.hdl.params.config import MacroConfig

__all__ = ["cycles_of_tables"]


def cycles_of_tables(config: MacroConfig, plan: TilePlan, intervals: PassIntervals) -> int:
    """Cycles of a job, as map.job_cycles counts them.

    A row reads its entries in slots of the array, of one cycle each; while vectors of another bank
    wait, one pass goes behind each slot. Where results have registers of their own, a slot behind a
    pass stands still for a cycle: both would arrive there one behind the other.
    """
    array = _Array(config, plan, intervals)
    row_slots = [slots(config, row, fill=True) for row in range(config.rows)]
    next_row = config.reset_cycles
    holder: dict[int, int] = {}
    for number, tile in enumerate(plan.tiles):
        if tile.bank in holder:
            next_row = max(next_row, array.finish(holder[tile.bank]))
        for count in row_slots:
            next_row = array.write_row(next_row, count)
        holder[tile.bank] = number
        array.offer(next_row)
    return array.finish(len(plan.tiles) - 1) + config.result_ranks + 2


class _Array:
    """The array's time. Vectors of tiles are offered, and pass, in the tiles' order."""

    def __init__(self, config: MacroConfig, plan: TilePlan, intervals: PassIntervals):
        self._plan, self._intervals = plan, intervals
        self._behind, self._gap = config.result_ranks, int(config.keeps_results)
        self._free = config.reset_cycles  # when the next slot or pass may begin
        self._tile, self._vector = 0, 0  # the next pass
        self._offered: list[int] = []  # when each tile's vectors are
        self._ends: list[int] = []  # when each tile's last pass ends
        self._slot_last, self._pass_end = False, -1

    def offer(self, cycle: int) -> None:
        """The next tile's vectors wait from ``cycle`` on."""
        self._offered.append(cycle)

    def finish(self, tile: int) -> int:
        """Pass all vectors up to a tile's last; returns when its bank is free."""
        while self._tile <= tile:
            self._pass(self._intervals.batch - self._vector)
        return self._ends[tile]

    def write_row(self, cycle: int, count: int) -> int:
        """Accept a row in ``cycle`` and give it ``count`` slots; returns when it has landed and the
        next one may be accepted."""
        self._pass_before(cycle + 1)
        self._free = max(self._free, cycle + 1)
        if self._slot_last and self._waits:
            self._pass(1)
        self._slot(1)
        count -= 1
        while count and self._waits:
            turns = min(count, self._intervals.batch - self._vector)
            self._pass(turns, slots_between=turns - 1)
            self._slot(1)
            count -= turns
        self._slot(count)
        return self._free + self._behind + 2

    @property
    def _waits(self) -> bool:
        return self._tile < len(self._offered)

    @property
    def _block(self) -> int:
        return self._plan.tiles[self._tile].k0 // self._plan.rows

    def _slot(self, count: int) -> None:
        if count:
            self._free += count + (self._gap if self._free == self._pass_end else 0)
            self._slot_last = True

    def _pass_before(self, cycle: int) -> None:
        """Passes that begin before ``cycle``."""
        while self._waits:
            begin = max(self._free, self._offered[self._tile])
            if begin >= cycle:
                return
            self._pass(self._intervals.begun_within(self._block, self._vector, cycle - begin))

    def _pass(self, vectors: int, slots_between: int = 0) -> None:
        """Pass vectors of the next tile, with slots between them."""
        begin = max(self._free, self._offered[self._tile])
        span = self._intervals.span(self._block, self._vector, vectors)
        self._free = self._pass_end = begin + span + slots_between * (1 + self._gap)
        self._slot_last = False
        self._vector += vectors
        if self._vector == self._intervals.batch:
            self._ends.append(self._free)
            self._tile, self._vector = self._tile + 1, 0
