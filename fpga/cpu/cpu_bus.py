"""The bus of a core: one access at a time to the region that its address lies in."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.fpga.cpu.core_port import core_port
from cimforge.fpga.cpu.memory_map import Region
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["CpuBus"]

ALL_BYTES = 0b1111


class CpuBus(Block):
    """Memory accesses of a PicoRV32 to regions, each behind a port of its name: a core_port of
    memory, a register_port of registers.

    The core tells an access a cycle ahead, in ``mem_la_*``; with ``mem_valid`` address, data and
    strobes (0: a read) then stand still until ``mem_ready``. Memory is asked in the cycle ahead, so
    that ``mem_ready`` is there in the first cycle; registers in that first cycle, in the end with
    their answer. A read of registers asks for all four bytes.

    What lies in no region, writes of rx regions, and what registers refuse is ready too: it reads
    0 and changes nothing, and ``fault`` is high in that cycle with the byte address,
    ``fault_address``. A core that executes such a word traps, as 0 is no instruction. Registers are
    ready in the end whatever is asked, so nothing hangs.
    """

    role = "bus"
    latency = 1

    def __init__(self, prefix: str, regions: Sequence[Region]):
        self._regions = tuple(regions)
        inputs = {"valid": 1, "addr": 32, "wdata": 32, "wstrb": 4}
        ahead = {"la_read": 1, "la_write": 1, "la_addr": 32, "la_wdata": 32, "la_wstrb": 4}
        super().__init__(
            prefix,
            "bus",
            {
                **{f"mem_{name}": In(width) for name, width in {**inputs, **ahead}.items()},
                **{"mem_ready": Out(1), "mem_rdata": Out(32)},
                **{"fault": Out(1), "fault_address": Out(32)},
                **{each.name: Out(_port(each)) for each in regions},
            },
        )

    def elaborate(self, platform):
        m = Module()
        asks = self.mem_la_read | self.mem_la_write
        inside: list[Signal] = []  # the region of the access, from its first cycle on
        ready, fails, data = [], [], []
        for each in self._regions:
            here = Signal(name=f"{each.name}_here", reset_less=True)
            inside.append(here)
            with m.If(asks):
                m.d.sync += here.eq(self._lies_in(each))
            build = self._build_registers if each.access == "registers" else self._build_memory
            answered, failed, word = build(m, each, here)
            ready.append(answered)
            fails.append(failed)
            data.append(Mux(here & ~failed, word, 0))
        nowhere = ~Cat(*inside).any()
        told = data[0]
        for word in data[1:]:
            told = told | word
        m.d.comb += [
            *(self.mem_ready.eq(Cat(*ready).any() | nowhere), self.mem_rdata.eq(told)),
            self.fault.eq(self.mem_valid & (Cat(*fails).any() | nowhere)),
            self.fault_address.eq(self.mem_addr),
        ]
        return m

    def _lies_in(self, each: Region) -> Value:
        """Whether the access ahead does: its upper bits are those of the region's base."""
        return self.mem_la_addr[each.address_bits :] == each.base >> each.address_bits

    def _build_memory(self, m: Module, each: Region, here: Signal) -> tuple[Value, Value, Value]:
        """Ask memory ahead; ready, failed and the word of its answer."""
        port = getattr(self, each.name)
        refused = Signal(name=f"{each.name}_refused")
        writes = self.mem_la_write & (each.access == "rw")
        m.d.comb += [
            port.enable.eq((self.mem_la_read | writes) & self._lies_in(each)),
            *(port.write.eq(writes), port.address.eq(self.mem_la_addr[: each.address_bits])),
            *(port.strobe.eq(self.mem_la_wstrb), port.data_w.eq(self.mem_la_wdata)),
            refused.eq(here & self.mem_wstrb.any() & (each.access != "rw")),
        ]
        return here, refused, port.data_r

    def _build_registers(self, m: Module, each: Region, here: Signal) -> tuple[Value, Value, Value]:
        """Ask registers; ready, failed and the word of their answer."""
        port, write = getattr(self, each.name), self.mem_wstrb.any()
        answered, failed = Signal(name=f"{each.name}_answered"), Signal(name=f"{each.name}_failed")
        m.d.comb += [
            *(port.valid.eq(self.mem_valid & here), port.write.eq(write)),
            *(port.address.eq(self.mem_addr[: each.address_bits]), port.data_w.eq(self.mem_wdata)),
            port.strobe.eq(Mux(write, self.mem_wstrb, ALL_BYTES)),
            *(answered.eq(here & port.ready), failed.eq(here & port.ready & port.error)),
        ]
        return answered, failed, port.data_r


def _port(each: Region):
    """The signature of a region's port."""
    if each.access == "registers":
        return register_port(each.address_bits)
    return core_port(each.address_bits)
