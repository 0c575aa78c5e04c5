"""The contract's rules about readies: in which cycles a stream must be ready, and must not be."""

from dataclasses import dataclass

from cimforge.cocotb_tests.scoreboard import Scoreboard

__all__ = ["Offer", "ReadyRules"]


@dataclass(frozen=True)
class Offer:
    """What a stream's inputs show in a cycle: valid, and the bank it addresses, valid or not; of a
    row whether it lands behind its cycle, as none does that is missing in tables."""

    valid: bool
    bank: int
    lands: bool = True


class ReadyRules:
    """Says for each stream and cycle whether ready must be high (True), low (False) or may be
    either (None). ``board`` knows the pass under way.

    A vector or read-back is taken at once where the array is free: no pass, or the last cycle of
    one. Where both wait they take turns. A row goes at once unless its bank is that of the running
    pass, whose last cycle it waits for. A row that lands after its cycle holds back a vector or
    read-back of its bank by that much, and that one goes before any further row of its bank. No
    rule asks for the stream's own valid.
    """

    def __init__(self, board: Scoreboard):
        self._board = board
        self._landing = board.config.write_landing > 0
        self.reset()

    def reset(self) -> None:
        """Whose turn it is after a reset is open."""
        self._last_user = ""
        self._owed: set[int] = set()  # banks of what a landing row held back in the last cycle
        self._x_waited = False
        self.slot = False  # no write takes the array

    def expected(self, offers: dict[str, Offer], stalled: bool) -> dict[str, bool | None]:
        """The rule for x, w and r while they show ``offers`` and results stall or do not."""
        w_ready = self._row_rule(offers["w"].bank, stalled)
        landing = offers["w"] if self._landing and offers["w"].valid and w_ready else None
        x, r = offers["x"], offers["r"]
        return {
            "x": self._array_rule("x", x, r, landing, stalled),
            "w": w_ready,
            "r": self._array_rule("r", r, x, landing, stalled),
        }

    def _free(self, stalled: bool) -> bool:
        """Whether a pass may begin after this cycle."""
        left = self._board.planes_left
        return left == 0 or (left == 1 and not stalled)

    def _row_rule(self, bank: int, stalled: bool) -> bool | None:
        board = self._board
        if self._owed:
            return False if bank in self._owed else None
        if not board.planes_left or bank != board.active_bank or bank >= board.config.banks:
            return True
        if not self._free(stalled):
            return False
        return None if board.reading and self._x_waited else True

    def _array_rule(
        self, stream: str, own: Offer, rival: Offer, landing: Offer | None, stalled: bool
    ) -> bool | None:
        def held(offer: Offer) -> bool:
            exists = offer.bank < self._board.config.banks
            return landing is not None and exists and offer.bank == landing.bank

        if not self._free(stalled) or held(own):
            return False
        if not rival.valid:
            return True
        if held(rival) or not self._last_user:
            return None
        return self._last_user != stream

    def end_cycle(self, offers: dict[str, Offer], ready: dict[str, bool], stalled: bool) -> None:
        """Account for a cycle, before the beats accepted in it reach the board."""
        fired = {stream: offers[stream].valid and ready[stream] for stream in "xwr"}
        self._x_waited = offers["x"].valid and not ready["x"]
        held = set()
        if self._landing and fired["w"] and self._free(stalled):
            row = offers["w"].bank
            held = {row for s in "xr" if offers[s].valid and offers[s].bank == row}
        self._owed = {bank for bank in held if bank < self._board.config.banks}
        for stream in "xr":
            if fired[stream]:
                self._last_user = stream
