"""The contract's rules about readies where rows share groups: slots of writes, and the fast
path."""

from cimforge.cocotb_tests.ready_rules import Offer, ReadyRules

__all__ = ["GroupRules"]


class GroupRules(ReadyRules):
    """As ReadyRules, and: a row that has neighbours in its group, and is not filled, wants a slot
    of the array from the cycle after its acceptance on. It goes before vectors and read-backs; but
    after one slot a vector that waits, and may go, is next. Until such a row, or a filled one, has
    landed no row is taken, and no vector or read-back of its bank; what was held back goes before
    any further row of its bank.

    Where results have registers of their own the array rests: it is not given to anybody in the
    cycle behind one in which it was free, no row wanted it, and a vector or a read-back was
    offered, taken or not, that no row under way held back.
    """

    def reset(self) -> None:
        """No slot was given, and nobody is held back."""
        super().reset()
        self._held_back: dict[str, int] = {}  # banks of x and r that a row held back
        self._slot_used = self._rests = False
        self.slot = False

    def _is_open(self, stalled: bool) -> bool:
        """Whether the array may be given to anybody."""
        return self._free(stalled) and not self._rests

    def _row_rule(self, bank: int, stalled: bool) -> bool | None:
        if self._board.under_way or self._board.filling or bank in self._held_back.values():
            return False
        return super()._row_rule(bank, stalled)

    def _array_rule(
        self, stream: str, own: Offer, rival: Offer, landing: Offer | None, stalled: bool
    ) -> bool | None:
        if not self._is_open(stalled) or self._is_held(own, landing):
            return False
        if self._board.wants and (stream == "r" or not self._slot_used):
            return False
        if not rival.valid or (self._board.wants and stream == "x"):
            return True
        if self._is_held(rival, landing) or not self._last_user:
            return None
        return self._last_user != stream

    def _is_held(self, offer: Offer, landing: Offer | None) -> bool:
        """Whether a row of the offer's bank is taken now, or under way."""
        if offer.bank >= self._board.config.banks:
            return False
        lands = landing is not None and landing.lands and landing.bank == offer.bank
        return lands or self._board.writing(offer.bank)

    def end_cycle(self, offers: dict[str, Offer], ready: dict[str, bool], stalled: bool) -> None:
        """Account for a cycle, before the beats accepted in it reach the board; ``slot`` says
        whether it gave the array to the row that wants it."""
        landing = offers["w"] if offers["w"].valid and ready["w"] else None
        held = {stream: self._is_held(offers[stream], landing) for stream in "xr"}
        vector_next = self._slot_used and offers["x"].valid and not held["x"]
        is_open, wants = self._is_open(stalled), self._board.wants
        self.slot = wants and is_open and not vector_next
        offered = any(offers[s].valid and not self._is_held(offers[s], None) for s in "xr")
        self._rests = self._board.config.keeps_results and is_open and offered and not wants
        self._held_back = {
            stream: offers[stream].bank
            for stream in "xr"
            if offers[stream].valid
            and not ready[stream]
            and (held[stream] or stream in self._held_back)
        }
        if self.slot or (offers["x"].valid and ready["x"]):
            self._slot_used = self.slot
        super().end_cycle(offers, ready, stalled)
        self._owed = set()
