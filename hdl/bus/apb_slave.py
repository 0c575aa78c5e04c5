"""APB front end of registers."""

from amaranth.hdl import Module, Signal

from cimforge.hdl.bus.bus_ports import apb_bus
from cimforge.hdl.bus.register_access import Asked, build_access, check_patience
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["ApbSlave"]


class ApbSlave(Block):
    """Registers of 32 bits behind an APB4 slave.

    Each transfer on ``apb`` becomes one access on ``registers``, asked for from the first cycle of
    its access phase. Misaligned addresses and writes of some bytes only end with pslverr and are
    not handed on; what the register side refuses ends with pslverr after ``patience`` cycles in
    which it is tried again (register_access). Protection bits are ignored. A read that fails
    carries 0.

    Outputs on ``apb`` are registers; those on ``registers`` follow the bus through logic. Latency 1
    cycle from the first of the access phase to pready, where the register side answers at once: one
    transfer in 3 cycles. Where it answers within n cycles (1: at once), pready comes within
    ``patience`` + n cycles.

    Reset leaves no answer over. Raises ValueError for widths that make no bus and a patience
    outside 0..65535. Source: AMBA APB protocol specification, issue C.
    """

    role = "bus"
    has_reset = True
    latency = 1

    def __init__(self, prefix: str, address_bits: int, patience: int = 0):
        self._patience = check_patience(patience)
        members = {"apb": In(apb_bus(address_bits)), "registers": Out(register_port(address_bits))}
        super().__init__(prefix, "apb4", members)

    def elaborate(self, platform):
        m = Module()
        apb = self.apb
        asked = Asked(
            valid=apb.psel & apb.penable & ~apb.pready,
            write=apb.pwrite,
            address=apb.paddr,
            strobe=apb.pstrb,
            data=apb.pwdata,
        )
        answer = build_access(m, self.registers, asked, self._patience)
        read_q = Signal(len(apb.prdata), reset_less=True)
        with m.If(answer.done):
            m.d.sync += read_q.eq(answer.data)
        m.d.sync += [apb.pready.eq(answer.done), apb.pslverr.eq(answer.done & answer.error)]
        m.d.comb += apb.prdata.eq(read_q)
        return m
