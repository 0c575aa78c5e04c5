"""UART, timer, status and light as a core sees them, in Amaranth's simulator."""

import pytest
from amaranth.sim import Simulator

from cimforge.fpga.cpu.io_registers import IoRegisters
from cimforge.fpga.cpu.memory_map import IO_REGISTERS

PLACES = {register.name: register.offset for register in IO_REGISTERS}
EMPTY = 1 << 31


class Registers:
    """Accesses to the block, as the core's bus makes them."""

    def __init__(self, block, ctx):
        self.block, self.ctx = block, ctx

    async def access(self, place, data=0, write=0, strobe=15):
        """The word, whether it was an error, and the cycles it took."""
        port, ctx = self.block.registers, self.ctx
        ctx.set(port.valid, 1)
        ctx.set(port.write, write)
        ctx.set(port.address, PLACES.get(place, place))
        ctx.set(port.strobe, strobe)
        ctx.set(port.data_w, data)
        cycle, ready = 0, 0
        while not ready:
            cycle += 1
            assert cycle < 100, "no answer"
            *_, ready, error, word = await ctx.tick().sample(port.ready, port.error, port.data_r)
        ctx.set(port.valid, 0)
        await ctx.tick()
        return word, error, cycle

    async def read(self, place):
        word, error, cycles = await self.access(place)
        assert (error, cycles) == (0, 2)
        return word

    async def write(self, place, data):
        assert (await self.access(place, data, 1))[1] == 0

    async def pulse(self, line, **others):
        """A line that is high for a cycle."""
        for signal, value in ((line, 1), *((getattr(self.block, n), v) for n, v in others.items())):
            self.ctx.set(signal, value)
        await self.ctx.tick()
        self.ctx.set(line, 0)

    async def receive(self, byte):
        self.ctx.set(self.block.received.data, byte)
        await self.pulse(self.block.received.valid)


def run(bench):
    block = IoRegisters("test")

    async def core(ctx):
        await bench(Registers(block, ctx))

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(core)
    simulator.run()


def test_a_byte_is_taken_once_and_a_lost_one_is_told():
    async def bench(io):
        assert await io.read("uart") == EMPTY
        await io.receive(0x5A)
        assert await io.read("uart") == 0x5A
        assert await io.read("uart") & EMPTY
        assert await io.read("status") == 0
        await io.receive(1)
        await io.receive(2)
        assert await io.read("status") == 1
        assert await io.read("uart") == 2
        await io.write("status", 2)  # clears another
        assert await io.read("status") == 1
        await io.write("status", 1)
        assert await io.read("status") == 0

    run(bench)


def test_a_byte_to_send_waits_for_the_line():
    async def bench(io):
        block, ctx = io.block, io.ctx
        ctx.set(block.sent.ready, 1)
        assert (await io.access("uart", 0x41, 1))[1:] == (0, 2)
        ctx.set(block.sent.ready, 0)
        port = block.registers
        ctx.set(port.valid, 1)
        ctx.set(port.write, 1)
        ctx.set(port.address, PLACES["uart"])
        ctx.set(port.strobe, 15)
        ctx.set(port.data_w, 0x42)
        for _ in range(7):
            *_, ready, valid, data = await ctx.tick().sample(
                port.ready, block.sent.valid, block.sent.data
            )
            assert (ready, valid, data) == (0, 1, 0x42)
        ctx.set(block.sent.ready, 1)
        *_, valid = await ctx.tick().sample(block.sent.valid)
        assert valid
        *_, ready, valid = await ctx.tick().sample(port.ready, block.sent.valid)
        assert (ready, valid) == (1, 0)  # sent once
        ctx.set(port.valid, 0)

    run(bench)


def test_the_first_fault_is_kept():
    async def bench(io):
        await io.pulse(io.block.fault, fault_address=0x1234)
        await io.pulse(io.block.fault, fault_address=0x5678)
        assert await io.read("status") == 2
        assert await io.read("fault_address") == 0x1234
        await io.write("status", 2)
        await io.pulse(io.block.fault, fault_address=0x5678)
        assert await io.read("fault_address") == 0x5678

    run(bench)


def test_timer_counts_cycles_and_irq_is_a_line():
    async def bench(io):
        begun = await io.read("cycles")
        for _ in range(10):
            await io.ctx.tick()
        assert await io.read("cycles") == begun + 10 + 3  # an access of 2 and the pause behind it
        io.ctx.set(io.block.irq, 1)
        assert await io.read("status") == 4
        io.ctx.set(io.block.irq, 0)
        assert await io.read("status") == 0
        await io.write("light", 1)
        assert io.ctx.get(io.block.light)
        assert await io.read("light") == 1

    run(bench)


@pytest.mark.parametrize(
    ("place", "data", "write", "strobe"),
    [
        (20, 0, 0, 15),  # beyond the last
        (28, 0, 1, 15),
        (1, 0, 0, 15),  # misaligned
        ("uart", 65, 1, 1),  # a byte of the word
        ("light", 1, 1, 7),
        ("cycles", 0, 1, 15),  # read only
        ("fault_address", 0, 1, 15),
        ("light", 2, 1, 15),  # reserved bits
        ("status", 8, 1, 15),
        ("uart", 256, 1, 15),
    ],
)
def test_illegal_accesses_end_in_an_error_and_change_nothing(place, data, write, strobe):
    async def bench(io):
        block, ctx = io.block, io.ctx
        await io.receive(7)
        ctx.set(block.sent.ready, 1)
        word, error, cycles = await io.access(place, data, write, strobe)
        assert (word, error, cycles) == (0, 1, 2)
        assert not ctx.get(block.light)
        assert await io.read("uart") == 7
        assert await io.read("status") == 0

    run(bench)
