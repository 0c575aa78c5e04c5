"""Inside the array: what costs no energy. Idle, stalled and reset cycles toggle nothing there."""

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import some
from cimforge.flow.simulate.job import job_config
from cimforge.flow.simulate.stream_drivers import PAYLOADS
from cimforge.hdl.macro.ports import macro_ports

CONFIG = job_config()
BANKS = range(CONFIG.banks)
NETS = ("planes_n", "both_n", "bank_select", "totals", *(f"products_{k}" for k in range(16)))
TABLE_NETS = ("entries", "totals", "joined")
# of each column: with products those of each plane, of tables all but what only joined sums take
LEAST = 2 + CONFIG.bits_per_cycle if not CONFIG.tables else 2 if CONFIG.carry_save else 3
SLICES = [f"_slice{place}" for place in range(CONFIG.slices)] if CONFIG.slices > 1 else [""]
COLUMNS = [f"col{col}{part}" for col in range(CONFIG.cols) for part in SLICES]
WIDTHS = {port.name: port.width for port in macro_ports(CONFIG)}


class Meter:
    """Counts changes of each column's nets, from one sample in each half cycle to the next, while
    streams that offer nothing show another payload in each cycle."""

    def __init__(self, bench: Bench):
        self._bench = bench
        columns = [getattr(bench.dut, name) for name in COLUMNS]
        self._nets = {
            f"{name}.{net}": getattr(column, net)
            for name, column in zip(COLUMNS, columns, strict=True)
            for net in {*NETS, *TABLE_NETS}
            if hasattr(column, net)
        }
        assert len(self._nets) >= LEAST * len(COLUMNS), "nets are not visible"
        self.toggles: dict[str, int] = {}
        self._last: dict[str, str] = {}
        bench.probe = self._sample

    def clear(self) -> None:
        """Count from here."""
        self.toggles.clear()

    def assert_quiet(self, when: str) -> None:
        """Nothing toggled since ``clear``."""
        total = sum(self.toggles.values())
        first = next(iter(self.toggles), "")
        assert not total, f"{when}: {total} changes of {len(self.toggles)} nets, first of {first}"

    async def _sample(self, clk_high: bool) -> None:
        for name, net in self._nets.items():
            value = str(net.value)
            if self._last.setdefault(name, value) != value:
                self.toggles[name] = self.toggles.get(name, 0) + 1
                self._last[name] = value
        if clk_high:
            self._shuffle()

    def _shuffle(self) -> None:
        """Payloads mean nothing while valid is low; but tables take what is offered while they are
        free, so theirs stand still."""
        bench = self._bench
        for stream, source in (("x", bench.x), ("w", bench.w), ("r", bench.r)):
            for port in PAYLOADS[stream] if source.current is None and not CONFIG.tables else ():
                if port in WIDTHS:
                    getattr(bench.dut, port).value = bench.rng.getrandbits(WIDTHS[port])


async def _metered(dut) -> tuple[Bench, Meter]:
    bench = await Bench.loaded(dut)
    return bench, Meter(bench)


@cocotb.test()
async def test_idle_cycles_toggle_nothing(dut):
    """After a pass or read-back of any bank, at any precision, until the next beat."""
    bench, meter = await _metered(dut)
    for bank in some(BANKS, 8, bench.rng):
        for bits in range(1, CONFIG.input_bits + 1):
            bench.send(bench.random_vector(), x_bits=bits, signed=bool(bits % 2), bank=bank)
            await bench.run()
            await bench.steps(CONFIG.result_ranks + 1)
            meter.clear()
            await bench.steps(3 * CONFIG.max_planes + 3)
            meter.assert_quiet(f"idle after a pass of {bits} bits in bank {bank}")
        bench.read(bench.rng.randrange(CONFIG.rows), bank=bank)
        await bench.run()
        await bench.steps(CONFIG.result_ranks + 1)
        meter.clear()
        await bench.steps(3 * CONFIG.max_planes + 3)
        meter.assert_quiet(f"idle after a read-back of bank {bank}")
    await bench.finish()


@cocotb.test()
async def test_stalled_cycles_toggle_nothing(dut):
    """While a result or row waits, whatever is offered and written to other banks meanwhile."""
    bench, meter = await _metered(dut)
    for bank in some(BANKS, 8, bench.rng):
        for stream in "yq":
            if stream == "y":
                bench.send(bench.random_vector(), bank=bank)
            else:
                bench.read(bench.rng.randrange(CONFIG.rows), bank=bank)
            bench.y.take = bench.q.take = lambda: False
            bench.random_passes([bank], 2)
            while not bench.stalled:
                await bench.step()
            for other in BANKS:
                if other != bank:
                    bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row(), bank=other)
            await bench.step()
            meter.clear()
            await bench.steps(2 * CONFIG.max_planes + 3)
            meter.assert_quiet(f"stalled on {stream} in bank {bank}")
            bench.y.take = bench.q.take = None
            await bench.run()
    await bench.finish()


@cocotb.test()
async def test_reset_cycles_toggle_nothing(dut):
    """While rst is high, once what it found in the trees' ranks has run out."""
    bench, meter = await _metered(dut)
    for cycle in range(CONFIG.latency() + 1):
        bench.send(bench.random_vector(), bank=bench.rng.randrange(CONFIG.banks))
        await bench.until("x")
        await bench.steps(cycle)
        await bench.reset(cycles=1)
        dut.rst.value = 1
        await bench.steps(1 + CONFIG.result_ranks)
        meter.clear()
        await bench.steps(2 * CONFIG.max_planes + 3)
        meter.assert_quiet(f"rst high from cycle {cycle} of a pass on")
        dut.rst.value = 0
        await bench.run()
    await bench.finish()
