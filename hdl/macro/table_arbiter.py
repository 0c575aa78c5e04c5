"""Who may move now where weights are in tables: a write reads an entry a slot and renews
others."""

from functools import reduce
from operator import and_

from amaranth.hdl import Const, Module, Mux, ResetSignal, Signal, Value

from cimforge.hdl.macro.entry_walk import EntryWalk
from cimforge.hdl.macro.slot_arbiter import SlotArbiter
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TableArbiter"]


class _Taken:
    """A stream as registers see it, which a reset empties whatever they take: its ``ready`` does
    not wait for the reset, which the port's does."""

    def __init__(self, m: Module, name: str, stream):
        self.valid, self.ready = stream.valid, Signal(name=f"{name}_may")
        self.bank = getattr(stream, "bank", Const(0, 1))
        m.d.comb += stream.ready.eq(self.ready & ~ResetSignal())


class TableArbiter(SlotArbiter):
    """The readies of x, r and w, and the slots in which writes read entries: one for each entry
    that a row renews (EntryWalk), of all kinds of tables at once. Whatever a slot has read stands
    in the accumulators in a cycle ``done``; its entry lands in the one behind."""

    def __init__(self, m: Module, config: MacroConfig, x, r, w, live: Value, free: Value):
        x, r = _Taken(m, "x", x), _Taken(m, "r", r)
        super().__init__(m, config, x, r, w, live & ~ResetSignal(), free)
        row = getattr(w, "row", Const(0, 1))
        if config.banks == 1:
            self.bank = Const(1, 1)
        # what is offered last is taken, so that nothing of it waits for w_ready; the row, which is
        # far away, by a register of its own, inverted lest Yosys share it
        self.takes_row = Signal(name="takes_row", init=1)
        self._accepted = Signal(name="row_accepted")
        self.begins, self.between = Signal(name="begins"), Signal(name="between")
        alone = len(config.parts) == 1
        self.walks = [
            EntryWalk(m, part, row, w.fill, taken=~self._renewing, alone=alone)
            for part in config.parts
        ]

    @property
    def free(self) -> Value:
        """Whether the array may be given to anyone."""
        return self._free

    def grant(self, running: Value, bank: Value, last: Value, reading: Value) -> None:
        """As SlotArbiter's; and ``begins``: a vector, a read-back or a slot is given the array. Who
        would go is known early; whether a row is accepted, which holds it back, comes last."""
        super().grant(running, bank, last, reading)
        turns = {"x": self._x.valid & self.x_turn, "r": self._r.valid & ~self.x_turn & ~self.wants}
        begins: Value = self.slot
        for stream, turn in turns.items():
            goes = self._free & turn & ~self._holds_back(stream)
            begins |= goes & ~(self._accepted & (self.banks[stream] & self.banks["w"]).any())
        owed = self._owed["x"] | self._owed["r"]
        blocked = reading & self._x_waited & (self.banks["w"] & bank).any()
        waits = self._under_way | (self.banks["w"] & owed).any() | blocked
        accepted = self._w.valid & self.walks[0].exists & ~waits
        self._m.d.comb += [self._accepted.eq(accepted), self.begins.eq(begins)]

    def _build_between(self) -> Value:
        self._m.d.comb += self.between.eq(super()._build_between())
        return self.between

    def _build_x_first(self, running: Value, reading: Value) -> Signal:
        """As SlotArbiter's; where the array rests behind who began, of what runs."""
        if not self._config.keeps_results:
            return super()._build_x_first(running, reading)
        x_first = Signal()
        with self._m.If(running & ~self.reads_array):
            self._m.d.sync += x_first.eq(reading)
        return x_first

    def _build_given(self, running: Value, reading: Value) -> None:
        """As SlotArbiter's; where the array rests behind a vector, of what runs, and of whoever may
        begin."""
        if not self._config.keeps_results:
            super()._build_given(running, reading)
            return
        with self._m.If(self.slot):
            self._m.d.sync += self._slot_used.eq(1)
        with self._m.Elif(running & ~reading):
            self._m.d.sync += self._slot_used.eq(0)
        with self._m.If(self._free):
            self._m.d.sync += self.reads_array.eq(self.wants & ~self.between)

    @property
    def may_begin(self) -> Value:
        """Whether a vector or a read-back is offered that no row under way holds back."""
        offered = (self._x.valid & ~self._holds_back("x"), self._r.valid & ~self._holds_back("r"))
        return offered[0] | offered[1]

    def _build_held_back(self, stream: str, bank: Value, reading: Value) -> Signal:
        """As SlotArbiter's where the array is free, and anything elsewhere, where nothing is ready;
        so it does not wait for w_ready. A row that is accepted holds back unless it is missing, and
        where the array is free it is unless one is under way, a turn is owed, or a read-back of its
        bank ends, for which a vector has waited."""
        lands = Signal(name=f"{stream}_lands")
        of_bank = (self.banks[stream] & self.banks["w"]).any()
        self._m.d.comb += lands.eq((self._accepted & of_bank) | self._holds_back(stream))
        return lands

    def _holds_back(self, stream: str) -> Value:
        """Whether the row under way is of the bank that ``stream`` offers."""
        return self._under_way & (self.banks[stream] & self.bank).any()

    def _build_owed(self, stream: str, lands: Signal) -> Signal:
        """As SlotArbiter's, a cycle later: no row is taken before, as one is under way."""
        offer, fire = (self._x, self.x_fire) if stream == "x" else (self._r, self.r_fire)
        owed = self._owed[stream]
        waits = offer.valid & (self._holds_back(stream) | (owed.any() & ~fire))
        self._m.d.sync += owed.eq(Mux(waits, self.banks[stream], 0))
        return owed

    def _build_writing(self) -> None:
        """What an accepted row has to wait for."""
        m = self._m
        ends = [walk.advance(self.slot, self.done) for walk in self.walks]
        read, landed = (reduce(and_, lines) for lines in zip(*ends, strict=True))
        if self._config.banks > 1:
            with m.If(~self._renewing):
                m.d.sync += self.bank.eq(self.banks["w"])
        stays = Signal(name="row_stays")
        m.d.comb += stays.eq(self._renewing & ~(self.done & landed))
        with m.If(self.w_fire & self.walks[0].exists & self.banks["w"].any()):
            m.d.comb += stays.eq(1)
            m.d.sync += self.wants.eq(1)
        with m.Elif(self.slot & read):
            m.d.sync += self.wants.eq(0)
        m.d.sync += [self._renewing.eq(stays), self.takes_row.eq(~stays)]
