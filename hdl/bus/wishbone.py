"""Wishbone slave: registers and windows in front of a macro's streams."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value

from cimforge.hdl.bus.commands import Command
from cimforge.hdl.bus.registers import STATUS_BITS, TAG_BITS, WORD_BITS, RegisterMap, Window
from cimforge.hdl.bus.signatures import slave_members, stream_members
from cimforge.hdl.macro.streams import SINKS, SOURCES
from cimforge.hdl.netlist.block import Block, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["WishboneSlave"]

FULL_SELECT = 0b1111
ANSWER = {"x": "y", "r": "q"}  # the stream on which a beat is answered


class _Access(NamedTuple):
    """The request on the bus: ``commit`` is high where it is a legal write, which takes effect at
    the end of the cycle; the decoders drive ``legal`` and ``data``."""

    request: Signal
    whole: Signal
    legal: Signal
    commit: Signal
    data: Signal


class WishboneSlave(Block):
    """Registers and windows of one macro behind a Wishbone B4 slave (standard cycles, 32 bits).

    The map is RegisterMap's. Every access is answered in the cycle after the request, with ack, or
    with err where it is unmapped, misaligned (address not a multiple of 4), partial (not all bytes
    selected), of the wrong direction, names a row or bank that does not exist, sets a command's
    reserved bits, or comes while its stream is not ready; then it changes nothing. Reads that end
    in err carry 0. So no access waits, whatever the macro does. Latency 1 cycle, one access in 2
    cycles; ``decided`` behind a register of the request, and in a cycle of its own, which keeps the
    master and the choice of legal accesses out of the path to what they write, 3 cycles and one in
    4.

    Bus and macro are apart: every output to the macro is a register's, every output to the bus is
    a register's (ack and err gated by cyc and stb). x, w and r each have one beat in waiting, held
    stable until the macro takes it. A result passes into a result register, clocked only when one
    arrives, from which the Y window reads: the next pass runs meanwhile, and one more result waits
    in the macro, taken in the cycle after the Y window's release; rows read back likewise. Tags
    count what was started and what came, so that software can tell whose result it reads. ``busy``
    is high from the command to the arrival of its result or row, or the write's acceptance.

    Reset (``rst``, or 1 written to control) drops all beats, results and tags, enables no
    interrupt, and resets the macro for a cycle; weights are kept. Source: Wishbone B4, 3.1.3.
    """

    role = "bus"
    has_reset = True

    def __init__(self, config: MacroConfig, kind: str = "wishbone", decided: bool = False):
        self._config, self._decided = config, decided
        self.latency = 3 if decided else 1
        self._map = RegisterMap(config)
        ports = {**slave_members(config), "macro_rst": Out(1), **stream_members(config)}
        super().__init__(config.module, kind, ports)
        kept = ("adr", "dat_w", "we", "sel") if decided else ()
        self._seen = {
            name: Signal(len(getattr(self.wb, name)), name=f"{name}_q", reset_less=True)
            for name in kept
        }

    def elaborate(self, platform):
        m = Module()
        reset_q = Signal()  # a reset through control, in the cycle after its write
        m.d.comb += self.macro_rst.eq(ResetSignal() | reset_q)
        access = self._build_access(m)
        held = {stream: Signal(name=f"{stream}_held_q") for stream in SOURCES}
        full = {stream: Signal(name=f"{stream}_full_q") for stream in SINKS}
        commands = self._build_commands(m, access, held, full)

        tags = self._build_tags(m, commands, full, reset_q)
        for stream in SOURCES:
            self._build_source(m, stream, held[stream], commands[f"{stream}_start"], reset_q)
        kept = {
            stream: self._build_sink(m, stream, full[stream], commands[f"{stream}_next"], reset_q)
            for stream in SINKS
        }
        self._build_windows(m, access)

        states = Cat(*(~held[stream] for stream in SOURCES), *(full[stream] for stream in SINKS))
        enable_q = Signal(len(STATUS_BITS))
        with m.If(access.commit & self._addresses("irq_enable")):
            m.d.sync += enable_q.eq(self._asked("dat_w"))
        with m.If(reset_q):
            m.d.sync += enable_q.eq(0)
        m.d.sync += reset_q.eq(access.commit & self._addresses("control") & self._asked("dat_w")[0])
        m.d.comb += self.irq.eq((states & enable_q).any())
        under_way = [tags[stream] != tags[answer] for stream, answer in ANSWER.items()]
        m.d.comb += self.busy.eq(Cat(held["w"], *under_way).any())

        gap = Const(0, 8 - len(STATUS_BITS))
        status = Cat(states, gap, *(tags[stream] for stream in "xryq"))
        readable = {"status": status, "irq_enable": enable_q, "control": Const(0, 1)}
        with m.Switch(self._segment):
            with m.Case(0):
                self._decode_registers(m, access, commands, readable)
            for place, window in enumerate(self._map.windows(), 1):
                with m.Case(place):
                    if window.access == "wo":
                        self._decode_written(m, access, window, ~held[window.name])
                    else:
                        self._decode_read(m, access, window, full[window.name], kept[window.name])
        return m

    @property
    def _index(self) -> Value:
        """Word of the addressed segment."""
        return self._asked("adr")[2 : self._map.segment_bits]

    @property
    def _segment(self) -> Value:
        return self._asked("adr")[self._map.segment_bits :]

    def _addresses(self, register: str) -> Value:
        """Whether the address is that of a register."""
        word = self._map.register(register).offset // 4
        return (self._segment == 0) & (self._index == word)

    def _build_access(self, m: Module) -> _Access:
        """The request, and its answer a cycle later."""
        request = Signal()  # one a line: Amaranth takes a signal's name from its assignment
        whole = Signal()
        legal = Signal()
        commit = Signal()
        data = Signal(WORD_BITS)
        access = _Access(request, whole, legal, commit, data)
        ack_q = Signal()
        err_q = Signal()
        answered = self.wb.cyc & self.wb.stb
        allowed, denied = request & whole & legal, request & ~(whole & legal)
        if self._decided:
            allowed, denied = self._build_decision(m, request, whole & legal)
        read = allowed & ~self._asked("we")
        m.d.comb += [
            request.eq(answered & ~ack_q & ~err_q),
            whole.eq((self._asked("adr")[:2] == 0) & (self._asked("sel") == FULL_SELECT)),
            commit.eq(allowed & self._asked("we")),
            self.wb.ack.eq(ack_q & answered),
            self.wb.err.eq(err_q & answered),
        ]
        m.d.sync += [
            ack_q.eq(allowed),
            err_q.eq(denied),
            self.wb.dat_r.eq(data & read.replicate(WORD_BITS)),
        ]
        return access

    def _build_decision(self, m: Module, request: Value, right: Value) -> tuple[Value, Value]:
        """Whether a request is granted or refused, two cycles later: what is legal stays so until
        an access changes it, and a master holds its request until it is answered."""
        seen, asked = Signal(name="seen_q"), Signal(name="asked_q")
        right_q = Signal(name="right_q", reset_less=True)
        m.d.sync += [seen.eq(request & ~seen & ~asked), asked.eq(seen), right_q.eq(right)]
        for name, kept in self._seen.items():
            m.d.sync += kept.eq(getattr(self.wb, name))
        holds = asked & self.wb.cyc & self.wb.stb
        return holds & right_q, holds & ~right_q

    def _asked(self, name: str) -> Value:
        """What the request says: as the bus shows it, or as it was a cycle before."""
        return self._seen.get(name, getattr(self.wb, name))

    def _build_commands(
        self, m: Module, access: _Access, held: dict[str, Signal], full: dict[str, Signal]
    ) -> dict[str, Command]:
        """The start of each stream that is fed, and the release of each that is taken."""
        ready = {f"{stream}_start": ~held[stream] for stream in SOURCES}
        ready |= {f"{stream}_next": full[stream] for stream in SINKS}
        commands = {}
        for name, may in ready.items():
            given = Signal(name=f"{name}_given")
            m.d.comb += given.eq(access.commit & self._addresses(name))
            commands[name] = Command(self._map.register(name), may, given)
        return commands

    def _build_tags(
        self, m: Module, commands: dict[str, Command], full: dict[str, Signal], clear: Value
    ) -> dict[str, Signal]:
        """Counts of vectors and read-backs started (x, r) and of their answers come (y, q)."""
        counted = {stream: commands[f"{stream}_start"].given for stream in ANSWER}
        for stream in SINKS:
            counted[stream] = getattr(self, stream).valid & ~full[stream]
        tags = {}
        for stream, event in counted.items():
            tag_q = Signal(TAG_BITS, name=f"{stream}_tag_q")
            with m.If(event):
                m.d.sync += tag_q.eq(tag_q + 1)
            with m.If(clear):
                m.d.sync += tag_q.eq(0)
            tags[stream] = tag_q
        return tags

    def _build_source(
        self, m: Module, stream: str, held_q: Signal, start: Command, clear: Value
    ) -> None:
        """A beat of x, w or r in waiting: its command raises it, the macro takes it."""
        beat = getattr(self, stream)
        m.d.comb += beat.valid.eq(held_q)
        with m.If(start.given):
            m.d.sync += held_q.eq(1)
            for field in start.register.fields:
                value = field.of(self._asked("dat_w"))
                most = {"bits": self._config.input_bits, "rows": self._config.rows}
                if field.name in most:  # above means all, and the port is narrower
                    value = Mux(value <= most[field.name], value, 0)
                port = getattr(beat, field.name, None)  # none of one row or bank
                if port is not None:
                    m.d.sync += port.eq(value)
        with m.Elif(beat.ready):
            m.d.sync += held_q.eq(0)
        with m.If(clear):
            m.d.sync += held_q.eq(0)

    def _build_sink(
        self, m: Module, stream: str, full_q: Signal, release: Command, clear: Value
    ) -> Signal:
        """Result register of y or q; returns what it holds. On boards, whose link is slower than
        any macro, the macro holds its result itself, until it is released."""
        beat = getattr(self, stream)
        kept_q = Signal(len(beat.data), name=f"{stream}_kept_q", reset_less=True)
        if self._decided:
            m.d.comb += [beat.ready.eq(release.given), kept_q.eq(beat.data)]
        else:
            m.d.comb += beat.ready.eq(~full_q)
        with m.If(beat.valid & ~full_q):
            m.d.sync += full_q.eq(1)
            if not self._decided:
                m.d.sync += kept_q.eq(beat.data)
        with m.Elif(release.given):
            m.d.sync += full_q.eq(0)
        with m.If(clear):
            m.d.sync += full_q.eq(0)
        return kept_q

    def _build_windows(self, m: Module, access: _Access) -> None:
        """The X and W windows: payload of the next beat, written word by word."""
        for stream in "xw":
            port, window = getattr(self, stream).data, self._map.window(stream)
            kept_q = Signal(len(port), name=f"{stream}_data_q", reset_less=True)
            m.d.comb += port.eq(kept_q)
            here = self._segment == window.offset >> self._map.segment_bits
            for word in range(window.words):
                with m.If(access.commit & here & (self._index == word)):
                    part = kept_q[word * WORD_BITS : (word + 1) * WORD_BITS]
                    m.d.sync += part.eq(self._asked("dat_w"))

    def _decode_registers(
        self, m: Module, access: _Access, commands: dict[str, Command], readable: dict[str, Value]
    ) -> None:
        """What the registers carry, and which accesses of them are legal now."""
        with m.Switch(self._index):
            for register in self._map.registers():
                with m.Case(register.offset // 4):
                    if register.access == "wo":
                        legal = self._asked("we") & commands[register.name].legal(
                            self._asked("dat_w")
                        )
                    else:
                        legal = Const(1) if register.access == "rw" else ~self._asked("we")
                        constant = Const(register.constant, WORD_BITS)
                        m.d.comb += access.data.eq(readable.get(register.name, constant))
                    m.d.comb += access.legal.eq(legal)

    def _decode_written(self, m: Module, access: _Access, window: Window, free: Value) -> None:
        """Which accesses of the X or W window are legal: not while its beat waits."""
        m.d.comb += access.legal.eq(self._asked("we") & (self._index < window.words) & free)

    def _decode_read(
        self, m: Module, access: _Access, window: Window, full: Value, kept: Signal
    ) -> None:
        """What the Y or Q window carries, and which accesses of it are legal now."""
        m.d.comb += access.legal.eq(~self._asked("we") & (self._index < window.words) & full)
        with m.Switch(self._index):
            for word, value in enumerate(self._window_words(window.name, kept)):
                with m.Case(word):
                    m.d.comb += access.data.eq(value)

    def _window_words(self, stream: str, kept: Signal) -> list[Value]:
        """The words of the Y or Q window."""
        if stream == "q":
            return [kept[low : low + WORD_BITS] for low in range(0, len(kept), WORD_BITS)]
        parts = range(self._map.result_words)
        results = [
            kept[low : low + mode.y_bits].as_signed()
            for mode in self._config.modes
            for low in range(0, mode.y_width, mode.y_bits)
        ]
        # Still signed, so that a short last word is extended by its sign.
        return [result >> (part * WORD_BITS) for result in results for part in parts]
