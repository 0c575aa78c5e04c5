"""AXI4-Lite front end of registers."""

from amaranth.hdl import Module, Mux, Signal

from cimforge.hdl.bus.bus_ports import OKAY, SLVERR, axi4lite_bus
from cimforge.hdl.bus.register_access import Answer, Asked, build_access, check_patience
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["Axi4LiteSlave"]

REQUESTS = {"aw": ("addr",), "w": ("data", "strb"), "ar": ("addr",)}  # channels and what is kept


class Axi4LiteSlave(Block):
    """Registers of 32 bits behind an AXI4-Lite slave.

    Each access on ``axil`` becomes one on ``registers``, one after the other. Address and word of a
    write come in any order; where a write and a read wait, they take turns. Misaligned addresses
    and writes of some bytes only end in SLVERR and are not handed on; what the register side
    refuses ends in SLVERR after ``patience`` cycles in which it is tried again (register_access).
    Protection bits are ignored. A read that fails carries 0.

    Every output on ``axil`` is a register's, so no path runs through, and no ready waits for a
    valid. A response stands until it is taken and holds up only what it answers: reads go on while
    a write's response waits. Latency 3 cycles from the later of address and word to the response,
    where the register side answers at once; then an access takes 2 cycles, of one kind alone 3.
    Where it answers within n cycles (1: at once) and responses are taken, every access is answered
    within 2 * (``patience`` + n) + 3 cycles.

    Reset empties it; no response is left over. Raises ValueError for widths that make no bus and a
    patience outside 0..65535. Source: AMBA AXI and ACE protocol specification, issue H, part B.
    """

    role = "bus"
    has_reset = True
    latency = 3

    def __init__(self, prefix: str, address_bits: int, patience: int = 0):
        self._patience = check_patience(patience)
        bus = axi4lite_bus(address_bits)
        members = {"axil": In(bus), "registers": Out(register_port(address_bits))}
        super().__init__(prefix, "axi4lite", members)

    def elaborate(self, platform):
        m = Module()
        full = {channel: Signal(name=f"{channel}_full_q") for channel in REQUESTS}
        kept: dict[str, Signal] = {}
        for channel in REQUESTS:
            kept |= self._build_intake(m, channel, full[channel])

        writing_q = Signal()
        reading_q = Signal()
        asked = Asked(
            valid=writing_q | reading_q,
            write=writing_q,
            address=Mux(writing_q, kept["awaddr"], kept["araddr"]),
            strobe=kept["wstrb"],
            data=kept["wdata"],
        )
        answer = build_access(m, self.registers, asked, self._patience)
        self._build_turns(m, full, writing_q, reading_q, answer.done)
        with m.If(answer.done & writing_q):
            m.d.sync += [full["aw"].eq(0), full["w"].eq(0)]
        with m.If(answer.done & reading_q):
            m.d.sync += full["ar"].eq(0)

        self._build_response(m, "b", writing_q, answer)
        self._build_response(m, "r", reading_q, answer)
        with m.If(answer.done & reading_q):
            m.d.sync += self.axil.rdata.eq(answer.data)
        return m

    def _build_intake(self, m: Module, channel: str, full_q: Signal) -> dict[str, Signal]:
        """Registers that take a channel's beat while they are empty, by the names of its lines."""
        lines = {
            name: getattr(self.axil, name) for name in (f"{channel}{n}" for n in REQUESTS[channel])
        }
        kept = {n: Signal(len(line), name=f"{n}_q", reset_less=True) for n, line in lines.items()}
        m.d.comb += getattr(self.axil, f"{channel}ready").eq(~full_q)
        with m.If(getattr(self.axil, f"{channel}valid") & ~full_q):
            m.d.sync += [full_q.eq(1), *(kept[name].eq(line) for name, line in lines.items())]
        return kept

    def _build_turns(
        self, m: Module, full: dict[str, Signal], writing_q: Signal, reading_q: Signal, done: Signal
    ) -> None:
        """Which access is under way: one that can be answered, of two the kind not done last."""
        wrote_q = Signal()
        may_write = Signal()
        may_read = Signal()
        m.d.comb += [
            may_write.eq(full["aw"] & full["w"] & ~self.axil.bvalid),
            may_read.eq(full["ar"] & ~self.axil.rvalid),
        ]
        with m.If(done):
            m.d.sync += [writing_q.eq(0), reading_q.eq(0), wrote_q.eq(writing_q)]
        with m.Elif(~writing_q & ~reading_q):
            m.d.sync += writing_q.eq(may_write & ~(may_read & wrote_q))
            m.d.sync += reading_q.eq(may_read & ~(may_write & ~wrote_q))

    def _build_response(self, m: Module, channel: str, active: Signal, answer: Answer) -> None:
        """The response of a kind of access, from its end until it is taken."""
        valid, ready = (getattr(self.axil, f"{channel}{name}") for name in ("valid", "ready"))
        with m.If(answer.done & active):
            m.d.sync += valid.eq(1)
            m.d.sync += getattr(self.axil, f"{channel}resp").eq(Mux(answer.error, SLVERR, OKAY))
        with m.Elif(ready):
            m.d.sync += valid.eq(0)
