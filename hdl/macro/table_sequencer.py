"""Sequencer of a macro whose weights are in tables: planes from the held vector, entries that are
renewed, and the entry of no row."""

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import Member

from cimforge.hdl.macro.arbiter import Arbiter, equals, one_hot
from cimforge.hdl.macro.bank_entry import BankEntry, encoded
from cimforge.hdl.macro.entry_walk import place_of
from cimforge.hdl.macro.first_group import FirstGroup
from cimforge.hdl.macro.sequencer import Sequencer
from cimforge.hdl.macro.table_arbiter import TableArbiter
from cimforge.hdl.netlist.block import Out
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TableSequencer"]


class TableSequencer(Sequencer):
    """Control of one macro of tables: Sequencer's, but for what follows.

    Planes are selected from the vector that is held, a cycle later, by ``now`` (a line for each
    group of planes), in front of the registers of the tables' addresses. A read-back, or a slot,
    chooses rows of one group in their place: ``read_group`` and ``read_rows``, for each kind of
    tables. ``bank_select`` has a line for each bank, ``read_bank`` its number, each where tables
    take it.

    A row is written entry by entry: what a slot has read stands in the accumulators in the cycle
    ``renew``, and what columns make of it is written in the next one, to the entry ``write_rows``
    of ``write_group`` in bank ``write_lines`` (``write_bank`` its number). After a reset ``clear``
    is high for as many cycles as there are banks, in which nothing is ready: each bank's entry of
    no row becomes 0, in all groups.

    While the array is free it takes, and shows, whatever is offered, valid or not; its registers
    are enabled while it is idle, too. A missing row holds nothing back.
    """

    @staticmethod
    def _array_ports(config: MacroConfig) -> dict[str, Member]:
        base = Sequencer._array_ports(config)
        kept = ("load", "fill", "sign_plane", "marks", "enable", "capture", "sign_flips")
        ports = {name: base[name] for name in kept}
        ports |= {"load": Out(1), "now": Out(config.max_planes)}
        # of block RAM a number, and for LUT RAM lines; lines too where a number may be of no bank
        numbers = any(part.ram_block.banks for part in config.parts)
        lines = not all(part.ram_block.banks for part in config.parts)
        selects = lines or config.banks < 1 << config.bank_bits
        banks, bits = config.banks if config.banks > 1 else 0, config.bank_bits
        ports |= {"bank_select": Out(banks * selects), "read_bank": Out(bits * numbers)}
        ports |= {"clear": Out(1), "renew": Out(1)}
        ports |= {"write_lines": Out(banks * lines), "write_bank": Out(bits * numbers)}
        for number, part in enumerate(config.parts):
            groups, size = len(part.group_sizes), min(part.group, part.rows)
            ports |= {f"read_group{number}": Out(groups), f"read_rows{number}": Out(size)}
            ports |= {f"write_group{number}": Out(groups), f"write_rows{number}": Out(size)}
        return ports

    @property
    def _arbiter(self) -> type[Arbiter]:
        return TableArbiter

    @property
    def _stalled(self) -> Value:
        """In a reset too, which is none of the array's."""
        y, q = self._standing["y"], self._standing["q"]
        return (y & ~self.y.ready) | (q & ~self.q.ready)

    def _build_live(self, m: Module) -> Value:
        """Not in a reset, nor while the entries of no row are written."""
        banks = self._config.banks
        self._left = Signal(range(banks + 1), name="clear_left", init=banks)
        clearing = Signal(name="clearing", init=1)
        more = Signal(name="clears_more")  # than one bank: bit by bit, as linters want constants
        m.d.comb += more.eq(Cat(~self._left[0], self._left[1:]).any())
        with m.If(clearing):
            m.d.sync += [self._left.eq(self._left - 1), clearing.eq(more)]
        self._clears_more, self._clears_nothing = clearing & more, ~clearing | ~more
        keeps = Signal(name="keeps_entry")  # inverted lest Yosys share it, for columns are far away
        m.d.sync += keeps.eq(~self._clears_more)
        self._drive(m, clear=~keeps | ResetSignal())
        return ~clearing

    def _drive_enable(self, m: Module, tokens: list[data.View], enable: Value) -> None:
        """Of an idle array too: its addresses stand still, and what enables it waits for less."""
        self._drive(m, enable=enable)

    def _build_bank(self, m: Module, arbiter: Arbiter) -> Value:
        if self._config.banks == 1:
            return Const(1, 1)
        assert isinstance(arbiter, TableArbiter)
        bank = Signal(self._config.banks, reset_less=True)
        others = Mux(arbiter.wants, arbiter.bank, arbiter.banks["r"])
        with m.If(arbiter.free):
            m.d.sync += bank.eq(Mux(arbiter.x_turn, arbiter.banks["x"], others))
        return bank

    def _build_pass(self, m: Module, arbiter: Arbiter, token: data.View, enable: Value) -> None:
        """As Sequencer's; but where the array is free all that a pass needs is taken of whoever's
        turn it is, so that ``running`` alone waits for the readies."""
        assert isinstance(arbiter, TableArbiter)
        marks = getattr(self, "marks", None)
        first = FirstGroup(m, self._config, self.x.bits, self.x.signed, marks)
        running, restart = Signal(), Signal(reset_less=True)
        self._running = running
        signed, reading = Signal(reset_less=True), Signal(reset_less=True)
        planes = Signal(self._config.max_planes, name="now_q", reset_less=True)
        turn = arbiter.x_turn
        late = self._build_late(m, arbiter, first.line[0] & turn, enable)
        goes_on = running & enable & ~late
        with m.If(arbiter.begins):
            m.d.sync += running.eq(1)
        with m.Elif(arbiter.free | token.last):
            m.d.sync += running.eq(0)
        with m.If(arbiter.free):
            m.d.sync += [restart.eq(1), reading.eq(~turn), signed.eq(self.x.signed & turn)]
        with m.Elif(goes_on):
            m.d.sync += restart.eq(0)
        takes = self._build_taking(m, arbiter, token, planes, enable)
        with m.If(takes):
            m.d.sync += planes.eq(first.line & turn.replicate(len(planes)))
        with m.Elif(goes_on):
            m.d.sync += planes.eq(planes >> 1)
        for name, value in (("fill", first.fill), ("sign_plane", first.sign_plane)):
            kept = Signal(len(value), name=f"{name}_q", reset_less=True)
            with m.If(takes):
                m.d.sync += kept.eq(value & turn.replicate(len(value)))
            with m.Elif(goes_on):
                m.d.sync += kept.eq(0)
            self._drive(m, **{name: kept})
        self._drive(m, load=takes, now=planes)
        self._build_rows(m, arbiter, takes)
        m.d.comb += [
            token.valid.eq(running & ~late),
            token.restart.eq(restart),
            token.negate.eq(signed & restart),
            token.ending.eq((planes[0] | reading) & ~late),
            token.last.eq(running & token.ending & enable),
            token.read.eq(running & reading),
        ]

    def _is_running(self, token: data.View) -> Value:
        return self._running

    def _build_late(self, m: Module, arbiter: TableArbiter, short: Value, enable: Value) -> Value:
        """Whether the pass that runs has not begun: it is to take longer than it has planes."""
        return Const(0, 1)

    def _build_taking(
        self,
        m: Module,
        arbiter: TableArbiter,
        token: data.View,
        planes: Value,
        enable: Value,
    ) -> Value:
        """Whether what is offered is taken in this cycle, of a vector and what selects in it;
        ``planes`` has the line of the present group."""
        return arbiter.free

    def _build_rows(self, m: Module, arbiter: TableArbiter, takes: Value) -> None:
        """The rows that a read-back, or a slot, chooses of a group of each kind of tables."""
        row = getattr(self.r, "row", Const(0, 1))
        for number, (part, walk) in enumerate(zip(self._config.parts, arbiter.walks, strict=True)):
            offered, member = place_of(m, f"{part.storage}_r", row, part)
            group = Signal(len(offered), name=f"read_group{number}_q", reset_less=True)
            rows = Signal(len(member), name=f"read_rows{number}_q", reset_less=True)
            with m.If(takes):
                m.d.sync += group.eq(Mux(arbiter.wants, walk.group, offered))
                m.d.sync += rows.eq(Mux(arbiter.wants, walk.others, member))
                with m.If(arbiter.x_turn):
                    m.d.sync += rows.eq(0)
            lines = one_hot(m, f"read_line{number}", group, len(part.group_sizes))
            self._drive(m, **{f"read_group{number}": lines, f"read_rows{number}": rows})

    def _build_write(self, m: Module, arbiter: Arbiter, entry: BankEntry | None) -> None:
        """The lines of the entries that land, or of the entries of no row: registers, for tables
        are far away. A reset begins with the last bank's entries of no row."""
        assert isinstance(arbiter, TableArbiter)
        self._drive(m, capture=arbiter.takes_row, renew=arbiter.done)
        for number, walk in enumerate(arbiter.walks):
            rows = Signal(len(walk.member), name=f"write_rows{number}_q")
            with m.If(arbiter.done):
                m.d.sync += rows.eq(walk.landing | walk.member)
            count = len(self._config.parts[number].group_sizes)
            lines = one_hot(m, f"write_line{number}", walk.group, count, arbiter.done)
            groups = Signal(count, name=f"write_group{number}_q", init=(1 << count) - 1)
            m.d.sync += groups.eq(lines | self._clears_more.replicate(count))
            self._drive(m, **{f"write_group{number}": groups, f"write_rows{number}": rows})
        if self._config.banks > 1:
            last = self._config.banks - 1
            clears = Signal(last, name="clear_line")  # and of the last bank never: a reset's begin
            m.d.comb += clears.eq(Cat(equals(self._left, b + 2) for b in range(last)))
            line = Signal(last + 1, name="write_line")
            m.d.comb += line.eq(Mux(self._clears_more, Cat(clears, Const(0, 1)), arbiter.bank))
            number = encoded(line, self._config.bank_bits)
            for name, value, init in (("lines", line, 1 << last), ("bank", number, last)):
                if hasattr(self, f"write_{name}"):
                    kept = Signal(len(value), name=f"write_{name}_q", init=init)
                    m.d.sync += kept.eq(value)
                    self._drive(m, **{f"write_{name}": kept})

    def _drive_bank(self, m: Module, bank: Value) -> None:
        self._drive(m, bank_select=bank, read_bank=encoded(bank, self._config.bank_bits))
