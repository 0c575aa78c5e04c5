"""The entries of a group that a written row renews, in the order in which they are read and
written."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.params.config import MacroConfig

__all__ = ["EntryWalk", "place_of"]


def place_of(m: Module, name: str, row: Value, config: MacroConfig) -> tuple[Signal, Signal]:
    """The group of a row, a line each, and its place in it, a line each; none of a missing row."""
    size = config.group
    groups = Signal(len(config.group_sizes), name=f"{name}_group")
    member = Signal(min(size, config.rows), name=f"{name}_member")
    lines = [row == number for number in range(config.rows)]
    m.d.comb += groups.eq(Cat(_any(lines[low : low + size]) for low in range(0, len(lines), size)))
    m.d.comb += member.eq(Cat(_any(lines[place::size]) for place in range(len(member))))
    return groups, member


def _any(lines: list[Value]) -> Value:
    return reduce(or_, lines)


class EntryWalk:
    """What a row that is accepted renews in tables of one kind: each entry with the row from the
    one without it.

    ``others`` is the choice of other rows of its group that the next slot reads, counting up from
    none to all of them, or on the fast path to all before it; ``landing`` the choice whose entry
    lands next, in the same order. Both stay at the last one, where tables of another kind have
    more. ``groups`` and ``member`` are the row's lines.
    """

    def __init__(self, m: Module, config: MacroConfig, row: Value, fill: Value, accepted: Value):
        name = config.storage
        self._m = m
        groups, member = place_of(m, f"{name}_w", row, config)
        self.exists = groups.any()
        self.groups = Signal(len(groups), name=f"{name}_group_q", reset_less=True)
        self.member = Signal(len(member), name=f"{name}_member_q", reset_less=True)
        self._end = Signal(len(member), name=f"{name}_end_q", reset_less=True)
        self.others = Signal(len(member), name=f"{name}_others", reset_less=True)
        self.landing = Signal(len(member), name=f"{name}_landing", reset_less=True)
        every: Value = Const((1 << len(member)) - 1, len(member))
        last = config.group_sizes[-1]
        if last < len(member):
            every = Mux(groups[-1], (1 << last) - 1, every)
        with m.If(accepted):
            m.d.sync += [self.groups.eq(groups), self.member.eq(member)]
            m.d.sync += [self._end.eq(Mux(fill, member - 1, every & ~member))]
            m.d.sync += [self.others.eq(0), self.landing.eq(0)]

    def advance(self, slot: Value, done: Value) -> tuple[Value, Value]:
        """Go on to the next choice: in reading after a ``slot``, in landing when one is ``done``.
        Returns whether each is at its last."""
        ends = []
        for choice, goes_on in ((self.others, slot), (self.landing, done)):
            end = Signal(name=f"{choice.name}_ends")
            self._m.d.comb += end.eq(choice == self._end)
            with self._m.If(goes_on & ~end):
                self._m.d.sync += choice.eq(((choice | self.member) + 1) & ~self.member)
            ends.append(end)
        return ends[0], ends[1]
