"""What a link does with requests to an engine, in Amaranth's simulator: byte by byte."""

import random

import pytest
from amaranth.sim import Simulator

from cimforge.fpga.engine_link.engine_executor import EngineExecutor
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host import engine_protocol as told
from cimforge.host import protocol
from cimforge.host.protocol import Request

CONFIG = EngineConfig(macro=MacroConfig(rows=8, cols=4), act_bytes=256, channels=8)
MAP = EngineMap(CONFIG)
RAM_BITS, DEPTH, WAIT = 6, 1024, 50
MOST_CYCLES = 5000
STATUS, BASE, COUNT, CONTROL = (
    MAP.register(name) for name in ("status", "queue_base", "queue_count", "control")
)
REFUSED = MAP.register("version").offset  # of writes, here


class Bench:
    """An executor with registers and memory of a dictionary each. ``status`` are the words that the
    status register has, one read after the other, the last for ever; ``patience`` the most cycles
    that a register takes."""

    def __init__(self, seed: int = 1):
        self.block = EngineExecutor(CONFIG, RAM_BITS, DEPTH, WAIT)
        self.memory = [0x1000_0000 + place for place in range(1 << RAM_BITS - 2)]
        self.registers: dict[int, int] = {0: 0x1234_5678, 4: 7, 8: 9}
        self.status = [0]
        self.written: list[tuple[int, int]] = []
        self.enabled: list[int] = []  # cycles in which memory was asked
        self.sessions: list[int] = []
        self.rng = random.Random(seed)

    def ask(self, request: Request, number: int = 5) -> tuple[bytes, int]:
        """The payload of the reply and its status."""
        frame = request.frame(number, 1)
        reply = self.run([frame[1 : -protocol.CRC_BYTES]], 1)[0]
        assert reply[:2] == bytes([protocol.REPLY, number])
        return reply[2:-1], reply[-1]

    def run(self, requests: list[bytes], replies: int, rejected: bool = False) -> list[bytes]:
        """Replies, the CRC left out, to requests whose bytes come one after the other."""
        got: list[bytearray] = []
        simulator = Simulator(self.block)
        simulator.add_clock(1e-6)
        simulator.add_testbench(self._registers, background=True)
        simulator.add_testbench(self._memory, background=True)

        async def send(ctx):
            head = self.block.head
            for byte in b"".join(requests):
                ctx.set(head.data, byte)
                ctx.set(head.valid, 1)
                taken = False
                while not taken:
                    _, _, taken = await ctx.tick().sample(head.ready)
                ctx.set(head.valid, 0)
                await ctx.tick().repeat(self.rng.randrange(1, 3))

        async def take(ctx):
            reply, drained = self.block.reply, 0
            for _ in range(MOST_CYCLES):
                if drained == protocol.CRC_BYTES * replies:
                    return
                ctx.set(reply.ready, int(self.rng.random() < 0.5))
                values = (reply.valid, reply.ready, reply.data, reply.first, reply.drain)
                _, _, valid, ready, data, first, drain = await ctx.tick().sample(*values)
                if valid and ready and drain:
                    drained += 1
                elif valid and ready:
                    got.extend([bytearray()] if first else [])
                    got[-1].append(data)
            raise AssertionError(f"no whole reply in {MOST_CYCLES} cycles: {got}")

        async def watch(ctx):
            block = self.block
            ctx.set(block.expected, 77)
            ctx.set(block.rejected, int(rejected))
            await ctx.tick()
            ctx.set(block.rejected, 0)
            while True:
                _, _, begins, session = await ctx.tick().sample(block.begins, block.session)
                self.sessions += [session] if begins else []

        simulator.add_testbench(send)
        simulator.add_testbench(take)
        simulator.add_testbench(watch, background=True)
        simulator.run()
        return [bytes(each) for each in got]

    async def _registers(self, ctx):
        port = self.block.registers
        while True:
            _, _, valid = await ctx.tick().sample(port.valid)
            if not valid:
                continue
            address, word = ctx.get(port.address), ctx.get(port.data_w)
            assert ctx.get(port.strobe) == 0b1111
            fails = address not in self.registers
            if ctx.get(port.write):
                fails = address == REFUSED
                if not fails:
                    self.written.append((address, word))
            elif address == STATUS.offset:
                fails, self.registers[address] = False, self.status[0]
                self.status = self.status[1:] or self.status
            await ctx.tick().repeat(self.rng.randrange(1, 3))
            ctx.set(port.ready, 1)
            ctx.set(port.error, int(fails))
            ctx.set(port.data_r, 0 if fails else self.registers.get(address, 0))
            await ctx.tick()
            ctx.set(port.ready, 0)

    async def _memory(self, ctx):
        ram, cycle = self.block.ram, 0
        values = (ram.enable, ram.write, ram.address, ram.strobe, ram.data_w)
        while True:
            _, _, enable, write, address, strobe, word = await ctx.tick().sample(*values)
            cycle += 1
            if enable:
                assert strobe == 0b1111
                self.enabled.append(cycle)
                if write:
                    self.memory[address // 4] = word
                else:
                    ctx.set(ram.data_r, self.memory[address // 4])


def words(*numbers: int) -> bytes:
    """Numbers as words."""
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def test_memory_is_written_and_read_in_words():
    bench = Bench()
    assert bench.ask(Request(told.PUT, 3, words(5, 6) + b"\x07")) == (b"", protocol.DONE)
    assert bench.memory[2:7] == [0x10000002, 5, 6, 7, 0x10000006]
    bench.enabled.clear()
    assert bench.ask(Request(told.GET, 2 | 3 << 20, answer=16)) == (words(0x10000002, 5, 6, 7), 0)
    assert all(b - a > 1 for a, b in zip(bench.enabled, bench.enabled[1:], strict=False))


@pytest.mark.parametrize("first", [15, 16, 1 << 19, (1 << 20) - 1])
def test_what_lies_outside_moves_nothing(first):
    """The word before the end is moved; nothing wraps, and the reply has its length."""
    bench, inside = Bench(), first == 15
    before = list(bench.memory)
    assert bench.ask(Request(told.PUT, first, words(1, 2, 3))) == (b"", protocol.REFUSED)
    assert bench.memory == [*before[:-1], 1 if inside else before[-1]]
    expected = words(1 if inside else 0, 0, 0)
    assert bench.ask(Request(told.GET, first | 2 << 20, answer=12)) == (expected, protocol.REFUSED)


def test_registers_are_written_and_read():
    bench = Bench()
    assert bench.ask(Request(protocol.WRITE, 16, words(3, 4))) == (b"", 0)
    assert bench.written == [(16, 3), (20, 4)]
    assert bench.ask(Request(protocol.READ, 8 << 16, answer=12)) == (words(0x12345678, 7, 9), 0)


@pytest.mark.parametrize("address", [REFUSED, 2, 1 << MAP.address_bits, 0xFFFC])
def test_a_refused_register_ends_the_request(address):
    bench = Bench()
    told_words = words(1, 2)
    assert bench.ask(Request(protocol.WRITE, address, told_words)) == (b"", protocol.REFUSED)
    assert bench.written == []


@pytest.mark.parametrize("operation", [protocol.LOAD, protocol.MULTIPLY])
def test_the_macros_own_operations_are_refused(operation):
    bench = Bench()
    assert bench.ask(Request(operation, 0, bytes(9))) == (b"", protocol.REFUSED)
    assert (bench.written, bench.enabled) == ([], [])


def test_what_is_left_of_a_payload_is_forgotten():
    """The next request is understood."""
    bench = Bench()
    requests = [
        Request(protocol.READ, 0, bytes(7), answer=4),
        Request(protocol.LOAD, 0, bytes(5)),
        Request(told.RUN, 0, bytes(3), answer=4),
        Request(protocol.READ, 4 | 4 << 16, answer=4),
    ]
    frames = [r.frame(n, 1)[1 : -protocol.CRC_BYTES] for n, r in enumerate(requests)]
    replies = bench.run(frames, 4)
    assert [reply[1] for reply in replies] == [0, 1, 2, 3]
    assert replies[3][2:] == words(7) + b"\0"


def test_a_queue_is_started_behind_the_one_before():
    bench = Bench()
    done, busy = STATUS.word(done=1), STATUS.word(busy=1)
    bench.status = [busy, STATUS.word(resetting=1), busy, done]
    assert bench.ask(Request(told.RUN, 3 | 9 << 16, answer=4)) == (words(done), 0)
    started = CONTROL.word(start=1)
    assert bench.written == [(BASE.offset, 192), (COUNT.offset, 9), (CONTROL.offset, started)]


@pytest.mark.parametrize("bit", ["error", "overflow"])
def test_nothing_is_started_behind_a_bad_end(bit):
    bench = Bench()
    bench.status = [STATUS.word(busy=1), word := STATUS.word(**{bit: 1})]
    assert bench.ask(Request(told.RUN, 3 | 9 << 16, answer=4)) == (words(word), protocol.DONE)
    assert bench.written == []


def test_a_wait_without_a_queue_starts_nothing():
    bench = Bench()
    bench.status = [STATUS.word(busy=1), STATUS.word(done=1)]
    assert bench.ask(Request(told.RUN, 3, answer=4)) == (words(STATUS.word(done=1)), 0)
    assert bench.written == []


def test_a_wait_ends():
    bench = Bench()
    bench.status = [word := STATUS.word(busy=1)]
    assert bench.ask(Request(told.RUN, 3 | 9 << 16, answer=4)) == (words(word), protocol.REFUSED)
    assert bench.written == []


def test_a_session_is_opened_and_a_rejection_told():
    bench = Bench()
    opened = bench.ask(Request(protocol.OPEN, 0xCAFE, answer=1))
    assert opened == (bytes([protocol.VERSION << 4 | 10]), 0)
    assert bench.sessions == [0xCAFE]
    assert bench.run([], 1, rejected=True) == [bytes([protocol.REJECTION, 77, 0])]
