"""What a master of memory promises from cycle to cycle, and what it still owes or is owed."""

from collections.abc import Callable
from typing import Any

from cocotb.triggers import FallingEdge

__all__ = ["WATCHES", "Axi4Watch", "WishboneWatch"]


class _Watch:
    """Lines of a bus by their names, looked at in every cycle."""

    def __init__(self, dut, prefix: str):
        self._dut, self._prefix = dut, prefix
        self.moved = 0  # words
        self._stood: dict[str, Any] = {}

    @property
    def open(self) -> int:
        """What is not over on the bus; 0: nothing."""
        raise NotImplementedError

    def _of(self, name: str) -> int:
        return int(getattr(self._dut, f"{self._prefix}_{name}").value)

    def _stands(self, what: str, offered: bool, taken: bool, told: tuple) -> None:
        """What was offered and not taken is offered still, unchanged."""
        due = self._stood.pop(what, None)
        assert due is None or (offered and due == told), f"{what} was {due}, is {told}"
        if offered and not taken:
            self._stood[what] = told

    async def run(self) -> None:
        """For ever."""
        while True:
            await FallingEdge(self._dut.clk)
            if int(self._dut.rst.value):
                self._stood.clear()
            else:
                self._look()

    def _look(self) -> None:
        raise NotImplementedError


class Axi4Watch(_Watch):
    """AR, AW and W stand until taken; ``open`` are bursts and words that are not over."""

    def __init__(self, dut):
        super().__init__(dut, "axi")
        self._reads: list[int] = []  # words left of each burst
        self._asked: list[int] = []  # words of each burst to write
        self._given: list[int] = []  # of those whose words have come, which may be before AW
        self._words = 0  # of the burst that comes
        self._answers = 0

    @property
    def open(self) -> int:
        """Bursts that are read, asked for on one channel alone, or not answered; and offers."""
        offers = sum(self._of(f"{channel}valid") for channel in ("ar", "aw", "w"))
        waits = len(self._reads) + len(self._asked) + len(self._given) + self._words
        return waits + self._answers + offers

    def _look(self) -> None:
        moves = {}
        fields = {"ar": ("addr", "len"), "aw": ("addr", "len"), "w": ("data", "strb", "last")}
        for channel, names in fields.items():
            offered, ready = self._of(f"{channel}valid"), self._of(f"{channel}ready")
            told = tuple(self._of(f"{channel}{name}") for name in names) if offered else ()
            self._stands(channel, bool(offered), bool(ready), told)
            moves[channel] = told if offered and ready else ()
        if moves["ar"]:
            self._reads.append(moves["ar"][1] + 1)
        if moves["aw"]:
            self._asked.append(moves["aw"][1] + 1)
        if moves["w"]:
            self._word(bool(moves["w"][2]))
        if self._asked and self._given:
            asked, given = self._asked.pop(0), self._given.pop(0)
            assert asked == given, f"{given} words of a burst of {asked}"
            self._answers += 1
        if self._of("rvalid") and self._of("rready"):
            self.moved += 1
            self._reads[0] -= 1
            assert (self._reads[0] == 0) == bool(self._of("rlast"))
            self._reads = [left for left in self._reads if left]
        if self._of("bvalid") and self._of("bready"):
            self._answers -= 1
            assert self._answers >= 0

    def _word(self, last: bool) -> None:
        self.moved += 1
        self._words += 1
        if last:
            self._given.append(self._words)
            self._words = 0


class WishboneWatch(_Watch):
    """A word stands until it is answered; ``open`` is whether a cycle is under way."""

    def __init__(self, dut):
        super().__init__(dut, "wbm")

    @property
    def open(self) -> int:
        """1 while cyc is high."""
        return self._of("cyc")

    def _look(self) -> None:
        offered = bool(self._of("cyc") and self._of("stb"))
        answered = bool(self._of("ack") or self._of("err"))
        assert not self._of("stb") or self._of("cyc"), "stb without cyc"
        names = ("adr", "we", "sel", "cti", *(["dat_w"] if self._of("we") else []))
        told = tuple(self._of(name) for name in names)
        self._stands("a word", offered, answered, told)
        self.moved += offered and answered


WATCHES: dict[str, Callable[..., Axi4Watch | WishboneWatch]] = {
    "axi4": Axi4Watch,
    "wishbone": WishboneWatch,
}
