"""The core's bus alone, in Amaranth's simulator: regions, waits and faults."""

import random

import pytest
from amaranth.sim import Simulator

from cimforge.fpga.cpu.cpu_bus import CpuBus
from cimforge.fpga.cpu.memory_map import memory_map
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_config import EngineConfig

CONFIG = SystemConfig(engine=EngineConfig(macro=load_config("tiny")))
REGIONS = memory_map(CONFIG)
MEMORIES = ("rom", "ram")
SEED = 5


class Core:
    """Does what PicoRV32 does with its memory interface: tells an access ahead, then waits."""

    def __init__(self, bus, ctx):
        self.bus, self.ctx = bus, ctx
        self.faults = []

    async def access(self, address, data=0, strobe=0):
        """The word read, and the cycles until it was ready."""
        bus, ctx = self.bus, self.ctx
        ctx.set(bus.mem_la_write if strobe else bus.mem_la_read, 1)
        ctx.set(bus.mem_la_addr, address)
        ctx.set(bus.mem_la_wdata, data)
        ctx.set(bus.mem_la_wstrb, strobe or random.randrange(16))  # a read's say nothing
        await ctx.tick()
        for name in ("mem_la_read", "mem_la_write", "mem_la_addr", "mem_la_wdata"):
            ctx.set(getattr(bus, name), 0)
        ctx.set(bus.mem_valid, 1)
        ctx.set(bus.mem_addr, address)
        ctx.set(bus.mem_wdata, data)
        ctx.set(bus.mem_wstrb, strobe)
        cycle, ready = 0, 0
        while not ready:
            cycle += 1
            assert cycle < 30, "no answer"
            *_, ready, word, fault, place = await ctx.tick().sample(
                bus.mem_ready, bus.mem_rdata, bus.fault, bus.fault_address
            )
        ctx.set(bus.mem_valid, 0)
        self.faults += [place] if fault else []
        assert not ctx.get(bus.fault)
        return word, cycle


def run(bench):
    """Simulate a bus, memories that answer ~address, and registers that take ``waits`` cycles."""
    bus = CpuBus("test", REGIONS)
    seen, registers = [], {"waits": 0, "error": 0}
    simulator = Simulator(bus)
    simulator.add_clock(1e-6)

    async def memory(ctx, name):
        port = getattr(bus, name)
        while True:
            *_, enable, write, address, strobe, data = await ctx.tick().sample(
                port.enable, port.write, port.address, port.strobe, port.data_w
            )
            if enable:
                seen.append((name, write, address, strobe if write else 0, data))
                ctx.set(port.data_r, ~address & 0xFFFFFFFF)

    async def slave(ctx, name):
        port = getattr(bus, name)
        while True:
            *_, valid, write, address, strobe, data = await ctx.tick().sample(
                port.valid, port.write, port.address, port.strobe, port.data_w
            )
            if not valid:
                continue
            for _ in range(registers["waits"]):
                await ctx.tick()
                assert ctx.get(port.valid)
            seen.append((name, write, address, strobe, data))
            ctx.set(port.ready, 1)
            ctx.set(port.error, registers["error"])
            ctx.set(port.data_r, ~address & 0xFFFFFFFF)
            await ctx.tick()
            ctx.set(port.ready, 0)
            ctx.set(port.error, 0)

    async def core(ctx):
        await bench(Core(bus, ctx), seen, registers)

    simulator.add_testbench(core)
    for each in REGIONS:
        answer = memory if each.name in MEMORIES else slave

        async def task(ctx, answer=answer, name=each.name):
            await answer(ctx, name)

        simulator.add_testbench(task, background=True)
    simulator.run()


@pytest.mark.parametrize("name", [each.name for each in REGIONS])
@pytest.mark.parametrize("waits", [0, 5])
def test_reads_and_writes_reach_their_region(name, waits):
    region = next(each for each in REGIONS if each.name == name)

    async def bench(core, seen, registers):
        registers["waits"] = waits
        ahead = name in MEMORIES
        for place in (0, 4, region.size - 4):
            word, cycles = await core.access(region.base + place)
            assert word == ~place & 0xFFFFFFFF
            assert cycles == (1 if ahead else 2 + waits)
            assert seen.pop() == (name, 0, place, 0 if ahead else 15, 0)
        if region.access != "rx":
            await core.access(region.base + 4, 0x12345678, 0b0110)
            assert seen.pop() == (name, 1, 4, 0b0110, 0x12345678)
        assert not seen
        assert not core.faults

    run(bench)


def test_addresses_between_regions_are_faults():
    async def bench(core, seen, registers):
        outside = [region.end for region in REGIONS] + [0xFFFFFFFC, REGIONS[1].base - 4]
        for address in outside:
            for strobe in (0, 15):
                word, cycles = await core.access(address, 1, strobe)
                assert (word, cycles) == (0, 1)
        assert core.faults == [address for address in outside for _ in range(2)]
        assert not seen

    run(bench)


def test_what_a_region_refuses_is_a_fault_and_reads_0():
    async def bench(core, seen, registers):
        await core.access(8, 0xFFFFFFFF, 15)
        assert core.faults == [8]  # ROM is not written
        assert not seen
        registers["error"] = 1
        io = next(each for each in REGIONS if each.name == "io")
        word, _ = await core.access(io.base + 4)
        assert word == 0
        assert core.faults == [8, io.base + 4]

    run(bench)


def test_random_accesses_in_a_row():
    draw = random.Random(SEED)
    print(f"seed {SEED}")

    async def bench(core, seen, registers):
        for _ in range(300):
            region, place = draw.choice(REGIONS), 4 * draw.randrange(8)
            registers["waits"] = draw.choice((0, 0, 1, 3))
            strobe = draw.randrange(16) if region.access != "rx" else 0
            word, _ = await core.access(region.base + place, 7, strobe)
            told = (region.name, int(strobe > 0), place)
            assert seen.pop()[:3] == told
            assert not seen
            assert strobe or word == ~place & 0xFFFFFFFF
            for _ in range(draw.randrange(3)):
                await core.ctx.tick()
        assert not core.faults

    run(bench)
