"""Wishbone slave that decides on an access in a cycle of its own: for the clocks of boards."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, ResetSignal, Signal, Value

from cimforge.hdl.bus.bus_slave import ALWAYS, FULL_SELECT, BusSlave
from cimforge.hdl.bus.commands import Command, legal_word
from cimforge.hdl.bus.registers import WORD_BITS, Window
from cimforge.hdl.params.config import MacroConfig

__all__ = ["DecidedSlave"]


class _Stages(NamedTuple):
    """An access on its way. ``read`` and ``write`` are high in its second cycle, where it asks for
    all bytes of an aligned word; ``decided`` in its third and ``answer`` in its fourth, unless the
    master gave it up. ``hits`` are what it may do, each high in its third cycle where it is right:
    it is an error where none is."""

    read: Signal
    write: Signal
    decided: Signal
    answer: Signal
    hits: list[Value]


class DecidedSlave(BusSlave[_Stages]):
    """Registers and windows of one macro behind a Wishbone B4 slave, for fast clocks: an access
    takes several short cycles.

    Map and answers are WishboneSlave's. First cycle: the request is registered; what the master
    does to its address and word later does not matter. Second: it is decoded into one line for each
    word that is read or written, raised where that is legal. Third: it is decided, where cyc and
    stb are still high; ack or err, what a write does and the word read are registered. Latency 3
    cycles, one access in 4. A write takes effect at the end of the cycle of its answer, a reset a
    cycle later. An access whose cyc or stb falls before it is decided changes nothing and gets no
    answer; what was decided is done. ``rst`` resets the macro in the cycle behind, from a register.

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

    def _build_reset(self, m: Module) -> Signal:
        reset_q = Signal(init=1)  # by rst, too: a board makes that of a counter
        m.d.comb += self.macro_rst.eq(reset_q)
        return reset_q

    def _build_access(self, m: Module) -> _Stages:
        offered = Signal()  # one a line: Amaranth takes a signal's name from its assignment
        seen_q = Signal()
        asked_q = Signal()
        answered_q = Signal()
        whole = Signal()
        read = Signal()
        write = Signal()
        decided = Signal()
        answer = Signal()
        access = _Stages(read, write, decided, answer, hits=[])
        free = ~(seen_q | asked_q)
        for name, kept in self._seen.items():  # of the request; its word until it is written
            with m.If(free if name == "dat_w" else ALWAYS):
                m.d.sync += kept.eq(getattr(self.wb, name))
        m.d.sync += [
            seen_q.eq(offered & free & ~answered_q),
            asked_q.eq(seen_q & offered),
            answered_q.eq(access.decided),
        ]
        m.d.comb += [
            offered.eq(self.wb.cyc & self.wb.stb),
            whole.eq((self._asked("adr")[:2] == 0) & (self._asked("sel") == FULL_SELECT)),
            access.read.eq(seen_q & whole & ~self._asked("we")),
            access.write.eq(seen_q & whole & self._asked("we")),
            access.decided.eq(asked_q & offered & ~ResetSignal()),
            access.answer.eq(answered_q & offered),
        ]
        return access

    def _hit(self, m: Module, access: _Stages, name: str, raised: Value) -> Signal:
        """What an access may do, in its third cycle; ``raised`` in its second where it may."""
        hit_q = Signal(name=f"{name}_hit_q", reset_less=True)
        m.d.sync += hit_q.eq(raised)
        return hit_q

    def _written(self, m: Module, access: _Stages, register: str, ready: Value = ALWAYS) -> Value:
        raised = access.write & self._addresses(register) & ready
        hit = self._hit(m, access, register, raised)
        given_q = Signal(name=f"{register}_given_q", reset_less=True)
        right: Value = hit
        named = self._map.register(register)
        if named.access == "wo" and named.fields:
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
        given_q = Signal(name=f"{name}_given_q", reset_less=True)
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
        """The answer. What is read is the OR of all words whose lines are raised: one or none."""
        words = []
        for name, raised, word in self._readings(readable, ready, kept):
            hit = self._hit(m, access, name, access.read & raised)
            access.hits.append(hit)
            extended = Signal(WORD_BITS, name=f"{name}_word")  # a short one by its sign
            m.d.comb += extended.eq(word)
            words.append(extended & hit.replicate(WORD_BITS))
        right_q = Signal(reset_less=True)
        answer = access.answer
        m.d.comb += [self.wb.ack.eq(answer & right_q), self.wb.err.eq(answer & ~right_q)]
        m.d.sync += [right_q.eq(Cat(*access.hits).any()), self.wb.dat_r.eq(reduce(or_, words))]

    def _readings(
        self, readable: dict[str, Value], ready: dict[str, Value], kept: dict[str, Signal]
    ) -> Iterator[tuple[str, Value, Value]]:
        """Each word that is read: its name, whether it is addressed and there, what it is."""
        for register in self._map.registers():
            if register.access != "wo":
                word = readable.get(register.name, Const(register.constant, WORD_BITS))
                yield f"{register.name}_read", self._addresses(register.name), word
        for window in self._map.windows():
            if window.access == "ro":
                there = self._in(window) & ready[window.name]
                for number, word in enumerate(self._window_words(window.name, kept[window.name])):
                    yield f"{window.name}{number}", there & (self._index == number), word
