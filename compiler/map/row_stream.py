"""When a job's rows are written, where passes of other banks do not hold them up."""

from cimforge.compiler.tiling import TilePlan

__all__ = ["RowStream"]


class RowStream:
    """Rows of one tile after the other, each tile ``load`` cycles, from ``begin`` on; a tile's rows
    wait until the vectors of the tile before it in its bank have passed."""

    def __init__(self, plan: TilePlan, load: int, begin: int):
        self._tiles, self._load = plan.tiles, load
        self._tile, self._left, self._next = 0, load, begin
        self._free: dict[int, int] = {}  # when each bank is, of tiles that passed
        self._landed: list[int] = []
        self._passed = 0
        self._before: list[int] = []  # the tile before, of each tile's bank
        last: dict[int, int] = {}
        for number, tile in enumerate(plan.tiles):
            self._before.append(last.get(tile.bank, -1))
            last[tile.bank] = number

    def landed(self, tile: int) -> int:
        """The cycle in which a tile's rows have all landed; the tiles ``banks`` before have
        passed."""
        while self._tile <= tile:
            self._write(self._left)
        return self._landed[tile]

    def passed(self, cycle: int) -> None:
        """The next tile's vectors have passed: its bank is free from ``cycle`` on."""
        self._free[self._tiles[self._passed].bank] = cycle
        self._passed += 1

    def wait(self, cycle: int) -> None:
        """No row is accepted before ``cycle``."""
        self._next = max(self._next, cycle)

    def accepts(self, cycle: int) -> bool:
        """Whether a row, of one cycle each, is accepted in ``cycle``; all before it are written."""
        while self._tile < len(self._tiles) and self._before[self._tile] < self._passed:
            begin = self._begin
            if begin > cycle:
                return False
            if begin + self._left > cycle:
                self._write(cycle + 1 - begin)
                return True
            self._write(self._left)
        return False

    @property
    def _begin(self) -> int:
        return max(self._next, self._free.get(self._tiles[self._tile].bank, 0))

    def _write(self, cycles: int) -> None:
        self._next = self._begin + cycles
        self._left -= cycles
        if not self._left:
            self._landed.append(self._next)
            self._tile, self._left = self._tile + 1, self._load
