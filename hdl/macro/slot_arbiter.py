"""Who may move now where a write reads the array: the slots of what it reads."""

from amaranth.hdl import Module, Mux, Signal, Value

from cimforge.hdl.macro.arbiter import Arbiter
from cimforge.hdl.params.config import MacroConfig

__all__ = ["SlotArbiter"]


class SlotArbiter(Arbiter):
    """The readies of x, r and w, and the slots in which writes read the array.

    A row that must read is *renewing* from the cycle after its acceptance on: it wants a ``slot``,
    a pass of one plane as a read-back's, or several, and what the last one read stands in the
    accumulators in the cycle ``done``. Meanwhile no row is accepted, and no vector or read-back of
    the row's bank; what is made of it lands in the cycle behind.

    The array, where free, is given to a row that wants a slot, but after one slot to a vector
    first, if one waits that may go; else as Arbiter gives it. What waited for a row to land goes
    before any further row of its bank. So at most one slot goes between two passes, and nobody
    starves.
    """

    def __init__(self, m: Module, config: MacroConfig, x, r, w, live: Value, free: Value):
        super().__init__(m, config, x, r, w, live, free)
        self.bank = Signal(config.banks, name="row_bank_q", reset_less=True)
        self.slot, self.done = Signal(name="slot"), Signal(name="slot_done")
        self.reads_array = Signal(name="reads_neighbour", reset_less=True)
        self._renewing, self.wants = Signal(name="renewing"), Signal(name="wants_slot")
        self._slot_used, self._x_waited = Signal(name="slot_used"), Signal(name="x_waited")
        self._owed = {name: Signal(config.banks, name=f"{name}_owed") for name in "xr"}

    @property
    def _under_way(self) -> Value:
        """Whether a row that was accepted has not landed."""
        return self._renewing

    def _build_writing(self) -> None:
        """What an accepted row has to wait for."""
        raise NotImplementedError

    def grant(self, running: Value, bank: Value, last: Value, reading: Value) -> None:
        """Drive the readies and ``slot``, from what runs (see Arbiter)."""
        m, x, r = self._m, self._x, self._r
        lands = {name: self._build_held_back(name, bank, reading) for name in "xr"}
        x_first = self._build_x_first(running, reading)
        r_turn = r.valid & ~x_first & ~self.wants
        m.d.comb += x.ready.eq(
            self._free & ~lands["x"] & ~(self.wants & ~self._slot_used) & ~r_turn
        )
        m.d.comb += r.ready.eq(self._free & ~lands["r"] & ~(x.valid & x_first) & ~self.wants)
        between = self._build_between()
        m.d.comb += self.slot.eq(self.wants & self._free & ~between)
        m.d.comb += self.x_turn.eq(Mux(self.wants, between, ~r.valid | (x.valid & x_first)))
        self._build_given(running, reading)
        owed = self._build_owed("x", lands["x"]) | self._build_owed("r", lands["r"])
        m.d.sync += self._x_waited.eq(x.valid & ~x.ready)
        before_next = last & ~(reading & self._x_waited)
        blocked = running & ~before_next & (self.banks["w"] & bank).any()
        busy = self._under_way | (self.banks["w"] & owed).any()
        m.d.comb += self._w.ready.eq(self._live & ~busy & ~blocked)
        self._build_writing()

    def _build_between(self) -> Value:
        """Whether a vector goes between two slots: while a row wants one none is accepted, so what
        holds x back is that row alone."""
        return self._slot_used & self._x.valid & ~(self.banks["x"] & self.bank).any()

    def _build_x_first(self, running: Value, reading: Value) -> Signal:
        """Whether a vector goes before a read-back, as one went last."""
        m, x_first = self._m, Signal()
        with m.If(self.x_fire | self.r_fire):
            m.d.sync += x_first.eq(self.r_fire)
        return x_first

    def _build_given(self, running: Value, reading: Value) -> None:
        """Keep whether a slot was given last, to the array and between vectors."""
        m = self._m
        with m.If(self.x_fire | self.slot):
            m.d.sync += self._slot_used.eq(self.slot)
        with m.If(self.x_fire | self.r_fire | self.slot):
            m.d.sync += self.reads_array.eq(self.slot)

    def _build_held_back(self, stream: str, bank: Value, reading: Value) -> Signal:
        """Whether a row that is accepted now, or under way, holds back what ``stream`` offers."""
        lands = Signal(name=f"{stream}_lands")
        accepted = self.w_fire & (self.banks[stream] & self.banks["w"]).any()
        under_way = self._under_way & (self.banks[stream] & self.bank).any()
        self._m.d.comb += lands.eq(accepted | under_way)
        return lands

    def _build_owed(self, stream: str, lands: Signal) -> Signal:
        """The line of the bank whose row held ``stream`` back, until that has gone."""
        offer, fire = (self._x, self.x_fire) if stream == "x" else (self._r, self.r_fire)
        owed = self._owed[stream]
        waits = offer.valid & ~fire & (lands | owed.any())
        self._m.d.sync += owed.eq(Mux(waits, self.banks[stream], 0))
        return owed
