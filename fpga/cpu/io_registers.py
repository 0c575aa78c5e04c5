"""Registers of what a core needs beside memory: UART, timer, status, light."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from cimforge.fpga.cpu.memory_map import IO_BITS, IO_REGISTERS
from cimforge.fpga.uart import RECEIVED, SENT
from cimforge.hdl.bus.registers import WORD_BITS, Register
from cimforge.hdl.engine.seams import register_port
from cimforge.hdl.netlist.block import Block, In, Out

__all__ = ["IoRegisters"]

ALL_BYTES = 0b1111
REGISTERS = {register.name: register for register in IO_REGISTERS}


class IoRegisters(Block):
    """UART, timer, status and light as IO_REGISTERS lists them, on the port ``registers``.

    An access is answered in the cycle after its first, a byte to send in the cycle after ``sent``
    takes it: at most 10 bits of the line later. One that is unmapped, misaligned or not of all four
    bytes, a write of a read-only register or of reserved bits ends in an error, reads 0 and changes
    nothing.

    A byte of ``received`` is kept until it is read or the next one takes its place, which sets
    status.overrun. ``fault``, high for a cycle, sets status.fault and, where that was 0, keeps
    ``fault_address``. An event beats a write that clears it. Reset zeroes every register.
    """

    role = "link"
    has_reset = True
    latency = 1

    def __init__(self, prefix: str):
        super().__init__(
            prefix,
            "io",
            {
                "registers": In(register_port(IO_BITS)),
                **{"received": In(RECEIVED), "sent": Out(SENT)},
                **{"fault": In(1), "fault_address": In(32), "irq": In(1)},
                "light": Out(1),
            },
        )

    def elaborate(self, platform):
        m = Module()
        port = self.registers
        first, whole, waits = Signal(), Signal(), Signal()
        m.d.comb += [
            first.eq(port.valid & ~port.ready),
            whole.eq((port.address[:2] == 0) & (port.strobe == ALL_BYTES)),
            waits.eq(self.sent.valid & ~self.sent.ready),
        ]
        self._asked = first & whole
        words = {
            **self._build_uart(m),
            **self._build_status(m),
            "cycles": self._build_timer(m),
            "light": self._build_light(m),
        }
        word, legal = Signal(WORD_BITS), Signal()
        with m.Switch(port.address[2:]):
            for register in IO_REGISTERS:
                with m.Case(register.offset // 4):
                    told = Mux(port.write, self._writable(register), 1)
                    m.d.comb += [word.eq(words[register.name]), legal.eq(told)]
        m.d.sync += [
            port.ready.eq(first & ~waits),
            port.error.eq(first & ~waits & ~(whole & legal)),
            port.data_r.eq(Mux(self._asked & ~port.write, word, 0)),
        ]
        return m

    def _writable(self, register: Register) -> Value | int:
        """Whether a write of the word may be done."""
        if register.access == "ro":
            return 0
        return (self.registers.data_w & register.reserved) == 0

    def _accessed(self, name: str, write: int) -> Value:
        """High in the first cycles of a legal read or write of a register."""
        register, port = REGISTERS[name], self.registers
        here = self._asked & (port.address[2:] == register.offset // 4) & (port.write == write)
        return here & self._writable(register) if write else here

    def _build_uart(self, m: Module) -> dict[str, Value]:
        """The byte that came last, and a byte to send for as long as it is not taken."""
        fields, received = REGISTERS["uart"], self.received
        byte, full = Signal(8), Signal(name="byte_came")
        self._overrun = Signal(name="overruns")
        m.d.comb += [
            self._overrun.eq(received.valid & full & ~self._accessed("uart", 0)),
            self.sent.valid.eq(self._accessed("uart", 1)),
            self.sent.data.eq(fields.field("byte").of(self.registers.data_w)),
        ]
        with m.If(received.valid):
            m.d.sync += [byte.eq(received.data), full.eq(1)]
        with m.Elif(self._accessed("uart", 0)):
            m.d.sync += full.eq(0)
        word = Signal(WORD_BITS, name="uart_word")
        m.d.comb += [
            fields.field("byte").of(word).eq(byte),
            fields.field("empty").of(word).eq(~full),
        ]
        return {"uart": word}

    def _build_status(self, m: Module) -> dict[str, Value]:
        """Sticky events, and where the first fault was."""
        overrun, fault = Signal(name="overrun_q"), Signal(name="fault_q")
        address = Signal(32, name="fault_address_q")
        cleared = self.registers.data_w[:2] & self._accessed("status", 1).replicate(2)
        m.d.sync += [
            overrun.eq(self._overrun | (overrun & ~cleared[0])),
            fault.eq(self.fault | (fault & ~cleared[1])),
        ]
        with m.If(self.fault & ~fault):
            m.d.sync += address.eq(self.fault_address)
        return {"status": Cat(overrun, fault, self.irq), "fault_address": address}

    def _build_timer(self, m: Module) -> Value:
        cycles = Signal(WORD_BITS, name="cycles_q")
        m.d.sync += cycles.eq(cycles + 1)
        return cycles

    def _build_light(self, m: Module) -> Value:
        lit = Signal(name="light_q")
        m.d.comb += self.light.eq(lit)
        with m.If(self._accessed("light", 1)):
            m.d.sync += lit.eq(self.registers.data_w[0])
        return lit
