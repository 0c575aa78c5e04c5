"""Burst writer: runs of words to memory."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.fifo import SyncFIFOBuffered

from cimforge.hdl.engine.byte_packer import word_stream
from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.engine.seams import memory_port
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["REQUESTS", "UNANSWERED", "BurstWriter", "held_words"]

REQUESTS = 4  # bursts that are complete and not asked for yet
UNANSWERED = 15  # bursts that are asked for and not answered yet


def held_words(config: EngineConfig) -> int:
    """Words that are held back: two bursts, one that goes and one that comes; of short bursts what
    the way of a request takes."""
    return max(16, 2 * config.burst)


class _Held(NamedTuple):
    """The queue of words: ``room`` for one more, which is ``word`` where it is ``put``; the
    ``first`` of them where there is a ``next`` one to go, which it does where it is taken."""

    room: Signal
    put: Signal
    word: Signal
    next: Signal
    take: Signal
    first: Signal


class BurstWriter(Block):
    """Bursts of ``words`` whose numbers follow one another up to ``last``, of at most ``burst``
    words, none across a multiple of burst * bus_bytes bytes: so none crosses a page.

    A burst is asked for once all its words are held here, in a RAM of held_words: nothing that
    comes before can stall it, and memory never waits for a word. Its words are offered from the
    cycle after that in which its request is, whether memory has taken that or not (AXI forbids to
    wait for it). Up to UNANSWERED bursts are outstanding. ``failed`` is high from a ``write_done``
    with an error on until ``begins``; ``idle`` says that nothing is to be asked for or outstanding.

    Latency 2 cycles from a burst's last word to its request; rate a word a cycle, a burst a cycle.

    ``flush``: no burst is asked for but one that is offered already; words that are owed follow
    with strobe 0, but for one that is offered already, and ``idle`` says that all is answered. What
    was not asked for stays until reset, which must follow. Reset forgets what is outstanding, so it
    must reach memory, too.
    """

    role = "dma"
    has_reset = True
    latency = 2

    def __init__(self, config: EngineConfig):
        self._config = config
        bits = config.bus_bytes * 9 + 1  # data, strobe, and whether a burst ends
        words = held_words(config)
        ram = Ram(config.module, "burst_ram", self.role, words, lanes=1, lane_bits=bits)
        port = memory_port(ADDRESS_BITS, config.bus_bits).members
        super().__init__(
            config.module,
            "burst_writer",
            {
                **{"words": In(word_stream(config, final=False)), "begins": In(1), "flush": In(1)},
                **{name: port[name] for name in ("write", "write_data", "write_done")},
                **{"failed": Out(1), "idle": Out(1)},
            },
            {"ram": ram},
        )

    def elaborate(self, platform):
        m = Module()
        place = unsigned_width(self._config.burst - 1)  # bits of a word's place in a whole burst
        request = len(self.words.number) + place
        m.submodules.requests = requests = SyncFIFOBuffered(width=request, depth=REQUESTS + 1)
        held = self._build_held(m)
        self._build_bursts(m, held, requests, place)
        self._build_data(m, held, self._build_requests(m, requests, place))
        return m

    def _build_held(self, m: Module) -> _Held:
        """The queue of words: the RAM, and in the register at its output the next to go."""
        ram = next(child.module for child in self.children)
        held = _Held(
            Signal(name="held_room"),
            *(Signal(name="held_put"), Signal(ram.ports["write_data"].width, name="held_word")),
            *(Signal(name="held_next"), Signal(name="held_take")),
            Signal(ram.ports["read_data"].width, name="held_first"),
        )
        level = Signal(range(held_words(self._config) + 1), name="held_level")  # in the RAM
        places = unsigned_width(held_words(self._config) - 1)
        put, get = (Signal(places, name=f"held_{name}_place") for name in ("put", "get"))
        read = Signal(name="held_read")
        m.d.comb += [
            held.room.eq(level != held_words(self._config)),
            read.eq((level != 0) & (~held.next | held.take)),
        ]
        m.d.sync += [
            *(put.eq(put + held.put), get.eq(get + read), level.eq(level + held.put - read)),
            held.next.eq(read | (held.next & ~held.take)),
        ]
        pins = {"write": held.put, "write_address": put, "write_data": held.word}
        pins |= {"read": read, "read_address": get, "read_data": held.first}
        m.submodules.ram = self.instance("ram", **pins)
        return held

    def _build_bursts(self, m: Module, held: _Held, requests, place: int) -> None:
        """Words into their queue; where a burst ends, a request into its own."""
        word = self.words
        more = Signal(place, name="burst_more")  # words of the burst before this one
        takes, ends = Signal(name="takes_word"), Signal(name="burst_ends")
        first = word.number[:place] - more
        m.d.comb += [
            word.ready.eq(held.room & requests.w_rdy),
            takes.eq(word.valid & word.ready),
            ends.eq(word.last | word.number[:place].all()),
            *(held.put.eq(takes), held.word.eq(Cat(word.data, word.strobe, ends))),
            requests.w_en.eq(takes & ends),
            requests.w_data.eq(Cat(more, first[:place], word.number[place:])),
        ]
        with m.If(takes):
            m.d.sync += more.eq(Mux(ends, 0, more + 1))

    def _build_requests(self, m: Module, requests, place: int) -> Signal:
        """Requests in their order; returns whether one is offered that was not before."""
        write = self.write
        stays, asks = Signal(name="request_stays"), Signal(name="asks")
        unanswered = Signal(range(UNANSWERED + 1))
        low = Const(0, ADDRESS_BITS - len(self.words.number))
        m.d.comb += [
            asks.eq(requests.r_rdy & ~stays & ~self.flush & (unanswered != UNANSWERED)),
            *(write.valid.eq(stays | asks), requests.r_en.eq(write.valid & write.ready)),
            write.address.eq(Cat(low, requests.r_data[place:])),
            *(write.beats.eq(requests.r_data[:place]), self.write_done.ready.eq(1)),
            self.idle.eq((unanswered == 0) & (self.flush | (requests.level == 0))),
        ]
        m.d.sync += stays.eq(write.valid & ~write.ready)
        m.d.sync += unanswered.eq(unanswered + asks - self.write_done.valid)
        with m.If(self.begins):
            m.d.sync += self.failed.eq(0)
        with m.Elif(self.write_done.valid & self.write_done.error):
            m.d.sync += self.failed.eq(1)
        return asks

    def _build_data(self, m: Module, held: _Held, asks: Signal) -> None:
        """Words of bursts that are asked for."""
        data = self.write_data
        owed = Signal(range(UNANSWERED + 1))  # bursts whose last word is not taken yet
        stays, blank = Signal(name="data_stays"), Signal(name="blank")
        m.d.comb += [
            *(data.valid.eq(held.next & (owed != 0)), held.take.eq(data.valid & data.ready)),
            Cat(data.data, data.strobe, data.last).eq(held.first),
            blank.eq(self.flush & ~stays),
        ]
        with m.If(blank):
            m.d.comb += data.strobe.eq(0)
        m.d.sync += stays.eq(data.valid & ~data.ready & ~blank)
        m.d.sync += owed.eq(owed + asks - (data.valid & data.ready & data.last))
