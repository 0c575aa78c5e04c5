"""Two readers on one memory port."""

from amaranth.hdl import Const, Module, Mux, Signal, Value

from cimforge.hdl.engine.seams import memory_port
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig

__all__ = ["UNANSWERED", "ReadArbiter"]

UNANSWERED = 8  # requests of both clients that memory has taken and not answered


class ReadArbiter(Block):
    """Requests of two clients to memory, those of ``queue`` first, and each client's answers back.

    A request of ``fetch`` that memory was offered stays there until taken, whatever comes. Whose
    answer is next is kept for UNANSWERED requests; further ones wait. A client takes its answers
    in their order among all, so one that stalls holds up the other: the queue never does, and
    ``fetch`` only as long as macros take no row.

    Latency 0, combinational; rate: a request and a word a cycle. No ready depends on its own valid.
    Memory answers in a later cycle than that in which it takes the request.
    Reset forgets what is unanswered, so it must reach memory, too.
    """

    role = "dma"
    has_reset = True

    def __init__(self, config: EngineConfig):
        port = memory_port(ADDRESS_BITS, config.bus_bits).members
        asks, told = port["read"].flip(), port["read_data"].flip()
        super().__init__(
            config.module,
            "read_arbiter",
            {
                **{"queue_read": asks, "queue_data": told},
                **{"fetch_read": asks, "fetch_data": told},
                **{"read": port["read"], "read_data": port["read_data"]},
            },
        )

    def elaborate(self, platform):
        m = Module()
        queue, fetch, read = self.queue_read, self.fetch_read, self.read
        room = Signal()
        fetches = Signal()
        held = Signal()  # of fetch, which memory was offered
        m.d.comb += [
            fetches.eq(held | ~queue.valid),
            read.valid.eq(room & (queue.valid | fetch.valid)),
            read.address.eq(Mux(fetches, fetch.address, queue.address)),
            read.beats.eq(Mux(fetches, fetch.beats, queue.beats)),
            queue.ready.eq(read.ready & room & ~held),
            fetch.ready.eq(read.ready & room & fetches),
        ]
        m.d.sync += held.eq(fetches & fetch.valid & room & ~read.ready)
        fetch_is_next = self._build_order(m, fetches, room)

        data = self.read_data
        taken = Mux(fetch_is_next, self.fetch_data.ready, self.queue_data.ready)
        m.d.comb += data.ready.eq(taken)
        for client, turn in ((self.queue_data, ~fetch_is_next), (self.fetch_data, fetch_is_next)):
            m.d.comb += [
                *(client.valid.eq(data.valid & turn), client.data.eq(data.data)),
                *(client.error.eq(data.error), client.last.eq(data.last)),
            ]
        return m

    def _build_order(self, m: Module, fetches: Signal, room: Signal) -> Value:
        """Whose requests are unanswered, the oldest lowest; returns whether that is fetch's."""
        order = Signal(UNANSWERED, reset_less=True)
        count = Signal(range(UNANSWERED + 1), name="unanswered")
        asked = Signal()
        answered = Signal()
        end = Signal(range(UNANSWERED + 1), name="unanswered_before")
        data = self.read_data
        m.d.comb += [
            room.eq(count != UNANSWERED),
            asked.eq(self.read.valid & self.read.ready),
            answered.eq(data.valid & data.ready & data.last),
            end.eq(count - answered),
        ]
        m.d.sync += count.eq(end + asked)
        for place, older in enumerate((*order[1:], Const(0, 1))):
            kept = Mux(answered, older, order[place])
            m.d.sync += order[place].eq(Mux(end == place, fetches, kept))
        return order[0]
