"""The entries of a group that a written row renews, in the order in which they are read and
written."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["EntryWalk", "group_bits", "place_of"]


def place_of(m: Module, name: str, row: Value, config: MacroConfig) -> tuple[Signal, Signal]:
    """The number of a row's group, and its place in it, a line each; no line of a missing row."""
    size = config.group
    number = Signal(group_bits(config), name=f"{name}_group")
    member = Signal(min(size, config.rows), name=f"{name}_member")
    with m.Switch(row):
        for each in range(config.rows):
            with m.Case(each):
                m.d.comb += [number.eq(each // size), member.eq(1 << each % size)]
    return number, member


def group_bits(config: MacroConfig) -> int:
    """Bits of a group's number, at least 1."""
    return max(1, unsigned_width(len(config.group_sizes) - 1))


class EntryWalk:
    """What a row that is accepted renews in tables of one kind: each entry with the row from the
    one without it. Rows are accepted while ``taken`` is high, and none goes on then.

    ``others`` is the choice of other rows of its group that the next slot reads, counting up from
    none to all of them, or on the fast path to all before it; ``landing`` the choice whose entry
    lands next, in the same order. Unless ``alone`` both stay at the last one, for tables of another
    kind may have more. ``group`` is the number of the row's group, ``member`` its line in it.
    """

    def __init__(
        self,
        m: Module,
        config: MacroConfig,
        row: Value,
        fill: Value,
        *,
        taken: Value,
        alone: bool,
    ):
        name = config.storage
        self._m, self._taken, self._alone = m, taken, alone
        group, member = place_of(m, f"{name}_w", row, config)
        self.exists = member.any()
        self.group = Signal(len(group), name=f"{name}_group_q", reset_less=True)
        self.member = Signal(len(member), name=f"{name}_member_q", reset_less=True)
        self._before = Signal(len(member), name=f"{name}_before_q", reset_less=True)
        self._one = Signal(name=f"{name}_one")
        self.others = Signal(len(member), name=f"{name}_others", reset_less=True)
        self.landing = Signal(len(member), name=f"{name}_landing", reset_less=True)
        every: Value = Const((1 << len(member)) - 1, len(member))
        last = config.group_sizes[-1]
        if last < len(member):
            is_last = group == len(config.group_sizes) - 1
            every = Mux(is_last, (1 << last) - 1, every)
        end = Signal(len(member), name=f"{name}_end")
        m.d.comb += [end.eq(Mux(fill, member - 1, every & ~member)), self._one.eq(end == 0)]
        with m.If(taken):
            m.d.sync += [self.group.eq(group), self.member.eq(member)]
            m.d.sync += self._before.eq(Cat(Const(0, 1), end[1:2] & ~member[0], end[2:]))

    def advance(self, slot: Value, done: Value) -> tuple[Value, Value]:
        """Go on to the next choice: in reading after a ``slot``, in landing when one is ``done``.
        Returns whether each is at its last, which a register knows: it was at the one before, which
        is without the lowest of the last's rows."""
        ends = []
        for choice, goes_on in ((self.others, slot), (self.landing, done)):
            end = Signal(name=f"{choice.name}_ends", reset_less=True)
            with self._m.If(self._taken):
                self._m.d.sync += [choice.eq(0), end.eq(self._one)]
            with self._m.Elif(goes_on if self._alone else goes_on & ~end):
                self._m.d.sync += choice.eq(((choice | self.member) + 1) & ~self.member)
                self._m.d.sync += end.eq(choice == self._before)
            ends.append(end)
        return ends[0], ends[1]
