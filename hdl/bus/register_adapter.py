"""From a front end of registers to a slave on Wishbone."""

from amaranth.hdl import Module

from cimforge.hdl.bus.bus_ports import register_wishbone
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["RegisterAdapter"]


class RegisterAdapter(Block):
    """Accesses on ``registers`` as standard cycles of a Wishbone B4 master, ``wb``.

    ``cyc = stb = valid``, ``ready = ack or err``, ``error = err``; the rest is passed through, so
    latency and errors are those of the slave behind. An access that is asked for again is another
    cycle on the bus at once. Logic only: no clock. Raises ValueError for widths that make no bus.
    """

    role = "bus"

    def __init__(self, prefix: str, address_bits: int):
        wb = Out(register_wishbone(address_bits))
        members = {"registers": In(register_port(address_bits)), "wb": wb}
        super().__init__(prefix, "register_adapter", members)

    def elaborate(self, platform):
        m = Module()
        registers, wb = self.registers, self.wb
        m.d.comb += [
            *(wb.cyc.eq(registers.valid), wb.stb.eq(registers.valid), wb.we.eq(registers.write)),
            *(wb.adr.eq(registers.address), wb.sel.eq(registers.strobe)),
            *(wb.dat_w.eq(registers.data_w), registers.data_r.eq(wb.dat_r)),
            *(registers.ready.eq(wb.ack | wb.err), registers.error.eq(wb.err)),
        ]
        return m
