"""AXI4 front end of memory."""

from amaranth.hdl import Const, Module, Signal, Value

from cimforge.hdl.bus.bus_ports import axi4_bus
from cimforge.hdl.engine.seams import memory_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["Axi4Master"]

INCREMENTING = 0b01
CACHE = 0b0011  # normal memory, bufferable, not cached
MOST_AHEAD = 3  # write bursts whose words have not all come


class Axi4Master(Block):
    """Bursts of whole words on an AXI4 master.

    A request on ``memory`` becomes one incrementing burst on ``axi`` of full width, identifier 0,
    normal bufferable memory, no protection, no lock. All have one identifier, so answers come in
    order: read words with ``error`` where the response is SLVERR or DECERR, one ``write_done`` for
    each burst written. Reads and writes do not wait for each other, and any number may be under way
    on the bus; of writes, words of at most 3 bursts are still to come.

    Addresses, words to write and their valids are registers' outputs, which stand until taken;
    no valid waits for a ready. Words follow their address on W, from a cycle after it at the
    earliest, whether or not it has been taken. Responses pass through logic alone, so on R and B
    what takes them decides about ready. Latency 1 cycle on AR, AW and W, 0 on R and B; a word in
    every cycle, a request in every cycle. No burst crosses 4 KiB where no request does.

    Reset forgets requests and words at once: who resets while bursts are under way must see to it
    that they come to an end first. Raises ValueError for widths that make no bus. Source: AMBA AXI
    and ACE protocol specification, issue H, part A.
    """

    role = "bus"
    has_reset = True
    latency = 1

    def __init__(self, prefix: str, address_bits: int, data_bits: int):
        self._size = (data_bits // 8).bit_length() - 1
        bus = axi4_bus(address_bits, data_bits)
        members = {"memory": In(memory_port(address_bits, data_bits)), "axi": Out(bus)}
        super().__init__(prefix, "axi4", members)

    def elaborate(self, platform):
        m = Module()
        ahead_q = Signal(range(MOST_AHEAD + 1))
        requested = self._build_request(m, "ar", self.memory.read, Const(1))
        requested = self._build_request(m, "aw", self.memory.write, ahead_q != MOST_AHEAD)
        ended = self._build_words(m, ahead_q != 0)
        m.d.sync += ahead_q.eq(ahead_q + requested - ended)
        self._build_answers(m)
        return m

    def _build_request(self, m: Module, channel: str, request, may: Value) -> Signal:
        """A register between requests and an address channel; high where it takes one."""
        lines = {
            n.removeprefix(channel): getattr(self.axi, n)
            for n in self.axi.signature.members
            if n.startswith(channel)
        }
        free = Signal(name=f"{channel}_free")
        moves = Signal(name=f"{channel}_moves")
        address_q = Signal(len(request.address), name=f"{channel}addr_q", reset_less=True)
        beats_q = Signal(len(request.beats), name=f"{channel}len_q", reset_less=True)
        fixed = {"size": self._size, "burst": INCREMENTING, "cache": CACHE}
        fixed |= dict.fromkeys(("id", "lock", "prot", "qos"), 0)
        m.d.comb += [
            free.eq(~lines["valid"] | lines["ready"]),
            request.ready.eq(free & may),
            moves.eq(request.valid & request.ready),
            *(lines["addr"].eq(address_q), lines["len"].eq(beats_q)),
            *(lines[name].eq(value) for name, value in fixed.items()),
        ]
        with m.If(free):
            m.d.sync += lines["valid"].eq(moves)
            m.d.sync += [address_q.eq(request.address), beats_q.eq(request.beats)]
        return moves

    def _build_words(self, m: Module, may: Value) -> Signal:
        """A register between words to write and W; high where it takes a burst's last."""
        words, axi = self.memory.write_data, self.axi
        free = Signal()
        ended = Signal()
        data_q = Signal(len(words.data), reset_less=True)
        strobe_q = Signal(len(words.strobe), reset_less=True)
        last_q = Signal(reset_less=True)
        m.d.comb += [
            free.eq(~axi.wvalid | axi.wready),
            words.ready.eq(free & may),
            ended.eq(words.valid & words.ready & words.last),
            *(axi.wdata.eq(data_q), axi.wstrb.eq(strobe_q), axi.wlast.eq(last_q)),
        ]
        with m.If(free):
            m.d.sync += axi.wvalid.eq(words.valid & may)
            m.d.sync += [data_q.eq(words.data), strobe_q.eq(words.strobe), last_q.eq(words.last)]
        return ended

    def _build_answers(self, m: Module) -> None:
        """Words read and the ends of writes, as they come."""
        read, done, axi = self.memory.read_data, self.memory.write_done, self.axi
        m.d.comb += [
            *(read.valid.eq(axi.rvalid), axi.rready.eq(read.ready), read.data.eq(axi.rdata)),
            *(read.last.eq(axi.rlast), read.error.eq(axi.rresp[1])),
            *(done.valid.eq(axi.bvalid), axi.bready.eq(done.ready), done.error.eq(axi.bresp[1])),
        ]
