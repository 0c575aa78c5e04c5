"""What the bus slaves have in common: registers, and what stands before a macro's streams."""

from abc import abstractmethod
from typing import Generic, TypeVar

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.bus.commands import Command
from cimforge.hdl.bus.registers import STATUS_BITS, TAG_BITS, WORD_BITS, RegisterMap, Window
from cimforge.hdl.bus.signatures import slave_members, stream_members
from cimforge.hdl.macro.streams import SINKS, SOURCES
from cimforge.hdl.netlist.block import Block, Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["ALWAYS", "FULL_SELECT", "BusSlave"]

ALWAYS = Const(1)
FULL_SELECT = 0b1111
ANSWER = {"x": "y", "r": "q"}  # the stream on which a beat is answered

Access = TypeVar("Access")


class BusSlave(Block, Generic[Access]):
    """A slave's beats, tags, interrupt and windows; its front end, which says what an access does
    and in which cycle, is the subclass's, and so is ``Access``, what it knows of the access on the
    bus.
    """

    role = "bus"
    has_reset = True

    def __init__(self, config: MacroConfig, kind: str):
        self._config, self._map = config, RegisterMap(config)
        ports = {**slave_members(config), "macro_rst": Out(1), **stream_members(config)}
        super().__init__(config.module, kind, ports)

    def elaborate(self, platform):
        m = Module()
        reset_q = self._build_reset(m)
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
        self._build_windows(m, access, held)

        states = Cat(*(~held[stream] for stream in SOURCES), *(full[stream] for stream in SINKS))
        enable_q = Signal(len(STATUS_BITS))
        with m.If(self._written(m, access, "irq_enable")):
            m.d.sync += enable_q.eq(self._asked("dat_w"))
        with m.If(reset_q):
            m.d.sync += enable_q.eq(0)
        m.d.sync += reset_q.eq(self._written(m, access, "control") & self._asked("dat_w")[0])
        m.d.comb += self.irq.eq((states & enable_q).any())
        under_way = [tags[stream] != tags[answer] for stream, answer in ANSWER.items()]
        m.d.comb += self.busy.eq(Cat(held["w"], *under_way).any())

        gap = Const(0, 8 - len(STATUS_BITS))
        status = Cat(states, gap, *(tags[stream] for stream in "xryq"))
        readable = {"status": status, "irq_enable": enable_q, "control": Const(0, 1)}
        ready = {stream: ~held[stream] for stream in "xw"} | full
        self._build_decoder(m, access, commands, readable, ready, kept)
        return m

    @abstractmethod
    def _build_reset(self, m: Module) -> Signal:
        """Reset of the macro; returns that through control, in the cycle after its write."""

    @abstractmethod
    def _build_access(self, m: Module) -> Access:
        """The front end."""

    @abstractmethod
    def _asked(self, name: str) -> Value:
        """What the request says of ``name``, in the cycle in which it is carried out."""

    @abstractmethod
    def _written(self, m: Module, access: Access, register: str, ready: Value = ALWAYS) -> Value:
        """High in the cycle in which a register is written, which is legal while ``ready``."""

    @abstractmethod
    def _word_written(
        self, m: Module, access: Access, window: Window, word: int, ready: Value
    ) -> Value:
        """High in the cycle in which a word of a window is written, legal while ``ready``."""

    @abstractmethod
    def _build_sink(
        self, m: Module, stream: str, full_q: Signal, release: Command, clear: Value
    ) -> Signal:
        """What holds a beat of y or q; ``full_q`` is high from its arrival to its release."""

    @abstractmethod
    def _build_decoder(
        self,
        m: Module,
        access: Access,
        commands: dict[str, Command],
        readable: dict[str, Value],
        ready: dict[str, Value],
        kept: dict[str, Signal],
    ) -> None:
        """Which accesses are legal, and what those that read carry."""

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

    def _in(self, window: Window) -> Value:
        """Whether the address is in the segment of a window."""
        return self._segment == window.offset >> self._map.segment_bits

    def _build_commands(
        self, m: Module, access: Access, held: dict[str, Signal], full: dict[str, Signal]
    ) -> dict[str, Command]:
        """The start of each stream that is fed, and the release of each that is taken."""
        ready = {f"{stream}_start": ~held[stream] for stream in SOURCES}
        ready |= {f"{stream}_next": full[stream] for stream in SINKS}
        commands = {}
        for name, may in ready.items():
            given = Signal(name=f"{name}_given")
            commands[name] = Command(self._map.register(name), may, given)
            m.d.comb += given.eq(self._written(m, access, name, may))
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

    def _build_windows(self, m: Module, access: Access, held: dict[str, Signal]) -> None:
        """The X and W windows: payload of the next beat, written word by word."""
        for stream in "xw":
            port, window = getattr(self, stream).data, self._map.window(stream)
            kept_q = Signal(len(port), name=f"{stream}_data_q", reset_less=True)
            m.d.comb += port.eq(kept_q)
            for word in range(window.words):
                with m.If(self._word_written(m, access, window, word, ~held[stream])):
                    part = kept_q[word * WORD_BITS : (word + 1) * WORD_BITS]
                    m.d.sync += part.eq(self._asked("dat_w"))

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
