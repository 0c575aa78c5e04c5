"""Sum memory: results of passes, summed over tiles."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.data import StructLayout, View
from amaranth.lib.fifo import SyncFIFO

from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.engine.result_adder import ResultAdder, results_bits
from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["WAITING_COMMANDS", "SumMemory"]

WAITING_COMMANDS = 4  # behind the one whose results come


class SumMemory(Block):
    """Kept sums of an engine: acc_vectors x outputs of acc_bits, into which results of passes go.

    Each ``command`` names ``vectors`` beats of y, in order: the v-th replaces kept vector ``sums``
    + v, or with ``accumulate`` is added to it (ResultAdder; y in the mode ``fuse``). ``overflow``
    is high in the cycle after an addition left the range of acc_bits, ``done`` in that after a
    command's last beat; its sums may be read from then on. Up to WAITING_COMMANDS commands wait
    behind that whose beats come; ``idle``: none is under way.

    ``sums_vector`` asks for a kept vector; it is read in a cycle of its own before ``sums_ready``,
    and stands in ``sums_data`` from the cycle after that until the next such.

    One port reads for both. For y it reads ahead, in the cycle in which the beat before is taken:
    a beat every cycle, each written in the cycle in which it is taken, except that a beat for the
    vector just written waits one cycle. Where both ask they take turns, so that a beat waits for
    one read of the store's at most, and a read for one of y's. Latency 1 cycle from y to its sum
    in memory. Reset drops commands and keeps sums, which are undefined until written.
    """

    role = "sums"
    has_reset = True
    latency = 1

    def __init__(self, config: EngineConfig):
        self._config = config
        address, fuse = config.acc_address_bits, config.macro.w_fuse_width
        self._context = StructLayout(
            {"sums": address, "more": address, "accumulate": 1, "fuse": fuse}
        )
        vectors = unsigned_width(config.acc_vectors)
        ram = Ram(
            **{"prefix": config.module, "kind": "sum_ram", "role": self.role},
            **{"words": config.acc_vectors, "lanes": 1},
            lane_bits=config.outputs * config.acc_bits,
        )
        command = beat_stream(sums=address, vectors=vectors, accumulate=1, fuse=fuse)
        super().__init__(
            config.module,
            "sums",
            {
                "command": In(command),
                **{"y_valid": In(1), "y_ready": Out(1), "y_data": In(results_bits(config))},
                **{"sums_valid": In(1), "sums_ready": Out(1), "sums_vector": In(address)},
                "sums_data": Out(config.outputs * config.acc_bits),
                **{"done": Out(1), "overflow": Out(1), "idle": Out(1)},
            },
            {"ram": ram},
        )

    def elaborate(self, platform):
        m = Module()
        kept = Signal.like(self.sums_data, name="kept_sums")
        m.submodules.adder = adder = ResultAdder(self._config)
        now = Signal(self._context, reset_less=True)
        taken, closes = Signal(name="y_taken"), Signal(name="command_closes")
        m.d.comb += [
            *(taken.eq(self.y_valid & self.y_ready), closes.eq(taken & (now.more == 0))),
            *(adder.data.eq(self.y_data), adder.fuse.eq(now.fuse), adder.kept.eq(kept)),
            adder.accumulate.eq(now.accumulate),
        ]
        m.d.sync += [self.done.eq(closes), self.overflow.eq(taken & adder.overflow)]
        opened, fetched = Signal(name="opened"), Signal(name="fetched")
        wanted, ahead = self._build_commands(m, now, opened, taken, closes)
        m.d.comb += self.y_ready.eq(opened & (~now.accumulate | fetched))
        pins = self._build_reads(m, kept, fetched, taken, wanted, ahead)
        pins |= {"write": taken, "write_address": now.sums, "write_data": adder.sums}
        m.submodules.ram = self.instance("ram", **pins, read_data=kept)
        return m

    def _build_commands(
        self, m: Module, now: View, opened: Signal, taken: Signal, closes: Signal
    ) -> tuple[Signal, Signal]:
        """Command after command; returns whether the y behind that of this cycle, if one is taken,
        is added to kept sums that may be read now, and their vector."""
        command, head = self.command, Signal(self._context)
        m.submodules.queue = queue = SyncFIFO(width=self._context.size, depth=WAITING_COMMANDS)
        follows, more = Signal(name="command_follows"), Signal.like(now.more, name="offered_more")
        fuse = command.fuse if self._config.macro.w_fuse_width else Const(0, 0)
        m.d.comb += [
            *(more.eq(command.vectors - 1), queue.w_en.eq(command.valid)),
            queue.w_data.eq(Cat(command.sums, more, command.accumulate, fuse)),
            *(command.ready.eq(queue.w_rdy), head.eq(queue.r_data), queue.r_en.eq(follows)),
            *(follows.eq(~opened | closes), self.idle.eq(~opened & ~queue.r_rdy)),
        ]
        with m.If(follows):
            m.d.sync += [opened.eq(queue.r_rdy), now.eq(head)]
        with m.Elif(taken):
            m.d.sync += [now.sums.eq(now.sums + 1), now.more.eq(now.more - 1)]

        wanted, ahead = Signal(name="kept_wanted"), Signal.like(now.sums, name="kept_ahead")
        same = closes & (head.sums == now.sums)  # is in memory after this cycle only
        with m.If(follows):
            m.d.comb += wanted.eq(queue.r_rdy & head.accumulate & ~same)
            m.d.comb += ahead.eq(head.sums)
        with m.Else():
            m.d.comb += [wanted.eq(now.accumulate), ahead.eq(now.sums + taken)]
        return wanted, ahead

    def _build_reads(
        self, m: Module, kept: Signal, fetched: Signal, taken: Signal, wanted: Signal, ahead: Signal
    ) -> dict[str, Value]:
        """The read port, for the next y or for the store; ``fetched``: it holds what y needs."""
        for_y, for_store = Signal(name="read_for_y"), Signal(name="read_for_store")
        turn, asks, needs = Signal(name="store_next"), Signal(name="store_asks"), Signal()
        reading = self.sums_ready
        m.d.comb += [
            *(asks.eq(self.sums_valid & ~reading), needs.eq(wanted & (taken | ~fetched))),
            *(for_store.eq(asks & (turn | ~needs)), for_y.eq(needs & ~for_store)),
        ]
        m.d.sync += [
            reading.eq(for_store),
            fetched.eq(for_y | (fetched & ~taken & ~for_store)),
        ]
        with m.If(asks & needs):
            m.d.sync += turn.eq(for_y)
        shown = Signal.like(kept, reset_less=True, name="shown_sums")
        m.d.comb += self.sums_data.eq(shown)
        with m.If(reading):
            m.d.sync += shown.eq(kept)
        address = Mux(for_store, self.sums_vector, ahead)
        return {"read": for_y | for_store, "read_address": address}
