"""Who may move now: the order of passes, read-backs and writes."""

from math import ceil

from amaranth.hdl import Cat, Const, Module, Signal, Value

from cimforge.hdl.params.config import MacroConfig

__all__ = ["Arbiter", "below", "equals", "one_hot"]


def one_hot(m: Module, name: str, index: Value, count: int, enable: Value | None = None) -> Signal:
    """The signal ``name``: ``count`` bits with bit ``index`` set; none where index >= count, or
    while ``enable`` is low.

    A gate a line: the halves of the index are decoded first, and one of them is enabled.
    """
    lines = Signal(count, name=name)
    enable = Const(1, 1) if enable is None else enable
    if count == 1:
        m.d.comb += lines.eq(enable)
        return lines
    half = len(index) // 2
    low = Signal(1 << half, name=f"{name}_low")
    high = Signal(ceil(count / len(low)), name=f"{name}_high")
    m.d.comb += low.eq(_decoded(index[:half]))
    m.d.comb += high.eq(_decoded(index[half:])[: len(high)] & enable.replicate(len(high)))
    m.d.comb += lines.eq(Cat(low & line.replicate(len(low)) for line in high)[:count])
    return lines


def below(m: Module, name: str, number: Value, count: int) -> Signal:
    """The signal ``name``: ``count`` bits, those below ``number`` set, which has just the bits to
    hold ``count``.

    A gate a line and halving: the lines of the number's low bits stand in the lower or the upper
    half, as its top bit says, and below the upper half all are set.
    """
    lines = Signal(count, name=name)
    if len(number) == 1:
        m.d.comb += lines.eq(number)
        return lines
    half, top = 1 << len(number) - 1, number[-1]
    low = below(m, f"{name}_low", number[:-1], half - 1)
    upper = Cat(top, low & top.replicate(len(low)))  # lines half - 1 and up: above top's half
    m.d.comb += lines.eq(Cat(low | top.replicate(len(low)), upper)[:count])
    return lines


def equals(value: Value, number: int) -> Value:
    """Whether a value is this number, bit by bit: Yosys would shorten a constant to compare with,
    and linters complain."""
    return Cat(bit if number >> i & 1 else ~bit for i, bit in enumerate(value)).all()


def _decoded(index: Value) -> Value:
    """A line for each value of ``index``."""
    count = 1 << len(index)
    return (Const(1, count) << index)[:count] if len(index) else Const(1, 1)


class Arbiter:
    """The readies of x, r and w. No ready depends on its own valid.

    The array is free for a vector or a read-back (``free``) while idle and in the last cycle of
    what runs. It is given:

    1. not to x or r while a row accepted in this very cycle still lands in the bank they name
       (styles with write_landing); in the next cycle no row is accepted, so that they go first;
    2. to x and r in turn where both wait.

    A row is accepted unless its bank runs; then in that pass's last cycle, so before the next pass,
    but not in a read-back's if a vector has waited for it: at most one row goes between two passes.
    With write_cycles above 1 the stream then pauses for as many cycles, in which the row holds back
    x and r of its bank as in the cycle that accepted it.

    Where writes and reads share a port (``row_waits``, given in the cycle in which an accepted row
    waits for a read), nothing is accepted in that cycle: the row goes in the next.

    ``x_turn`` is high in a cycle that accepts a vector and low in one that begins a read-back,
    else either; it waits for no bank, so that planes are selected before it is known who fires.
    """

    def __init__(self, m: Module, config: MacroConfig, x, r, w, live: Value, free: Value):
        self._m, self._config = m, config
        self._x, self._r, self._w, self._live, self._free = x, r, w, live, free
        self.row_waits = Signal(name="row_waits") if config.shared_port else None
        self.banks = {}
        for name, stream in (("x", x), ("r", r), ("w", w)):
            bank = getattr(stream, "bank", Const(0, 1))
            self.banks[name] = one_hot(m, f"{name}_bank_line", bank, config.banks)
        self.x_fire, self.r_fire, self.w_fire = (Signal(name=f"{s}_fire") for s in "xrw")
        for fire, stream in ((self.x_fire, x), (self.r_fire, r), (self.w_fire, w)):
            m.d.comb += fire.eq(stream.valid & stream.ready)
        self.x_turn = Signal(name="x_turn")

    def grant(self, running: Value, bank: Value, last: Value, reading: Value) -> None:
        """Drive the readies, from what runs: its bank, whether this is its last cycle, and whether
        it is a read-back."""
        m, x, r = self._m, self._x, self._r
        if self.row_waits is not None:
            self._free = self._free & ~self.row_waits
            self._live = self._live & ~self.row_waits
        paused = self._build_pause()
        x_lands, r_lands, landed = self._build_landing(paused)
        x_first = Signal()
        with m.If(self.x_fire | self.r_fire):
            m.d.sync += x_first.eq(self.r_fire)
        m.d.comb += self.x_turn.eq(~r.valid | (x.valid & x_first))
        m.d.comb += x.ready.eq(self._free & ~x_lands & ~(r.valid & ~x_first))
        m.d.comb += r.ready.eq(self._free & ~r_lands & ~(x.valid & x_first))

        x_waited = Signal()
        m.d.sync += x_waited.eq(x.valid & ~x.ready)
        same_bank = (self.banks["w"] & bank).any()
        before_next = last & ~(reading & x_waited)
        blocked = running & same_bank & ~before_next
        m.d.comb += self._w.ready.eq(self._live & ~landed & ~blocked & ~paused)

    def _build_landing(self, paused: Value) -> tuple[Value, Value, Value]:
        """Whether a row accepted now holds x back, and r; whether one did so in the cycle
        before."""
        if self._config.write_landing == 0:
            return Const(0), Const(0), Const(0)
        m, lands = self._m, {name: Signal(name=f"{name}_lands") for name in "xr"}
        late = self._config.storage_traits.write_cycles > 1
        if late:
            paused_bank = Signal(self._config.banks, name="paused_bank", reset_less=True)
            with m.If(self.w_fire):
                m.d.sync += paused_bank.eq(self.banks["w"])
        for name, line in lands.items():
            held = self.w_fire & (self.banks[name] & self.banks["w"]).any()
            if late:
                held |= paused & (self.banks[name] & paused_bank).any()
            m.d.comb += line.eq(held)
        waits = (lands["x"] & self._x.valid) | (lands["r"] & self._r.valid)
        landed = Signal()
        goes_first = self._free & waits
        if self.row_waits is not None:
            goes_first |= landed & self.row_waits
        m.d.sync += landed.eq(goes_first)
        return lands["x"], lands["r"], landed

    def _build_pause(self) -> Value:
        """Whether an earlier row still occupies the write stream."""
        cycles = self._config.storage_traits.write_cycles
        if cycles == 1:
            return Const(0)
        left = Signal(range(cycles))
        with self._m.If(self.w_fire):
            self._m.d.sync += left.eq(cycles - 1)
        with self._m.Elif(left != 0):
            self._m.d.sync += left.eq(left - 1)
        return left != 0
