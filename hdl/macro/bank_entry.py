"""Bank entry: when a word of every row is read, where weights are in RAMs."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from cimforge.hdl.params.config import MacroConfig

__all__ = ["BankEntry", "encoded"]


def encoded(lines: Value, bits: int) -> Value:
    """The number of the line that is high among ``lines``, ``bits`` wide; 0 where none is."""
    places = [[line for place, line in enumerate(lines) if place >> b & 1] for b in range(bits)]
    return Cat(reduce(or_, chosen, Const(0, 1)) for chosen in places)


class BankEntry:
    """What the output registers of the RAMs hold, and when they take another bank.

    ``read`` is high in the cycle of a pass's or read-back's first plane (``begins``) where its bank
    (one line each) is not the one held, or was written since (missing rows count): the words stand
    in the registers one enabled cycle later, together with the planes. A missing bank is never
    read; ``exists`` is low.
    """

    def __init__(self, m: Module, config: MacroConfig, begins: Value, bank: Value):
        self._m, self._config, self._bank = m, config, bank
        self.read, self.exists = Signal(name="read_words_now"), Signal(name="bank_exists_now")
        self._held = Signal(config.banks, name="held_bank")
        every = config.banks == 1 << config.bank_bits
        m.d.comb += self.exists.eq(Const(1) if every else bank.any())
        m.d.comb += self.read.eq(begins & self.exists & ~(self._held & bank).any())

    @property
    def number(self) -> Value:
        """The number of the bank of the pass under way."""
        return encoded(self._bank, self._config.bank_bits)

    def follow(self, lands: Value, bank: Value) -> None:
        """Keep ``held`` true: ``lands`` is high while a row of ``bank`` is written."""
        after = Mux(self.read, self._bank, self._held)
        self._m.d.sync += self._held.eq(after & ~(bank & lands.replicate(len(bank))))
