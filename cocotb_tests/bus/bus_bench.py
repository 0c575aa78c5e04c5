"""The bench around a wrapped macro: a third-party Wishbone master, the model, coverage."""

import random
from pathlib import Path
from random import Random

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge
from cocotbext.wishbone import driver as wishbone_driver
from cocotbext.wishbone.driver import WBOp, WishboneMaster

from cimforge.cocotb_tests.bus.bus_model import STATUS, Access, BusModel
from cimforge.cocotb_tests.coverage import Coverage
from cimforge.cocotb_tests.packing import pack
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.stream_drivers import tie_off
from cimforge.hdl.params.config import MacroConfig

__all__ = ["RESETS", "BusBench", "bus_bins"]

SIGNALS = {
    **{name: name for name in ("cyc", "stb", "we", "adr", "ack")},
    **{"datwr": "dat_w", "datrd": "dat_r"},
}
OUTCOMES = {1: "ack", 2: "err"}
IDLE = (0, 0, 0, 1, 3)  # cycles before an access
SAMPLE = 128  # rows read back at once
TIMEOUT = 20  # cycles; the slave answers after one
RESETS = ("rst", "control")
KINDS = ("constant", "state", "command", "x", "w", "y", "q", "unmapped", "misaligned", "partial")


def bus_bins() -> dict[str, list]:
    """Coverage bins: each kind of access, read and written, with each outcome it can have."""
    legal = [("constant", "read"), ("state", "read"), ("state", "write"), ("command", "write")]
    legal += [("x", "write"), ("w", "write"), ("y", "read"), ("q", "read")]
    never_refused = [("constant", "read"), ("state", "read"), ("state", "write")]
    refused = [(kind, way) for kind in KINDS for way in ("read", "write")]
    refused = [pair for pair in refused if pair not in never_refused]
    return {
        "access": [(*pair, "ack") for pair in legal] + [(*pair, "err") for pair in refused],
        "irq": list(STATUS),
        "not ready": ["x_start", "w_start", "r_start", "y_next", "q_next", "x", "w", "y", "q"],
        "reset": [(how, state) for how in RESETS for state in ("x", "w", "r", "y", "q", "all")],
    }


class BusBench:
    """Runs accesses on the bus and checks each answer against the model."""

    coverage: Coverage | None = None
    passes = 0

    def __init__(self, dut):
        job = load_job()
        self.dut = dut
        self.config = MacroConfig(**job["config"])
        self.rng = Random(random.getrandbits(64))
        self.numpy_rng = np.random.default_rng(self.rng.getrandbits(32))
        self.model = BusModel(self.config)
        self.map = self.model.map
        self.accesses = 0
        if BusBench.coverage is None:
            BusBench.coverage = Coverage(bus_bins())
        self._coverage_file = Path(job["coverage"])
        # Icarus shows values set before the first time step and does not pass them on.
        wishbone_driver.set_immediate = lambda signal, value: setattr(signal, "value", value)
        self.master = WishboneMaster(dut, "wb", dut.clk, timeout=TIMEOUT, signals_dict=SIGNALS)

    @classmethod
    async def loaded(cls, dut) -> "BusBench":
        """A bench whose banks hold random weights, every other bank signed, bank 0 first."""
        bench = cls(dut)
        await bench.start()
        for bank in range(bench.config.banks):
            await bench.write_bank(bank, signed=bank % 2 == 0)
        await bench.run(bench.window_writes("x", bench.random_vector()))  # undefined until written
        return bench

    async def start(self) -> None:
        """Start the clock and reset."""
        tie_off(self.dut, self.config)
        Clock(self.dut.clk, 10, unit="ns").start()
        await self.reset()

    async def reset(self, cycles: int = 2) -> None:
        """Hold rst for some cycles."""
        self.dut.rst.value = 1
        for _ in range(cycles):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.model.reset()

    # accesses

    def offset(self, register: str) -> int:
        """Address of a register."""
        return self.map.register(register).offset

    async def run(self, accesses: list[Access]) -> list[tuple[str, int]]:
        """One bus cycle of accesses, each checked; outcomes and data.

        An access may lie behind one whose outcome is open only where it does not depend on it.
        """
        operations = [
            WBOp(a.address, a.data, self.rng.choice(IDLE), a.select, acktimeout=TIMEOUT)
            for a in accesses
        ]
        answers = await self.master.send_cycle(operations)
        assert len(answers) == len(accesses), "an access was not answered"
        outcomes = []
        for access, answer in zip(accesses, answers, strict=True):
            outcome, data = OUTCOMES[answer.ack], int(answer.datrd)
            self._check(access, outcome, data)
            outcomes.append((outcome, data))
        return outcomes

    def _check(self, access: Access, outcome: str, data: int) -> None:
        expected = self.model.expect(access)
        assert outcome in expected.outcomes, f"{access} ended in {outcome}"
        if access.data is None and outcome == "err":
            assert data == 0, f"{access} ended in an error and carries {data:#x}"
        if access.data is None and outcome == "ack" and expected.data is not None:
            assert (data ^ expected.data) & expected.mask == 0, (
                f"{access} reads {data:#010x}, must be {expected.data:#010x} in {expected.mask:#x}"
            )
            if access.address == self.offset("status"):
                whole = self.model.status(data)
                assert data == whole, f"status reads {data:#010x}, must be {whole:#010x}"
        self._cover(access, outcome)
        if outcome == "ack":
            self.model.account(access, data)
            BusBench.passes += access.address == self.offset("y_next")
        self.accesses += 1

    def _cover(self, access: Access, outcome: str) -> None:
        assert BusBench.coverage is not None
        way = "read" if access.data is None else "write"
        BusBench.coverage.hit("access", (self._kind(access), way, outcome))

    def _kind(self, access: Access) -> str:
        if access.select != 0xF:
            return "partial"
        if access.address % 4:
            return "misaligned"
        for window in self.map.windows():
            if 0 <= access.address - window.offset < 4 * window.words:
                return window.name
        for register in self.map.registers():
            if register.offset == access.address:
                states = ("control", "status", "irq_enable")
                kinds = {"ro": "constant", "rw": "state", "wo": "command"}
                return "state" if register.name in states else kinds[register.access]
        return "unmapped"

    async def read(self, address: int) -> int:
        """A read that must be acknowledged."""
        ((outcome, data),) = await self.run([Access(address)])
        assert outcome == "ack"
        return data

    async def poll(self, bit: str) -> None:
        """Read status until a bit is 1."""
        place = STATUS.index(bit)
        for _ in range(20 + 4 * self.config.latency()):
            if await self.read(self.offset("status")) >> place & 1:
                return
        raise AssertionError(f"{bit} does not come")

    # whole operations

    def window_writes(self, name: str, value: int) -> list[Access]:
        """Writes that fill a window."""
        window = self.map.window(name)
        return [
            Access(window.offset + 4 * word, value >> 32 * word & 0xFFFFFFFF)
            for word in range(window.words)
        ]

    async def write_bank(self, bank: int = 0, signed: bool = False) -> None:
        """Write random weights to every row of a bank, in any mode; with groups, every other time
        on the fast path."""
        config = self.config
        fill = int(config.grouped and self.rng.random() < 0.5)
        fuse = self.rng.randrange(len(config.modes)) if config.slices > 1 else 0
        shared = bank << 16 | fuse << 24 | fill << 30 | int(signed) << 31
        for row in range(config.rows):
            patterns = self.numpy_rng.integers(0, 1 << config.weight_bits, config.cols)
            await self.poll("w_ready")
            start = Access(self.offset("w_start"), row | shared)
            await self.run([*self.window_writes("w", pack(patterns, config.weight_bits)), start])
        await self.poll("w_ready")

    def random_vector(self) -> int:
        """A random vector as the X window holds it."""
        config = self.config
        patterns = self.numpy_rng.integers(0, 1 << config.input_bits, config.rows)
        return pack(patterns, config.input_bits)

    async def start_pass(self, bits: int = 0, signed: bool = False, bank: int = 0) -> None:
        """Fill X with a random vector and start it."""
        await self.poll("x_ready")
        start = Access(self.offset("x_start"), bits | bank << 16 | int(signed) << 31)
        await self.run([*self.window_writes("x", self.random_vector()), start])

    async def take_result(self) -> None:
        """Read and release the oldest result; every word is checked."""
        await self.poll("y_valid")
        await self.run([*self.read_window("y"), Access(self.offset("y_next"), 0)])

    async def drain(self) -> None:
        """Take results and rows until none is left, in the order in which they come: one that is
        not taken holds back those behind it."""
        idle = 0
        while self.model.results or self.model.rows:
            status = await self.read(self.offset("status"))
            idle = 0 if status >> 3 else idle + 1
            assert idle < 20 + 4 * self.config.latency(), "neither a result nor a row comes"
            for bit, name in ((3, "y"), (4, "q")):
                if status >> bit & 1:
                    await self.run(
                        [*self.read_window(name), Access(self.offset(f"{name}_next"), 0)]
                    )

    async def write_row(self, row: int, turned: int = 0) -> None:
        """Write a row of bank 0 as it is, but for the bits ``turned`` in every weight. As it is:
        whichever of it and a waiting vector goes first, the result is one."""
        patterns, fuse = self.model.model.read(0, row) ^ turned, self.model.model.fuse(0)
        start, bits = row | fuse << 24 | 1 << 31, self.config.modes[fuse].weight_bits
        command = Access(self.offset("w_start"), start)
        await self.run([*self.window_writes("w", pack(patterns, bits)), command])

    async def check_rows(self) -> None:
        """Rows read back as the model holds them: all, or a sample with the first and last."""
        every = [
            (row, bank) for bank in range(self.config.banks) for row in range(self.config.rows)
        ]
        some = self.rng.sample(every, min(len(every), SAMPLE))
        for row, bank in sorted({*some, every[0], every[-1]}):
            await self.take_row(row, bank)

    async def take_row(self, row: int, bank: int = 0) -> None:
        """Read a row back and release it."""
        await self.poll("r_ready")
        await self.run([Access(self.offset("r_start"), row | bank << 16)])
        await self.poll("q_valid")
        await self.run([*self.read_window("q"), Access(self.offset("q_next"), 0)])

    def read_window(self, name: str) -> list[Access]:
        """Reads of a whole window."""
        window = self.map.window(name)
        return [Access(window.offset + 4 * word) for word in range(window.words)]

    async def hold_up(self, stream: str) -> None:
        """Start vectors (x) or read-backs (r) and take none of their answers, until the macro is
        stalled and one more beat waits in the slave."""
        bit, patience = STATUS.index(f"{stream}_ready"), 4 + self.config.latency()
        for _ in range(4 + self.config.result_ranks):
            if stream == "x":
                await self.start_pass(signed=True)
            else:
                await self.run([Access(self.offset("r_start"), 0)])
            for _ in range(patience):
                if await self.read(self.offset("status")) >> bit & 1:
                    break
            else:
                return
        raise AssertionError(f"{stream} is never held up")

    async def refused(self, access: Access, name: str) -> None:
        """An access that must be refused because its stream is not ready: bin ``name``."""
        ((outcome, _),) = await self.run([access])
        assert outcome == "err", f"{access} of {name} was accepted"
        assert BusBench.coverage is not None
        BusBench.coverage.hit("not ready", name)

    async def line(self, name: str) -> bool:
        """The level of irq or busy now."""
        await ReadOnly()
        level = bool(int(getattr(self.dut, name).value))
        await RisingEdge(self.dut.clk)
        return level

    def finish(self) -> None:
        """Save coverage."""
        assert BusBench.coverage is not None
        BusBench.coverage.save(self._coverage_file, BusBench.passes)
