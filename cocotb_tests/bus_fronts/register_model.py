"""What registers behind a front end must answer, where several accesses may be under way."""

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from cimforge.cocotb_tests.bus_fronts.register_file import (
    ADDRESS_BITS,
    DOOR,
    FIXED,
    FIXED_WORD,
    LONGEST_WAIT,
    PERIOD,
    WORDS,
)

__all__ = ["Access", "RegisterModel", "draw_access", "register_bins"]

FULL = 0xF
ENOUGH = PERIOD // 2 + LONGEST_WAIT  # patience, in cycles, with which the door is met open


@dataclass(eq=False)
class Access:
    """An access: a read where there is no ``data``. ``may_read`` are the words it may carry."""

    address: int
    data: int | None = None
    strobe: int = FULL
    may_read: set[int] = field(default_factory=set)

    @property
    def way(self) -> str:
        """read or write."""
        return "read" if self.data is None else "write"

    @property
    def kind(self) -> str:
        """What decides how it ends."""
        if self.address % 4:
            return "misaligned"
        if self.data is not None and self.strobe != FULL:
            return "partial"
        if self.address < 4 * WORDS:
            return "word"
        return {FIXED: "fixed", DOOR: "door"}.get(self.address, "unmapped")


def draw_access(rng: Random, partial_reads: bool) -> Access:
    """A random access, legal or not; reads of some bytes only where the bus has them."""
    word = 4 * rng.randrange(WORDS)
    unmapped = rng.randrange(DOOR + 4, 1 << ADDRESS_BITS, 4)
    anywhere = rng.randrange(1 << ADDRESS_BITS)
    address = rng.choice((word, word, word, word, FIXED, DOOR, unmapped, anywhere))
    data = rng.choice((None, rng.getrandbits(32)))
    some = rng.random() < 0.2 and (data is not None or partial_reads)
    return Access(address, data, rng.randrange(15) if some else FULL)


def register_bins(patience: int) -> dict[str, list]:
    """Coverage bins: every kind of access in both ways, with each end that it can have."""
    ends = {
        **{
            "word": {"read": ["ok"], "write": ["ok"]},
            "fixed": {"read": ["ok"], "write": ["error"]},
        },
        **{kind: {"read": ["error"], "write": ["error"]} for kind in ("unmapped", "misaligned")},
        **{"partial": {"write": ["error"]}},
        "door": dict.fromkeys(("read", "write"), ["ok"] if patience >= ENOUGH else ["ok", "error"]),
    }
    bins = [(k, way, end) for k, ways in ends.items() for way, told in ways.items() for end in told]
    return {"access": bins}


class RegisterModel:
    """Words of a RegisterFile. Writes take effect in order, each between its begin and its end, so
    a read may carry what was there when it began and all that was under way since."""

    def __init__(self, patience: int):
        self._waits_for_door = patience >= ENOUGH
        self.words: dict[int, int | None] = dict.fromkeys((*range(0, 4 * WORDS, 4), DOOR))
        self._writing: dict[int, list[Access]] = defaultdict(list)
        self._reading: list[Access] = []

    def begin(self, access: Access) -> None:
        """The access is asked for."""
        if access.data is None:
            known = self.words.get(access.address)
            access.may_read = {w.data or 0 for w in self._writing[access.address]}
            access.may_read |= {known} if known is not None else set()
            self._reading.append(access)
            return
        self._writing[access.address].append(access)
        for read in self._reading:
            if read.address == access.address and read.may_read:
                read.may_read.add(access.data)

    def end(self, access: Access, failed: bool, word: int) -> None:
        """The access ended so; AssertionError where it must not."""
        kind = access.kind
        if (kind in ("word", "fixed") and access.data is None) or kind == "word":
            assert not failed, f"{access} failed"
        elif kind != "door":
            assert failed, f"{access} was taken"
        elif self._waits_for_door:
            assert not failed, f"{access} was not waited for"
        if access.data is not None:
            self._writing[access.address].remove(access)
            if not failed:
                self.words[access.address] = access.data
            return
        self._reading.remove(access)
        if failed:
            assert word == 0, f"{access} failed and carries {word:#x}"
        elif kind == "fixed":
            assert word == FIXED_WORD, f"{access} reads {word:#x}"
        elif access.may_read:
            assert word in access.may_read, f"{access} reads {word:#x}"
