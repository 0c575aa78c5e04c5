"""Kept reader: what results are added to, read ahead of them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.data import StructLayout, View
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import Component, Signature

from cimforge.hdl.macro.streams import beat_stream
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["WAITING_COMMANDS", "KeptReader", "sum_command", "token_layout"]

WAITING_COMMANDS = 4  # behind the one whose vectors are read


def sum_command(config: EngineConfig) -> Signature:
    """The commands of a SumMemory."""
    vectors = unsigned_width(config.acc_vectors)
    fuse = config.macro.w_fuse_width
    return beat_stream(sums=config.acc_address_bits, vectors=vectors, accumulate=1, fuse=fuse)


def token_layout(config: EngineConfig) -> StructLayout:
    """What is known of a result before it comes: the kept ``vector`` that it goes to, whether it is
    added to it and the ``last`` of its command, and its mode."""
    token = {"vector": config.acc_address_bits, "accumulate": 1, "last": 1}
    return StructLayout(token | {"fuse": config.macro.w_fuse_width})


class KeptReader(Component):
    """For each result of each ``command``, in order, a ``token`` and ``kept``, what it is added to:
    the kept vector, or 0 without ``accumulate``. They stand with ``valid`` until ``taken``, in
    which cycle the sum must be written.

    ``read`` and ``read_address`` ask the RAM, ``read_data`` is what it holds since. Two tokens are
    ahead: that offered, and one whose vector the RAM holds; so a token comes every cycle. One that
    reads a vector which these are to write waits until it is written: so vectors that follow each
    other in one place come every third cycle.

    ``sums_valid`` asks for ``sums_vector`` as well, by the same port: it stands in ``sums_data``
    from the cycle after that with ``sums_ready`` on, until the next such. Where both ask they take
    turns; what the RAM held for a token is read once more.

    Latency 4 cycles from a command to its first token, 1 from ``sums_valid`` to ``sums_ready``.
    Up to WAITING_COMMANDS wait behind that which is read; ``idle``: no token is left. Reset drops
    all.
    """

    latency = 4

    def __init__(self, config: EngineConfig):
        self._config = config
        address, width = config.acc_address_bits, config.outputs * config.acc_bits
        super().__init__(
            {
                **{"command": In(sum_command(config)), "token": Out(token_layout(config))},
                **{"valid": Out(1), "taken": In(1), "kept": Out(width), "idle": Out(1)},
                **{"sums_valid": In(1), "sums_ready": Out(1), "sums_vector": In(address)},
                **{"sums_data": Out(width), "read": Out(1), "read_address": Out(address)},
                "read_data": In(width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        layout = token_layout(self._config)
        token, holds = Signal(layout), Signal(layout, reset_less=True, name="held_token")
        issue, moves = Signal(name="token_issues"), Signal(name="token_moves")
        held, lost = Signal(name="token_held"), Signal(name="held_lost")
        opened, waiting = self._build_commands(m, token, issue)
        self._build_offer(m, holds, moves)
        m.d.comb += [
            moves.eq(held & ~lost & (~self.valid | self.taken)),
            self.idle.eq(~waiting & ~opened & ~held & ~self.valid),
        ]
        free = Signal(name="token_free")
        wants, for_y, for_store = Signal(), Signal(name="read_for_y"), Signal(name="read_for_store")
        before = (held & (token.vector == holds.vector)) | (
            self.valid & (token.vector == self.token.vector)
        )
        m.d.comb += [
            *(free.eq(opened & (~held | moves)), wants.eq(free & token.accumulate & ~before)),
            issue.eq(Mux(token.accumulate, wants & for_y, free)),
        ]
        again = held & lost
        m.d.sync += held.eq(issue | (held & ~moves))
        with m.If(issue):
            m.d.sync += [holds.eq(token), lost.eq(0)]
        with m.Elif(for_store & held & ~moves & holds.accumulate):
            m.d.sync += lost.eq(1)
        with m.Elif(for_y):
            m.d.sync += lost.eq(0)
        self._build_port(m, wants | again, for_y, for_store)
        vector = Mux(again, holds.vector, token.vector)
        m.d.comb += self.read_address.eq(Mux(for_store, self.sums_vector, vector))
        return m

    def _build_commands(self, m: Module, token: View, issue: Signal) -> tuple[Signal, Signal]:
        """The next token; returns whether there is one, and whether a command waits behind it."""
        command, width = self.command, self._config.acc_address_bits
        fuse = command.fuse if self._config.macro.w_fuse_width else Const(0, 0)
        context = StructLayout(
            {"vector": width, "more": width, "accumulate": 1, "fuse": len(fuse)},
        )
        now, head = Signal(context, reset_less=True), Signal(context)
        opened, follows = Signal(name="command_opened"), Signal(name="command_follows")
        more = Signal(width, name="command_more")
        m.submodules.queue = queue = SyncFIFO(width=context.size, depth=WAITING_COMMANDS)
        m.d.comb += [
            *(more.eq(command.vectors - 1), queue.w_en.eq(command.valid)),
            queue.w_data.eq(Cat(command.sums, more, command.accumulate, fuse)),
            *(command.ready.eq(queue.w_rdy), head.eq(queue.r_data), queue.r_en.eq(follows)),
            *(follows.eq(~opened | (issue & token.last)), token.last.eq(now.more == 0)),
            *(token.vector.eq(now.vector), token.accumulate.eq(now.accumulate)),
            token.fuse.eq(now.fuse),
        ]
        with m.If(follows):
            m.d.sync += [opened.eq(queue.r_rdy), now.eq(head)]
        with m.Elif(issue):
            m.d.sync += [now.vector.eq(now.vector + 1), now.more.eq(now.more - 1)]
        return opened, queue.r_rdy

    def _build_offer(self, m: Module, holds: View, moves: Signal) -> None:
        """The token whose result is to come, with what that is added to."""
        offers = Signal(holds.shape(), reset_less=True, name="offered_token")
        kept = Signal.like(self.kept, reset_less=True, name="kept_q")
        m.d.comb += [self.token.eq(offers), self.kept.eq(kept)]
        m.d.sync += self.valid.eq(moves | (self.valid & ~self.taken))
        with m.If(moves):
            m.d.sync += [offers.eq(holds), kept.eq(self.read_data)]
            with m.If(~holds.accumulate):
                m.d.sync += kept.eq(0)

    def _build_port(self, m: Module, asks: Value, for_y: Signal, for_store: Signal) -> None:
        """Who reads: a token that ``asks``, or the store; where both do, each after the other."""
        turn, other = Signal(name="store_next"), Signal(name="store_asks")
        shown = Signal.like(self.sums_data, reset_less=True, name="shown_sums")
        m.d.comb += [
            *(other.eq(self.sums_valid & ~self.sums_ready), self.sums_data.eq(shown)),
            *(for_store.eq(other & (turn | ~asks)), for_y.eq(asks & ~for_store)),
            self.read.eq(for_y | for_store),
        ]
        m.d.sync += self.sums_ready.eq(for_store)
        with m.If(asks & other):
            m.d.sync += turn.eq(for_y)
        with m.If(self.sums_ready):
            m.d.sync += shown.eq(self.read_data)
