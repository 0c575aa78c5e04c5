"""Bursts of an engine, served from RAM word by word."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import Signature

from cimforge.fpga.cpu.memory_map import Region
from cimforge.hdl.engine.seams import BURST_BITS, memory_port
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import ADDRESS_BITS

__all__ = ["BurstServer", "fetch_port", "store_port"]


def fetch_port(word_bits: int) -> Signature:
    """Reads of a word by its number, as who asks sees them; the word comes a cycle later."""
    return beat_stream(address=word_bits)


def store_port(word_bits: int, data_bits: int) -> Signature:
    """Writes of a word's strobed bytes, as who asks sees them."""
    return beat_stream(address=word_bits, data=data_bits, strobe=data_bits // 8)


class BurstServer(Block):
    """An engine's memory_port, answered from RAM: each burst becomes words to ``fetch`` or to
    ``store``, a word a cycle where RAM takes one a cycle.

    Reads and writes run beside each other, each kind in the order of its requests; the next request
    is taken with the last word of the one before, so bursts follow without a pause. A word that is
    fetched comes two cycles after its request is taken at the earliest; one that the engine does
    not take at once is kept, and no further one is fetched meanwhile. A burst outside the RAM's
    region, which no burst leaves as regions are whole pages, moves nothing: each of its words has
    an error and reads 0, or its ``write_done`` has one.

    No ready depends on its own valid. Reset drops everything; an engine must be reset with it.
    """

    role = "bus"
    has_reset = True
    latency = 2

    def __init__(self, prefix: str, ram: Region, data_bits: int):
        self._ram = ram
        self._low = (data_bits // 8 - 1).bit_length()
        word_bits = ram.address_bits - self._low
        port = memory_port(ADDRESS_BITS, data_bits).members
        super().__init__(
            prefix,
            "bursts",
            {
                **{name: member.flip() for name, member in port.items()},
                **{"fetch": Out(fetch_port(word_bits)), "fetch_data": In(data_bits)},
                "store": Out(store_port(word_bits, data_bits)),
            },
        )

    def elaborate(self, platform):
        m = Module()
        self._build_read(m)
        self._build_write(m)
        return m

    def _outside(self, address: Value) -> Value:
        bits = self._ram.address_bits
        return address[bits:] != self._ram.base >> bits

    def _build_read(self, m: Module) -> None:
        """Words asked for as long as there is room for their answers."""
        asked, answer, fetch = self.read, self.read_data, self.fetch
        active, fails = Signal(name="reading"), Signal(name="read_fails")
        left = Signal(BURST_BITS, name="words_left")
        word = Signal(len(fetch.address), name="fetched_word", reset_less=True)
        room, step, last = Signal(), Signal(), Signal()
        arrives, kept = Signal(), Signal()
        m.d.comb += [
            last.eq(left == 0),
            room.eq(answer.ready | ~(arrives | kept)),
            step.eq(active & room & (fails | fetch.ready)),
            *(fetch.valid.eq(active & room & ~fails), fetch.address.eq(word)),
            asked.ready.eq(~active | (step & last)),
        ]
        with m.If(step):
            m.d.sync += [word.eq(word + 1), left.eq(left - 1), active.eq(~last)]
        with m.If(asked.valid & asked.ready):
            m.d.sync += [
                *(active.eq(1), left.eq(asked.beats), fails.eq(self._outside(asked.address))),
                word.eq(asked.address[self._low : self._ram.address_bits]),
            ]
        self._build_answer(m, arrives, kept, Mux(step, 1, 0), fails, last)

    def _build_answer(
        self, m: Module, arrives: Signal, kept: Signal, step: Value, fails: Signal, last: Signal
    ) -> None:
        """The word that RAM delivers in this cycle, or the one that waits."""
        answer = self.read_data
        error, ends = Signal(name="error_q"), Signal(name="last_q")
        data = Signal(len(answer.data), name="kept_data", reset_less=True)
        m.d.sync += arrives.eq(step)
        with m.If(step):
            m.d.sync += [error.eq(fails), ends.eq(last)]
        m.d.comb += [
            *(answer.valid.eq(arrives | kept), answer.error.eq(error), answer.last.eq(ends)),
            answer.data.eq(Mux(kept, data, Mux(error, 0, self.fetch_data))),
        ]
        with m.If(answer.valid):
            m.d.sync += [kept.eq(~answer.ready), data.eq(answer.data)]

    def _build_write(self, m: Module) -> None:
        """Words passed on while their burst is under way and its end can be told."""
        asked, words, store, done = self.write, self.write_data, self.store, self.write_done
        active, fails = Signal(name="writing"), Signal(name="write_fails")
        word = Signal(len(store.address), name="stored_word", reset_less=True)
        may, step = Signal(name="may_store"), Signal(name="stores")
        m.d.comb += [
            may.eq(active & (~done.valid | done.ready)),
            words.ready.eq(may & (fails | store.ready)),
            step.eq(words.valid & words.ready),
            *(store.valid.eq(words.valid & may & ~fails), store.address.eq(word)),
            *(store.data.eq(words.data), store.strobe.eq(words.strobe)),
            asked.ready.eq(~active | (step & words.last)),
        ]
        with m.If(step):
            m.d.sync += [word.eq(word + 1), active.eq(~words.last)]
        with m.If(asked.valid & asked.ready):
            m.d.sync += [
                *(active.eq(1), fails.eq(self._outside(asked.address))),
                word.eq(asked.address[self._low : self._ram.address_bits]),
            ]
        with m.If(step & words.last):
            m.d.sync += [done.valid.eq(1), done.error.eq(fails)]
        with m.Elif(done.ready):
            m.d.sync += done.valid.eq(0)
