"""Wishbone slave: registers and windows in front of a macro's streams."""

from typing import NamedTuple

from amaranth.hdl import Const, Module, ResetSignal, Signal, Value

from cimforge.hdl.bus.bus_slave import ALWAYS, FULL_SELECT, BusSlave
from cimforge.hdl.bus.commands import Command
from cimforge.hdl.bus.registers import WORD_BITS, Window
from cimforge.hdl.params.config import MacroConfig

__all__ = ["WishboneSlave"]


class _Access(NamedTuple):
    """The request on the bus: ``commit`` is high where it is a legal write, which takes effect at
    the end of the cycle; the decoders drive ``legal`` and ``data``."""

    request: Signal
    whole: Signal
    legal: Signal
    commit: Signal
    data: Signal


class WishboneSlave(BusSlave[_Access]):
    """Registers and windows of one macro behind a Wishbone B4 slave (standard cycles, 32 bits).

    The map is RegisterMap's. Every access is answered in the cycle after the request, with ack, or
    with err where it is unmapped, misaligned (address not a multiple of 4), partial (not all bytes
    selected), of the wrong direction, names a row or bank that does not exist, sets a command's
    reserved bits, or comes while its stream is not ready; then it changes nothing. Reads that end
    in err carry 0. So no access waits, whatever the macro does. Latency 1 cycle, one access in 2
    cycles. DecidedSlave does the same in more cycles, at a faster clock.

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

    latency = 1

    def __init__(self, config: MacroConfig, kind: str = "wishbone"):
        super().__init__(config, kind)

    def _build_reset(self, m: Module) -> Signal:
        reset_q = Signal()
        m.d.comb += self.macro_rst.eq(ResetSignal() | reset_q)
        return reset_q

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

    def _asked(self, name: str) -> Value:
        """What the request says of ``name``, in the cycle in which it is carried out."""
        return getattr(self.wb, name)

    def _written(self, m: Module, access: _Access, register: str, ready: Value = ALWAYS) -> Value:
        """High in the cycle in which a register is written, which is legal while ``ready``."""
        return access.commit & self._addresses(register)

    def _word_written(
        self, m: Module, access: _Access, window: Window, word: int, ready: Value
    ) -> Value:
        """High in the cycle in which a word of a window is written, legal while ``ready``."""
        return access.commit & self._in(window) & (self._index == word)

    def _build_sink(
        self, m: Module, stream: str, full_q: Signal, release: Command, clear: Value
    ) -> Signal:
        """Result register of y or q; returns what it holds."""
        beat = getattr(self, stream)
        kept_q = Signal(len(beat.data), name=f"{stream}_kept_q", reset_less=True)
        m.d.comb += beat.ready.eq(~full_q)
        with m.If(beat.valid & ~full_q):
            m.d.sync += [full_q.eq(1), kept_q.eq(beat.data)]
        with m.Elif(release.given):
            m.d.sync += full_q.eq(0)
        with m.If(clear):
            m.d.sync += full_q.eq(0)
        return kept_q

    def _build_decoder(
        self,
        m: Module,
        access: _Access,
        commands: dict[str, Command],
        readable: dict[str, Value],
        ready: dict[str, Value],
        kept: dict[str, Signal],
    ) -> None:
        """Which accesses are legal now, and what those that read carry."""
        with m.Switch(self._segment):
            with m.Case(0):
                self._decode_registers(m, access, commands, readable)
            for place, window in enumerate(self._map.windows(), 1):
                with m.Case(place):
                    may = ready[window.name]
                    if window.access == "wo":
                        self._decode_written(m, access, window, may)
                    else:
                        self._decode_read(m, access, window, may, kept[window.name])

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
