"""Wishbone front end of memory."""

from amaranth.hdl import Module, Mux, Signal

from cimforge.hdl.bus.bus_ports import wishbone_burst_bus
from cimforge.hdl.bus.stream_buffer import StreamBuffer
from cimforge.hdl.engine.seams import MEMORY_PAGE, memory_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["WishboneMaster"]

INCREMENTING = 0b010  # cycle types: a word of a burst that goes on, and a burst's last
END_OF_BURST = 0b111


class WishboneMaster(Block):
    """Bursts of whole words on a Wishbone B4 master with registered feedback.

    A request on ``memory`` becomes one linear incrementing burst on ``wb``: ``cti`` is 010, with
    the last word 111, ``bte`` 00; a slave that knows no bursts sees standard cycles. Addresses
    count bytes. One burst is under way at a time; where a read and a write wait, they take turns.
    Between bursts cyc is low for a cycle, so that an arbiter may change masters: a burst of n words
    takes n + 1 cycles of a slave that answers each word in its first cycle. err ends nothing: the
    word counts as answered, a word read carries ``error``, a write's ``write_done`` tells of any.

    stb falls only with an answer; while the engine has no word to give or no room, cyc stays and
    stb is low. Words read pass through two registers (StreamBuffer), words to write through logic
    alone. Latency 1 cycle from a request to cyc, 1 from a word's answer to ``read_data`` and from
    the last word's to ``write_done``; the next write waits until that is taken.

    Reset ends a burst at once. Raises ValueError for widths that make no bus. Source: Wishbone B4,
    chapter 4 (registered feedback bus cycles), 3.1.3.
    """

    role = "bus"
    has_reset = True
    latency = 1

    def __init__(self, prefix: str, address_bits: int, data_bits: int):
        self._data_bits = data_bits
        bus = wishbone_burst_bus(address_bits, data_bits)
        members = {"memory": In(memory_port(address_bits, data_bits)), "wb": Out(bus)}
        super().__init__(prefix, "wishbone_master", members)

    def elaborate(self, platform):
        m = Module()
        writing_q = Signal()
        last = Signal()
        ended = Signal()
        answered = Signal()
        address_q = Signal(len(self.wb.adr), reset_less=True)
        left_q = Signal(len(self.memory.read.beats), reset_less=True)
        m.submodules.words = words = StreamBuffer(data=self._data_bits, error=1, last=1)

        self._build_turns(m, writing_q, address_q, left_q, ended)
        wb, given = self.wb, self.memory.write_data
        m.d.comb += [
            wb.stb.eq(wb.cyc & Mux(writing_q, given.valid, words.given.ready)),
            answered.eq(wb.stb & (wb.ack | wb.err)),
            last.eq(~left_q.any()),
            ended.eq(answered & last),
            *(wb.we.eq(writing_q), wb.adr.eq(address_q), wb.bte.eq(0)),
            wb.cti.eq(Mux(last, END_OF_BURST, INCREMENTING)),
            wb.sel.eq(given.strobe | (~writing_q).replicate(len(wb.sel))),
            *(wb.dat_w.eq(given.data), given.ready.eq(answered & writing_q)),
            words.given.valid.eq(answered & ~writing_q),
            *(words.given.data.eq(wb.dat_r), words.given.error.eq(wb.err)),
            words.given.last.eq(last),
        ]
        step = self._data_bits // 8
        page = address_q[step.bit_length() - 1 : MEMORY_PAGE.bit_length() - 1]
        with m.If(answered):
            m.d.sync += [left_q.eq(left_q - 1), page.eq(page + 1)]
        self._build_read_data(m, words)
        self._build_write_done(m, answered & writing_q, ended)
        return m

    def _build_turns(
        self, m: Module, writing_q: Signal, address_q: Signal, left_q: Signal, ended: Signal
    ) -> None:
        """The burst under way, and whose turn is next where both wait."""
        read, write = self.memory.read, self.memory.write
        free = Signal()  # for the end of another write
        may_write = Signal()
        takes_read = Signal()
        takes_write = Signal()
        m.d.comb += [
            free.eq(~self.memory.write_done.valid | self.memory.write_done.ready),
            may_write.eq(write.valid & free),
            read.ready.eq(~self.wb.cyc & (writing_q | ~may_write)),  # the last was a write
            write.ready.eq(~self.wb.cyc & free & (~writing_q | ~read.valid)),
            takes_read.eq(read.valid & read.ready),
            takes_write.eq(write.valid & write.ready),
        ]
        with m.If(takes_read | takes_write):
            m.d.sync += [
                *(self.wb.cyc.eq(1), writing_q.eq(takes_write)),
                address_q.eq(Mux(takes_write, write.address, read.address)),
                left_q.eq(Mux(takes_write, write.beats, read.beats)),
            ]
        with m.Elif(ended):
            m.d.sync += self.wb.cyc.eq(0)

    def _build_read_data(self, m: Module, words: StreamBuffer) -> None:
        """Words read, to the engine."""
        taken, read = words.taken, self.memory.read_data
        m.d.comb += [
            *(read.valid.eq(taken.valid), taken.ready.eq(read.ready), read.data.eq(taken.data)),
            *(read.error.eq(taken.error), read.last.eq(taken.last)),
        ]

    def _build_write_done(self, m: Module, wrote: Signal, ended: Signal) -> None:
        """The answer to a burst that was written: it failed where any of its words did."""
        done = self.memory.write_done
        failed_q = Signal()
        with m.If(wrote & ended):
            m.d.sync += [done.valid.eq(1), done.error.eq(failed_q | self.wb.err), failed_q.eq(0)]
        with m.Else():
            with m.If(done.ready):
                m.d.sync += done.valid.eq(0)
            with m.If(wrote):
                m.d.sync += failed_q.eq(failed_q | self.wb.err)
