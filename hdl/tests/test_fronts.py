"""Front ends of buses cycle by cycle, in Amaranth's simulator: latency, throughput, patience."""

from collections.abc import Callable

import pytest
from amaranth.sim import Simulator

from cimforge.hdl.bus.apb_slave import ApbSlave
from cimforge.hdl.bus.axi4_master import Axi4Master
from cimforge.hdl.bus.axi4lite_slave import Axi4LiteSlave
from cimforge.hdl.bus.axi_streams import AxiStreamIn, AxiStreamOut
from cimforge.hdl.bus.wishbone_master import WishboneMaster
from cimforge.hdl.bus.wishbone_registers import WishboneRegisterSlave
from cimforge.hdl.netlist.block import Block

SLAVES: dict[str, Callable[..., Block]] = {
    "axi4lite": Axi4LiteSlave,
    "apb": ApbSlave,
    "wishbone": WishboneRegisterSlave,
}
every_slave = pytest.mark.parametrize("name", SLAVES)


def run(front: Block, drive: Callable) -> None:
    """Simulate ``drive(ctx)`` beside a front end."""
    simulator = Simulator(front)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()


def put(ctx, stream, **values: int) -> None:
    """Set lines of a bus or stream."""
    for name, value in values.items():
        ctx.set(getattr(stream, name), value)


class Registers:
    """A bus with ``front`` on it, and behind it registers that read as their address, ored with
    READ; they refuse an access ``refusals`` times."""

    READ = 0xABCD0000

    def __init__(self, ctx, front: Block, name: str):
        self.ctx, self.front, self.name = ctx, front, name
        self.refusals = 0
        self.asked = 0

    async def tick(self) -> None:
        """End a cycle; the registers answer in it."""
        ctx, registers = self.ctx, self.front.registers
        refuses = self.refusals > 0
        word = self.READ | ctx.get(registers.address)
        put(ctx, registers, ready=1, error=int(refuses), data_r=word)
        if ctx.get(registers.valid):
            self.asked += 1
            self.refusals -= refuses
        await ctx.tick()

    async def access(self, address: int, data: int | None = None, strobe: int = 0xF):
        """An access from its first cycle; cycles until its answer, whether it failed, its word."""
        return await getattr(self, f"_{self.name}")(address, data, strobe)

    async def _until(self, ready) -> int:
        cycles = 0
        while not self.ctx.get(ready):
            await self.tick()
            cycles += 1
            assert cycles < 100
        return cycles

    async def _apb(self, address: int, data: int | None, strobe: int):
        ctx, apb = self.ctx, self.front.apb
        asked = {"paddr": address, "pwdata": data or 0, "pwrite": int(data is not None)}
        put(ctx, apb, **asked, pstrb=strobe if data is not None else 0, psel=1, penable=0)
        await self.tick()
        put(ctx, apb, penable=1)
        cycles = await self._until(apb.pready)
        told = cycles, ctx.get(apb.pslverr), ctx.get(apb.prdata)
        await self.tick()
        put(ctx, apb, psel=0, penable=0)
        return told

    async def _wishbone(self, address: int, data: int | None, strobe: int):
        ctx, wb = self.ctx, self.front.wb
        put(ctx, wb, adr=address, dat_w=data or 0, we=int(data is not None), sel=strobe)
        put(ctx, wb, cyc=1, stb=1)
        cycles = await self._until(wb.ack | wb.err)
        told = cycles, ctx.get(wb.err), ctx.get(wb.dat_r)
        await self.tick()
        put(ctx, wb, cyc=0, stb=0)
        return told

    async def _axi4lite(self, address: int, data: int | None, strobe: int):
        ctx, axil = self.ctx, self.front.axil
        put(ctx, axil, awaddr=address, araddr=address, wdata=data or 0, wstrb=strobe)
        write = int(data is not None)
        put(ctx, axil, awvalid=write, wvalid=write, arvalid=1 - write, bready=1, rready=1)
        assert ctx.get(axil.awready & axil.wready & axil.arready)
        await self.tick()
        put(ctx, axil, awvalid=0, wvalid=0, arvalid=0)
        cycles = 1 + await self._until(axil.bvalid if write else axil.rvalid)
        response, word = ctx.get(axil.bresp if write else axil.rresp), ctx.get(axil.rdata)
        assert response in (0, 2)
        await self.tick()
        return cycles, response // 2, word


def on_registers(name: str, test: Callable, patience: int = 0) -> None:
    """Run ``test(bus)`` on registers behind a front end."""
    front = SLAVES[name]("front", 12, patience)

    async def drive(ctx):
        await test(Registers(ctx, front, name))

    run(front, drive)


@every_slave
def test_an_access_takes_the_latency(name):
    async def test(bus):
        latency = bus.front.latency
        assert await bus.access(0x124, 5) == (latency, 0, bus.READ | 0x124) or name == "axi4lite"
        assert await bus.access(0xFFC) == (latency, 0, bus.READ | 0xFFC)
        assert (await bus.access(0x10, 5))[:2] == (latency, 0)
        assert bus.asked == 3

    on_registers(name, test)


@every_slave
def test_misaligned_and_partial_accesses_are_refused_at_once(name):
    async def test(bus):
        for address in (1, 2, 3, 0xFFF):
            for data in (None, 7):
                told = await bus.access(address, data)
                assert told[:2] == (bus.front.latency, 1)
                assert data is not None or told[2] == 0
        for strobe in range(15):
            assert (await bus.access(8, 7, strobe))[:2] == (bus.front.latency, 1)
        assert bus.asked == 0

    on_registers(name, test, patience=9)


@every_slave
@pytest.mark.parametrize("patience", [0, 1, 5])
def test_what_is_refused_is_asked_for_again_until_patience_ends(name, patience):
    async def test(bus):
        for refusals in range(patience + 3):
            bus.refusals, bus.asked = refusals, 0
            cycles, failed, word = await bus.access(0x20)
            tries = min(refusals, patience)
            assert cycles == bus.front.latency + tries
            assert bus.asked == 1 + tries
            assert failed == int(refusals > patience)
            assert word == (0 if failed else bus.READ | 0x20)

    on_registers(name, test, patience)


def test_axi4lite_takes_two_cycles_of_both_kinds_and_three_of_one():
    front = Axi4LiteSlave("front", 12)

    async def drive(ctx):
        axil, cycles = front.axil, 120
        put(ctx, front.registers, ready=1)
        put(ctx, axil, bready=1, rready=1, wstrb=0xF)
        for write, read, due in ((1, 1, 2), (1, 0, 3), (0, 1, 3)):
            put(ctx, axil, awvalid=write, wvalid=write, arvalid=read)
            await ctx.tick().repeat(6)
            answers = 0
            for _ in range(cycles):
                answers += ctx.get(axil.bvalid) + ctx.get(axil.rvalid)
                await ctx.tick()
            assert answers == cycles // due

    run(front, drive)


def test_axi4lite_takes_word_and_address_in_any_order():
    front = Axi4LiteSlave("front", 12)

    async def drive(ctx):
        axil = front.axil
        put(ctx, front.registers, ready=1)
        put(ctx, axil, awaddr=0x44, wdata=99, wstrb=0xF, bready=1)
        for first, second in (("aw", "w"), ("w", "aw")):
            ctx.set(getattr(axil, f"{first}valid"), 1)
            await ctx.tick()
            put(ctx, axil, awvalid=0, wvalid=0)
            for _ in range(5):
                assert not ctx.get(front.registers.valid)
                await ctx.tick()
            ctx.set(getattr(axil, f"{second}valid"), 1)
            await ctx.tick()
            put(ctx, axil, awvalid=0, wvalid=0)
            await ctx.tick()
            registers = front.registers
            seen = [
                ctx.get(line) for line in (registers.valid, registers.address, registers.data_w)
            ]
            assert seen == [1, 0x44, 99]
            await ctx.tick()
            assert ctx.get(axil.bvalid)
            await ctx.tick()

    run(front, drive)


@pytest.mark.parametrize("kind", [AxiStreamIn, AxiStreamOut])
def test_a_stream_moves_a_beat_in_every_cycle(kind):
    front = kind("front", 32)
    inward = kind is AxiStreamIn
    given = front.axis.tdata if inward else front.beats.data
    taken = front.beats.data if inward else front.axis.tdata

    async def drive(ctx):
        lines = {"tvalid": 1} if inward else {"tready": 1}
        put(ctx, front.axis, **lines)
        put(ctx, front.beats, **({"ready": 1} if inward else {"valid": 1}))
        for beat in range(20):
            ctx.set(given, 100 + beat)
            assert ctx.get(front.axis.tready if inward else front.beats.ready)
            if beat >= front.latency:
                assert ctx.get(front.beats.valid if inward else front.axis.tvalid)
                assert ctx.get(taken) == 100 + beat - front.latency
            await ctx.tick()

    run(front, drive)


def test_axi4_moves_a_request_and_a_word_in_every_cycle():
    front = Axi4Master("front", 32, 32)

    async def drive(ctx):
        memory, axi = front.memory, front.axi
        put(ctx, axi, arready=1, awready=1, wready=1)
        put(ctx, memory.read, valid=1)
        put(ctx, memory.write, valid=1, beats=0)
        put(ctx, memory.write_data, valid=1, last=1)
        await ctx.tick().repeat(3)
        for number in range(20):
            put(ctx, memory.read, address=4 * number, beats=number)
            put(ctx, memory.write_data, data=number)
            assert ctx.get(memory.read.ready & memory.write.ready & memory.write_data.ready)
            if number >= front.latency:
                assert ctx.get(axi.arvalid & axi.awvalid & axi.wvalid & axi.wlast)
                last = number - front.latency
                assert (ctx.get(axi.araddr), ctx.get(axi.arlen)) == (4 * last, last)
                assert ctx.get(axi.wdata) == last
            await ctx.tick()

    run(front, drive)


@pytest.mark.parametrize("beats", [1, 2, 16])
@pytest.mark.parametrize("write", [False, True])
def test_wishbone_bursts_of_n_words_take_one_cycle_more(beats, write):
    """A slave that feeds its answer back: it looks at cti, and acknowledges ahead."""
    front, bursts = WishboneMaster("front", 32, 32), 6

    async def drive(ctx):
        memory, wb = front.memory, front.wb
        request = memory.write if write else memory.read
        put(ctx, memory.read_data, ready=1)
        put(ctx, memory.write_done, ready=1)
        put(ctx, memory.write_data, valid=1, strobe=0xF)
        put(ctx, request, valid=1, address=0x100, beats=beats - 1)
        put(ctx, wb, ack=1)
        await ctx.tick()
        for _ in range(bursts):
            for word in range(beats):
                assert ctx.get(wb.cyc & wb.stb)
                assert ctx.get(wb.we) == write
                assert ctx.get(wb.adr) == 0x100 + 4 * word
                assert ctx.get(wb.cti) == (0b111 if word == beats - 1 else 0b010)
                await ctx.tick()
            assert not ctx.get(wb.cyc)
            assert ctx.get(memory.write_done.valid) == write
            await ctx.tick()

    run(front, drive)
