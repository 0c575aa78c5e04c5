"""Both front ends of AXI4-Stream, one behind the other, between a third-party source and sink."""

import random
from pathlib import Path
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from cimforge.cocotb_tests.bus_fronts.bus_drivers import CLOCK_NS, pauses
from cimforge.cocotb_tests.coverage import Coverage
from cimforge.flow.simulate.job import load_job

JOB = load_job()
BEATS = int(JOB.get("beats", 2000))
PATIENCE = 4000  # cycles for a frame
LONGEST = 200  # bytes of a frame


class StreamBench:
    """Source, sink and clock of one test."""

    moved = 0

    def __init__(self, dut):
        self.dut, self.rng = dut, Random(random.getrandbits(64))
        self.lanes = len(dut.in_tkeep)

    async def start(self, paused: bool) -> "StreamBench":
        """Start the clock and reset; with ``paused``, both ends pause at random."""
        dut = self.dut
        Clock(dut.clk, CLOCK_NS, unit="ns").start()
        dut.rst.value = 1
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "in"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "out"), dut.clk, dut.rst)
        for end in (self.source, self.sink):
            end.log.setLevel("WARNING")
            if paused:
                end.set_pause_generator(pauses(self.rng))
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        return self

    def frame(self) -> tuple[AxiStreamFrame, int]:
        """A frame of random bytes, some of which do not count; and its beats."""
        data = self.rng.randbytes(self.rng.randint(1, LONGEST))
        keep = [1] * len(data)
        if self.rng.random() < 0.3:  # not in the last, so that the sink sees the frame's end
            keep = [int(self.rng.random() < 0.8) for _ in data[:-1]] + [1]
        return AxiStreamFrame(data, tkeep=keep), -(-len(data) // self.lanes)

    async def pass_frames(self, count: int) -> None:
        """Frames through both front ends: they come out as they went in, in order."""
        frames = [self.frame() for _ in range(count)]
        for frame, _ in frames:
            self.source.send_nowait(frame)
        for sent, beats in frames:
            told = await with_timeout(self.sink.recv(compact=False), PATIENCE * CLOCK_NS, "ns")
            size = len(sent.tdata)
            assert bytes(told.tdata[:size]) == bytes(sent.tdata)
            assert list(told.tkeep[:size]) == list(sent.tkeep)
            assert not any(told.tkeep[size:])
            assert len(told.tdata) == beats * self.lanes
            StreamBench.moved += beats

    async def finish(self) -> None:
        """Nothing is left; save the count of beats."""
        for _ in range(20):
            await RisingEdge(self.dut.clk)
            assert not int(self.dut.out_tvalid.value)
        assert self.sink.empty()
        Coverage({}).save(Path(JOB["coverage"]), StreamBench.moved)


@cocotb.test()
async def test_random_frames(dut):
    """Frames of every length with random idle and back-pressure come through unchanged."""
    bench = await StreamBench(dut).start(paused=True)
    while StreamBench.moved < BEATS:
        await bench.pass_frames(10)
    await bench.finish()


@cocotb.test()
async def test_a_beat_in_every_cycle(dut):
    """At full pace no cycle is lost between the first beat and the last."""
    bench = await StreamBench(dut).start(paused=False)
    await bench.pass_frames(2)
    frames = [bytes([number] * 8 * bench.lanes) for number in range(8)]
    for frame in frames:
        bench.source.send_nowait(AxiStreamFrame(frame))
    first = last = beats = 0
    for cycle in range(200):
        await RisingEdge(dut.clk)
        if int(dut.out_tvalid.value) and int(dut.out_tready.value):
            first, last, beats = first or cycle, cycle, beats + 1
    assert beats == 8 * 8
    assert last - first == beats - 1
    for frame in frames:
        assert bytes((await bench.sink.recv()).tdata) == frame
    await bench.finish()


@cocotb.test()
async def test_reset_drops_what_is_inside(dut):
    """Reset with beats inside: none comes out, and later frames are whole."""
    bench = await StreamBench(dut).start(paused=False)
    for delay in range(6):
        bench.sink.pause = delay % 2 == 0
        bench.source.send_nowait(AxiStreamFrame(bytes(range(64))))
        for _ in range(delay):
            await RisingEdge(dut.clk)
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        bench.source.clear()  # of what it had not begun
        bench.sink.clear()
        bench.sink.current_frame = None
        dut.rst.value = 0
        bench.sink.pause = False
        for _ in range(8):
            await RisingEdge(dut.clk)
            assert not int(dut.out_tvalid.value)
        await bench.pass_frames(1)
    await bench.finish()
