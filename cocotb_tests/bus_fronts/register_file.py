"""Registers of a test behind a front end: some refuse, one at times, all answer when they like."""

from amaranth.hdl import Array, Const, Module, Mux, Signal

from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In

__all__ = ["ADDRESS_BITS", "DOOR", "FIXED", "LONGEST_WAIT", "PERIOD", "WORDS", "RegisterFile"]

ADDRESS_BITS = 7
WORDS = 8  # registers from address 0 on, written and read
FIXED = 32  # address of a word that is read only, and reads FIXED_WORD
FIXED_WORD = 0x46495845
DOOR = 36  # address of a register that refuses in the second half of every PERIOD cycles
PERIOD = 64
LONGEST_WAIT = 4  # cycles of an access, the one of its answer included
TAPS = 0b10111000  # of a shift register that takes all values but 0


class RegisterFile(Block):
    """Behind ``registers``: WORDS registers, a fixed word, a door; all else is refused.

    An access is answered in its first to fourth cycle, as a shift register has it; nothing depends
    on what came before. What it shows without an answer is no register's word.
    """

    role = "bus"
    has_reset = True

    def __init__(self, prefix: str):
        super().__init__(prefix, "file", {"registers": In(register_port(ADDRESS_BITS))})

    def elaborate(self, platform):
        m = Module()
        registers, random_q = self.registers, Signal(8, init=1)
        waited_q = Signal(range(LONGEST_WAIT))
        clock_q = Signal(range(PERIOD))
        m.d.sync += clock_q.eq(clock_q + 1)
        m.d.sync += random_q.eq((random_q >> 1) ^ (TAPS & random_q[0].replicate(8)))
        waits = registers.valid & ~registers.ready
        m.d.sync += waited_q.eq(Mux(waits, waited_q + 1, 0))

        words = Array(Signal(32, name=f"word{place}_q") for place in range(WORDS + 1))
        place = registers.address[2:]
        door, plain = registers.address == DOOR, registers.address < 4 * WORDS
        fixed = (registers.address == FIXED) & ~registers.write
        legal = (plain | fixed | (door & ~clock_q[-1])) & registers.strobe.all()
        shown = Mux(fixed, Const(FIXED_WORD, 32), words[Mux(door, WORDS, place[:3])])
        m.d.comb += [
            registers.ready.eq(random_q[0] | (waited_q == LONGEST_WAIT - 1)),
            registers.error.eq(Mux(waits, random_q[1], ~legal)),
            registers.data_r.eq(Mux(waits, random_q.replicate(4), shown)),
        ]
        with m.If(registers.valid & registers.ready & registers.write & legal):
            m.d.sync += words[Mux(door, WORDS, place[:3])].eq(registers.data_w)
        return m
