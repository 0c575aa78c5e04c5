"""The contract's rules about readies where a row occupies the write stream for several cycles."""

from cimforge.cocotb_tests.ready_rules import Offer, ReadyRules

__all__ = ["PausedRules"]


class PausedRules(ReadyRules):
    """As ReadyRules, and: behind a row no other is accepted for write_cycles - 1 cycles, in which
    it holds back vectors and read-backs of its bank as in its own."""

    def expected(self, offers: dict[str, Offer], stalled: bool) -> dict[str, bool | None]:
        """The rule for x, w and r."""
        if not self._board.filling:
            return super().expected(offers, stalled)
        row, x, r = Offer(True, self._board.filled_bank), offers["x"], offers["r"]
        return {
            "x": self._array_rule("x", x, r, row, stalled),
            "w": False,
            "r": self._array_rule("r", r, x, row, stalled),
        }

    def end_cycle(self, offers: dict[str, Offer], ready: dict[str, bool], stalled: bool) -> None:
        """Account for a cycle, before the beats accepted in it reach the board."""
        super().end_cycle(offers, ready, stalled)
        if self._board.filling:
            bank = self._board.filled_bank
            waits = any(offers[s].valid and offers[s].bank == bank for s in "xr")
            owed = waits and self._free(stalled) and bank < self._board.config.banks
            self._owed = {bank} if owed else set()
