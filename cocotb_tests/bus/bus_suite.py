"""The wrapper's regression: registers, random accesses, results in order, interrupts, rst."""

import cocotb
from cocotb.triggers import RisingEdge

from cimforge.cocotb_tests.bus.bus_bench import BusBench
from cimforge.cocotb_tests.bus.bus_model import STATUS, Access
from cimforge.flow.simulate.job import job_config, load_job

CONFIG = job_config()
ACCESSES = int(load_job().get("accesses", 100_000))
BATCH = 12
LIMIT_MS = 100  # of simulated time, at 10 ns a cycle: a test that hangs ends


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_registers_tell_the_macro(dut):
    """Every register reads as documented after reset; constants refuse writes."""
    bench = BusBench(dut)
    await bench.start()
    for register in bench.map.registers():
        await bench.run([Access(register.offset)])
        if register.access == "ro":
            await bench.run([Access(register.offset, 0xFFFFFFFF), Access(register.offset)])
    for value in (0xFFFFFFFF, 0, 0x15):
        enable = bench.offset("irq_enable")
        await bench.run([Access(enable, value), Access(enable)])
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_results_and_rows_through_the_windows(dut):
    """Vectors at every precision and sign on every bank, and each row read back."""
    bench = await BusBench.loaded(dut)
    for bits in range(CONFIG.input_bits + 2):
        for signed in (False, True):
            await bench.start_pass(bits, signed, bench.rng.randrange(CONFIG.banks))
            await bench.take_result()
    for bank in range(CONFIG.banks):
        for row in bench.rng.sample(range(CONFIG.rows), min(CONFIG.rows, 8)):
            await bench.take_row(row, bank)
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_an_unread_result_does_not_stop_the_next_pass(dut):
    """Three vectors are started before the first result is read; all come in order."""
    bench = await BusBench.loaded(dut)
    for _ in range(3):
        await bench.start_pass(signed=True)
    for _ in range(3):
        await bench.take_result()
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_passes_go_on_while_a_result_is_unread(dut):
    """The second result is there the moment the first is released: its pass ran meanwhile."""
    bench = await BusBench.loaded(dut)
    for _ in range(2):
        await bench.start_pass(signed=True)
    for _ in range(2 * CONFIG.latency()):
        await RisingEdge(dut.clk)
    await bench.run([*bench.read_window("y"), Access(bench.offset("y_next"), 0)])
    assert await bench.read(bench.offset("status")) >> 3 & 1, "the second result is late"
    await bench.take_result()
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_interrupt_follows_enabled_status(dut):
    """irq is high exactly while an enabled status bit is."""
    bench = await BusBench.loaded(dut)
    await bench.start_pass()
    await bench.poll("y_valid")
    await bench.poll("x_ready")
    for place, name in enumerate(STATUS):
        await bench.run([Access(bench.offset("irq_enable"), 1 << place)])
        status = await bench.read(bench.offset("status"))
        assert await bench.line("irq") == bool(status >> place & 1)
        if bench.coverage and status >> place & 1:
            bench.coverage.hit("irq", name)
    await bench.run([Access(bench.offset("irq_enable"), 0)])
    assert not await bench.line("irq")
    await bench.take_result()
    await bench.run([Access(bench.offset("r_start"), 0)])
    await bench.poll("q_valid")
    await bench.run([Access(bench.offset("irq_enable"), 1 << 4)])
    assert await bench.line("irq")
    assert bench.coverage
    bench.coverage.hit("irq", "q_valid")
    await bench.run([Access(bench.offset("q_next"), 0)])
    assert not await bench.line("irq")
    bench.finish()


class Traffic:
    """Random accesses, legal and illegal; beats whose order could not be told are not sent."""

    def __init__(self, bench: BusBench):
        self.bench, self.rng = bench, bench.rng
        self.registers = bench.map.registers()
        self.windows = bench.map.windows()

    def batch(self) -> list[Access]:
        """Accesses that depend on no other's outcome, then one that may."""
        fixed = [self.fixed() for _ in range(self.rng.randrange(BATCH))]
        return [*fixed, self.open()]

    def fixed(self) -> Access:
        """An access whose answer is known: a constant, or one that must be refused."""
        size = 1 << self.bench.map.address_bits
        address, data = self.rng.randrange(size), self.rng.getrandbits(32)
        candidate = self.rng.choice(
            [
                Access(address, self.rng.choice((None, data)), self.rng.randrange(16)),
                Access(address & ~3, self.rng.choice((None, data))),
                Access(self.rng.choice(self.registers).offset, self.rng.choice((None, data))),
                Access(self.bench.offset("irq_enable"), data),
                Access(self.bench.offset("hash")),
            ]
        )
        if candidate.address == self.bench.offset("control") and candidate.data is not None:
            candidate = Access(candidate.address, candidate.data & ~1)  # resets have their own test
        expected = self.bench.model.expect(candidate)
        without_effect = ("id", "hash", "geometry", "precision", "irq_enable")
        harmless = expected.outcomes == {"err"} or candidate.address in (
            register.offset for register in self.registers if register.name in without_effect
        )
        return candidate if harmless and len(expected.outcomes) == 1 else Access(0)

    def open(self) -> Access:
        """An access that may start a beat, take one, or be refused."""
        model, rng = self.bench.model, self.rng
        bank = rng.randrange(CONFIG.banks)
        sign = rng.getrandbits(1) << 31
        row = rng.randrange(CONFIG.rows)
        busy = model.sure["x"] is None or model.sure["r"] is None
        bits = rng.choice((*range(CONFIG.input_bits + 1), 0x7FFF))
        choices = [
            Access(self.bench.offset("status")),
            Access(self.bench.offset("y_next"), rng.getrandbits(32)),
            Access(self.bench.offset("q_next"), rng.getrandbits(32)),
            *(self._word(window) for window in self.windows),
            *(self._word(window) for window in self.windows),
        ]
        # A row and a vector that wait together may come in either order.
        if model.sure["w"]:
            choices += [
                Access(self.bench.offset("x_start"), bits | bank << 16 | sign),
                Access(self.bench.offset("r_start"), row | bank << 16),
            ]
        if not busy:
            choices.append(Access(self.bench.offset("w_start"), row | bank << 16 | sign))
        return rng.choice(choices)

    def _word(self, window) -> Access:
        address = window.offset + 4 * self.rng.randrange(window.words)
        return Access(address, None if window.access == "ro" else self.rng.getrandbits(32))


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_random_accesses(dut):
    """Legal and illegal accesses in random order: right answers only, nothing changed by errors."""
    bench = await BusBench.loaded(dut)
    traffic = Traffic(bench)
    while bench.accesses < ACCESSES:
        await bench.run(traffic.batch())
    await bench.drain()
    for bank in range(CONFIG.banks):
        await bench.start_pass(signed=True, bank=bank)
        await bench.take_result()
        for row in range(min(CONFIG.rows, 16)):
            await bench.take_row(row, bank)
    assert await bench.read(bench.offset("status")) & 0x1F == 0b00111
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_reset_in_the_middle(dut):
    """rst at any cycle of an access or pass: no answer is left over, weights stay, all works."""
    bench = await BusBench.loaded(dut)
    bus = {name: getattr(dut, f"wb_{name}") for name in ("cyc", "stb", "we", "adr", "dat_w", "sel")}
    for delay in range(CONFIG.latency() + 4):
        await bench.start_pass(signed=True)
        await bench.run([Access(bench.offset("irq_enable"), 0x1F)])
        for _ in range(delay):
            await RisingEdge(dut.clk)
        held = {"cyc": 1, "stb": 1, "we": 1, "adr": bench.offset("r_start"), "dat_w": 0, "sel": 0xF}
        for name, value in held.items():
            bus[name].value = value
        for _ in range(delay % 3):
            await RisingEdge(dut.clk)
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        bus["cyc"].value = bus["stb"].value = 0
        await bench.reset(1 + delay % 2)
        await RisingEdge(dut.clk)
        assert not int(dut.wb_ack.value)
        assert not int(dut.wb_err.value)
        assert not await bench.line("irq")
        assert await bench.read(bench.offset("status")) == 0b00111
        await bench.take_row(bench.rng.randrange(CONFIG.rows))
        await bench.start_pass(bank=CONFIG.banks - 1)
        await bench.take_result()
    bench.finish()
