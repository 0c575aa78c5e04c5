"""Wishbone front end of registers."""

from amaranth.hdl import Module, Signal

from cimforge.hdl.bus.bus_ports import register_wishbone
from cimforge.hdl.bus.register_access import Asked, build_access, check_patience
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["WishboneRegisterSlave"]


class WishboneRegisterSlave(Block):
    """Registers of 32 bits behind a Wishbone B4 slave, standard cycles; addresses count bytes.

    Each cycle on ``wb`` becomes one access on ``registers``. Misaligned addresses and writes that
    do not select all bytes end in err and are not handed on; what the register side refuses ends in
    err after ``patience`` cycles in which it is tried again (register_access). Reads give the whole
    word, whichever bytes are selected, and 0 with err.

    Outputs on ``wb`` are registers, ack and err gated by cyc and stb; those on ``registers`` follow
    the bus through logic. Latency 1 cycle from the request to its answer, where the register side
    answers at once: one access in 2 cycles. Where it answers within n cycles (1: at once), the
    answer comes within ``patience`` + n cycles.

    Reset leaves no answer over. Raises ValueError for widths that make no bus and a patience
    outside 0..65535. Source: Wishbone B4, 3.1.3 and 3.2.
    """

    role = "bus"
    has_reset = True
    latency = 1

    def __init__(self, prefix: str, address_bits: int, patience: int = 0):
        self._patience = check_patience(patience)
        bus = register_wishbone(address_bits)
        members = {"wb": In(bus), "registers": Out(register_port(address_bits))}
        super().__init__(prefix, "wishbone_registers", members)

    def elaborate(self, platform):
        m = Module()
        wb = self.wb
        ack_q = Signal()
        err_q = Signal()
        asked = Asked(
            valid=wb.cyc & wb.stb & ~ack_q & ~err_q,
            write=wb.we,
            address=wb.adr,
            strobe=wb.sel,
            data=wb.dat_w,
        )
        answer = build_access(m, self.registers, asked, self._patience)
        read_q = Signal(len(wb.dat_r), reset_less=True)
        with m.If(answer.done):
            m.d.sync += read_q.eq(answer.data)
        m.d.sync += [
            ack_q.eq(answer.done & ~answer.error),
            err_q.eq(answer.done & answer.error),
        ]
        m.d.comb += [
            wb.ack.eq(ack_q & wb.cyc & wb.stb),
            wb.err.eq(err_q & wb.cyc & wb.stb),
            wb.dat_r.eq(read_q),
        ]
        return m
