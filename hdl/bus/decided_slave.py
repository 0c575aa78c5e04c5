"""Wishbone slave that decides on an access in a cycle of its own: for the clocks of boards."""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.bus.bus_slave import ALWAYS, FULL_SELECT, BusSlave
from cimforge.hdl.bus.commands import Command, legal_word
from cimforge.hdl.bus.registers import WORD_BITS, Window
from cimforge.hdl.params.config import MacroConfig

__all__ = ["DecidedSlave"]

GROUP_BITS = 2  # of a word's number: of four words one is chosen in two LUTs a bit


class _Stages(NamedTuple):
    """An access on its way. ``read`` and ``write`` are high in its second cycle, where it asks for
    all bytes of an aligned word; ``decided`` in its third, unless the master gave it up;
    ``answered_q`` in its fourth then. ``hits`` are what it may do, each high in its third cycle
    where it is right: it is an error where none is."""

    read: Signal
    write: Signal
    decided: Signal
    answered_q: Signal
    hits: list[Value]


class DecidedSlave(BusSlave[_Stages]):
    """A Wishbone slave as WishboneSlave, with the same map and answers, in cycles none of which is
    long.

    First cycle: the request is registered; what the master does to its address and word later does
    not matter. Second: it is decoded into a line for each word that is written and each four that
    are read, raised where the access is legal, and one of each four words is chosen. Third: it is
    decided, where cyc and stb are still high; ack or err, what a write does and the word read are
    registered. Latency 3 cycles, one access in 4. A write takes effect at the end of the cycle of
    its answer, a reset a cycle later. An access whose cyc or stb falls before it is decided changes
    nothing and gets no answer; what was decided is done.

    What is legal in the second cycle stays so until an access changes it. The macro holds its
    results itself until they are released, and the Y and Q windows read them there: boards have
    links slower than any macro.
    """

    latency = 3

    def __init__(self, config: MacroConfig, kind: str = "late_wishbone"):
        super().__init__(config, kind)
        self._seen = {
            name: Signal(len(getattr(self.wb, name)), name=f"{name}_q", reset_less=True)
            for name in ("adr", "dat_w", "we", "sel")
        }

    def _asked(self, name: str) -> Value:
        return self._seen[name]

    def _build_access(self, m: Module) -> _Stages:
        seen_q = Signal()  # one a line: Amaranth takes a signal's name from its assignment
        asked_q = Signal()
        read = Signal()
        write = Signal()
        decided = Signal()
        answered_q = Signal()
        offered, free = self.wb.cyc & self.wb.stb, ~(seen_q | asked_q)
        with m.If(free):
            m.d.sync += [kept.eq(getattr(self.wb, name)) for name, kept in self._seen.items()]
        m.d.sync += [
            seen_q.eq(offered & free & ~answered_q),
            asked_q.eq(seen_q & offered),
            answered_q.eq(decided),
        ]
        whole = (self._asked("adr")[:2] == 0) & (self._asked("sel") == FULL_SELECT)
        m.d.comb += [
            read.eq(seen_q & whole & ~self._asked("we")),
            write.eq(seen_q & whole & self._asked("we")),
            decided.eq(asked_q & offered),
        ]
        return _Stages(read, write, decided, answered_q, [])

    def _hit(self, m: Module, access: _Stages, name: str, raised: Value) -> Signal:
        """What an access may do, in its third cycle; ``raised`` in its second where it may."""
        hit_q = Signal(name=f"{name}_hit_q")
        m.d.sync += hit_q.eq(raised)
        return hit_q

    def _written(self, m: Module, access: _Stages, register: str, ready: Value = ALWAYS) -> Value:
        raised = access.write & self._addresses(register) & ready
        hit = self._hit(m, access, register, raised)
        given_q = Signal(name=f"{register}_given_q")
        right: Value = hit
        if (named := self._map.register(register)).access == "wo":
            fits_q = Signal(name=f"{register}_fits_q", reset_less=True)
            m.d.sync += fits_q.eq(Cat(*legal_word(named, self._asked("dat_w"))).all())
            right = hit & fits_q
        access.hits.append(right)
        m.d.sync += given_q.eq(right & access.decided)
        return given_q

    def _word_written(
        self, m: Module, access: _Stages, window: Window, word: int, ready: Value
    ) -> Value:
        name = f"{window.name}{word}"
        raised = access.write & self._in(window) & (self._index == word) & ready
        hit = self._hit(m, access, name, raised)
        access.hits.append(hit)
        given_q = Signal(name=f"{name}_given_q")
        m.d.sync += given_q.eq(hit & access.decided)
        return given_q

    def _build_sink(
        self, m: Module, stream: str, full_q: Signal, release: Command, clear: Value
    ) -> Signal:
        beat = getattr(self, stream)
        kept = Signal(len(beat.data), name=f"{stream}_kept")
        m.d.comb += [beat.ready.eq(release.given), kept.eq(beat.data)]
        with m.If(beat.valid & ~full_q):
            m.d.sync += full_q.eq(1)
        with m.Elif(release.given):
            m.d.sync += full_q.eq(0)
        with m.If(clear):
            m.d.sync += full_q.eq(0)
        return kept

    def _build_decoder(
        self,
        m: Module,
        access: _Stages,
        commands: dict[str, Command],
        readable: dict[str, Value],
        ready: dict[str, Value],
        kept: dict[str, Signal],
    ) -> None:
        """The answer: the words of all lines that are raised, which is one or none."""
        words = [
            value & hit.replicate(WORD_BITS)
            for name, may, place, items in self._readings(readable, ready, kept)
            for hit, value in self._choose(m, access, name, may & (self._segment == place), items)
        ]
        right = Signal()
        right_q = Signal()
        answer = access.answered_q & self.wb.cyc & self.wb.stb
        m.d.comb += [
            right.eq(Cat(*access.hits).any()),
            *(self.wb.ack.eq(answer & right_q), self.wb.err.eq(answer & ~right_q)),
        ]
        m.d.sync += [right_q.eq(right), self.wb.dat_r.eq(reduce(or_, words))]

    def _readings(
        self, readable: dict[str, Value], ready: dict[str, Value], kept: dict[str, Signal]
    ) -> Iterator[tuple[str, Value, int, Mapping[int, Value]]]:
        """What is read: its name, when it may be, its segment, its words by their numbers."""
        registers = {
            register.offset // 4: readable.get(register.name, Const(register.constant, WORD_BITS))
            for register in self._map.registers()
            if register.access != "wo"
        }
        yield "registers", ALWAYS, 0, registers
        for place, window in enumerate(self._map.windows(), 1):
            if window.access == "ro":
                words = self._window_words(window.name, kept[window.name])
                yield window.name, ready[window.name], place, dict(enumerate(words))

    def _choose(
        self, m: Module, access: _Stages, name: str, may: Value, words: Mapping[int, Value]
    ) -> Iterator[tuple[Signal, Signal]]:
        """Of each four words the line that says one is read, and which, in the third cycle."""
        low, high = self._index[:GROUP_BITS], self._index[GROUP_BITS:]
        for group in sorted({number >> GROUP_BITS for number in words}):
            members = {n: word for n, word in words.items() if n >> GROUP_BITS == group}
            numbers = [number & (1 << GROUP_BITS) - 1 for number in members]
            there = Cat(*(low == number for number in numbers)).any()
            raised = access.read & may & (high == group) & there
            hit = self._hit(m, access, f"{name}{group}", raised)
            access.hits.append(hit)
            chosen = Signal(WORD_BITS, name=f"{name}{group}_word", reset_less=True)
            domain = m.d.sync if len(members) > 1 else m.d.comb  # one alone waits for nothing
            *first, last = zip(numbers, members.values(), strict=True)
            domain += chosen.eq(last[1])
            with m.Switch(low):
                for number, word in first:
                    with m.Case(number):
                        domain += chosen.eq(word)
            yield hit, chosen
