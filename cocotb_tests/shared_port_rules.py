"""The contract's rules about readies where a write shares its port with the read of a bank."""

from cimforge.cocotb_tests.ready_rules import Offer, ReadyRules
from cimforge.cocotb_tests.scoreboard import Scoreboard

__all__ = ["SharedPortRules"]


class SharedPortRules(ReadyRules):
    """As ReadyRules, and: the first plane of a pass reads a word of every row where its bank is not
    the one read last, or was written since. A row accepted in the cycle before waits for that read,
    one cycle, in which nothing else is accepted."""

    def __init__(self, board: Scoreboard):
        self._held: int | None = None  # the bank read last and not written since
        self._landing_bank: int | None = None  # of the row accepted last, until it has landed
        super().__init__(board)

    def reset(self) -> None:
        """Nothing is held, no row waits."""
        super().reset()
        self._held = self._landing_bank = None

    def expected(self, offers: dict[str, Offer], stalled: bool) -> dict[str, bool | None]:
        """The rule for x, w and r."""
        if self._waits(stalled):
            return dict.fromkeys(offers, False)
        return super().expected(offers, stalled)

    def end_cycle(self, offers: dict[str, Offer], ready: dict[str, bool], stalled: bool) -> None:
        """Account for a cycle, before the beats accepted in it reach the board."""
        waits, reads, owed = self._waits(stalled), self._reads(stalled), self._owed
        super().end_cycle(offers, ready, stalled)
        if reads:
            self._held = self._board.active_bank
        if waits:
            self._owed = owed
            return
        if self._landing_bank == self._held:
            self._held = None
        bank = offers["w"].bank
        taken = offers["w"].valid and ready["w"] and bank < self._board.config.banks
        self._landing_bank = bank if taken else None

    def _reads(self, stalled: bool) -> bool:
        board = self._board
        first = board.planes_left > 0 and board.pass_cycle == 0 and not stalled
        return first and board.active_bank < board.config.banks and board.active_bank != self._held

    def _waits(self, stalled: bool) -> bool:
        return self._landing_bank is not None and self._reads(stalled)
