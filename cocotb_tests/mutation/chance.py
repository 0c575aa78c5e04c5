"""A design and its broken copy (module PAIR) under random inputs that no test chose: do they ever
differ?"""

import random
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from cimforge.cocotb_tests.mutation.subjects import BOARD
from cimforge.flow.simulate.job import job_config, load_job
from cimforge.flow.simulate.stream_drivers import PAYLOADS
from cimforge.hdl.bus.registers import WORD_BITS, RegisterMap
from cimforge.hdl.macro.ports import macro_ports
from cimforge.host import protocol

CONFIG = job_config()
AROUND = load_job()["around"]
CYCLES = load_job()["cycles"]
RESET = 0.004  # chance in a cycle
STRETCH = 60  # cycles of one kind of traffic
CLOCK_NS = 10


async def _start(dut) -> Random:
    Clock(dut.clk, CLOCK_NS, unit="ns").start()
    return Random(random.getrandbits(64))


def _check(dut, cycle: int) -> None:
    assert not int(dut.differs.value), f"differs before cycle {cycle}"


class _Stream:
    """Offers random beats: payload kept until taken, banks and rows near each other."""

    def __init__(self, dut, name: str, rng: Random):
        widths = {port.name: port.width for port in macro_ports(CONFIG)}
        self._ports = {port: widths[port] for port in PAYLOADS[name] if port in widths}
        self._dut, self._name, self._rng = dut, name, rng
        self.chance, self.offered = 0.5, False

    def drive(self, rst: bool) -> None:
        """A new beat, or a pause, where none waits."""
        ready = getattr(self._dut, f"{self._name}_ready")
        if self.offered and not int(ready.value) and not rst:
            return
        self.offered = self._rng.random() < self.chance
        for port, width in self._ports.items():
            getattr(self._dut, port).value = self._rng.getrandbits(width)
        getattr(self._dut, f"{self._name}_valid").value = int(self.offered)


async def _macro(dut, rng: Random) -> None:
    dut.rst.value = 1
    control = dict(CONFIG.storage_traits.control_ports)
    for name in (*control, "x_valid", "w_valid", "r_valid", "y_ready", "q_ready"):
        getattr(dut, name).value = 0
    await RisingEdge(dut.clk)
    await _fill(dut, rng)
    streams = {name: _Stream(dut, name, rng) for name in "xwr"}
    rst, take = False, 0.5
    for cycle in range(CYCLES):
        if cycle % STRETCH == 0:
            _check(dut, cycle)
            take = rng.choice((0.2, 0.7, 1.0))
            for stream in streams.values():
                stream.chance = rng.choice((0.0, 0.1, 0.6, 1.0))
        await Timer(CLOCK_NS // 2 - 1, "ns")  # before the falling edge readies have settled
        await RisingEdge(dut.clk)
        for stream in streams.values():
            stream.drive(rst)
        rst = rng.random() < RESET
        dut.rst.value = int(rst)
        dut.y_ready.value, dut.q_ready.value = (int(rng.random() < take) for _ in range(2))
    _check(dut, CYCLES)


async def _fill(dut, rng: Random) -> None:
    """Write every row of every bank, before which weights are undefined."""
    for bank in range(CONFIG.banks):
        for row in range(CONFIG.rows):
            beat = {"w_row": row, "w_bank": bank, "w_signed": rng.getrandbits(1), "w_valid": 1}
            beat["w_fill"] = 1
            beat["w_data"] = rng.getrandbits(CONFIG.cols * CONFIG.weight_bits)
            dut.rst.value = 0
            for port, value in beat.items():
                if hasattr(dut, port):
                    getattr(dut, port).value = value
            for _ in range(CONFIG.fill_cycles(row)):  # accepted in the first
                await RisingEdge(dut.clk)
    dut.w_valid.value = 0
    await RisingEdge(dut.clk)
    await RisingEdge(dut.clk)


def _words(rng: Random, registers) -> tuple[int, int]:
    """An address, mostly one that exists, and data that is mostly near what it means there."""
    table = RegisterMap(CONFIG)
    if rng.random() < 0.1:
        return rng.getrandbits(table.address_bits), rng.getrandbits(WORD_BITS)
    if rng.random() < 0.4:
        window = rng.choice(table.windows())
        return window.offset + 4 * rng.randrange(window.words), rng.getrandbits(WORD_BITS)
    register = rng.choice(registers)
    data = 0
    for field in register.fields:
        data |= rng.getrandbits(field.width) << field.low
    if rng.random() < 0.2:
        data ^= 1 << rng.randrange(WORD_BITS)
    return register.offset, data


async def _bus(dut, rng: Random) -> None:
    table = RegisterMap(CONFIG)
    dut.rst.value = 1
    for port in ("wb_cyc", "wb_stb", *dict(CONFIG.storage_traits.control_ports)):
        getattr(dut, port).value = 0
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    for cycle in range(CYCLES // 3):
        if cycle % STRETCH == 0:
            _check(dut, 3 * cycle)
        address, data = _words(rng, table.registers())
        dut.wb_cyc.value, dut.wb_stb.value = 1, 1
        dut.wb_we.value, dut.wb_adr.value, dut.wb_dat_w.value = rng.getrandbits(1), address, data
        dut.wb_sel.value = 15 if rng.random() < 0.95 else rng.getrandbits(4)
        for _ in range(2):
            await RisingEdge(dut.clk)
        if rng.random() < 0.5:
            dut.wb_stb.value = dut.wb_cyc.value = 0
            await RisingEdge(dut.clk)
        dut.rst.value = int(rng.random() < RESET)
    _check(dut, CYCLES)


def _request(rng: Random, registers) -> protocol.Request:
    """A request near what is asked for."""
    address, data = _words(rng, registers)
    operation = rng.choice((*range(1, 5), 1, 4, rng.randrange(8)))
    if operation == protocol.READ:
        return protocol.Request(operation, address | (address + 4 * rng.randrange(4)) << 16)
    parameter = address if operation == protocol.WRITE else data & rng.choice((0x8001_0007, -1))
    payload = rng.randbytes(rng.randrange(1, 24))
    return protocol.Request(operation, parameter, payload, mode=rng.choice((0, 0, 1)))


async def _board(dut, rng: Random) -> None:
    registers = RegisterMap(CONFIG).registers()
    divisor = BOARD.divisor
    dut.rx.value = 1
    await Timer(400 * CLOCK_NS, "ns")
    spent, session, sequence = 0, 0, 0
    while spent < CYCLES:
        if not session or rng.random() < 0.1:
            before = session if rng.random() < 0.5 else 0
            session, sequence = rng.getrandbits(32) | 1, 0
            frame = protocol.opening(session, before)
        else:
            frame = _request(rng, registers).frame(sequence, session)
            sequence = (sequence + (rng.random() < 0.95)) % 256
        if rng.random() < 0.1:
            garbled = bytearray(frame)
            garbled[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
            frame, session = bytes(garbled), 0
        if rng.random() < 0.05:
            frame, session = frame[: rng.randrange(len(frame))] + bytes(40), 0
        for byte in frame:
            for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
                dut.rx.value = bit
                await Timer(CLOCK_NS * divisor, "ns")
        silence = rng.choice((90, 90, 60, 10, 1, 1))
        await Timer(CLOCK_NS * divisor * silence, "ns")
        spent += divisor * (10 * len(frame) + silence)
        _check(dut, spent)


@cocotb.test()
async def test_they_never_differ(dut):
    """Equal outputs in every cycle of random traffic."""
    rng = await _start(dut)
    await {"macro": _macro, "bus": _bus, "board": _board}[AROUND](dut, rng)
