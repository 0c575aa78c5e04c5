"""Flow control: gaps and back-pressure, full rate, latency, write rate."""

from itertools import pairwise, product

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import first_result, load_cycles, result_interval

CONFIG = job_config()


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.3, 0.9], refuse=[0.0, 0.3, 0.9])
async def test_idle_and_backpressure(dut, idle, refuse):
    """Results and their order do not depend on gaps before beats or on an unready consumer."""
    bench = await Bench.loaded(dut)
    for stream in (bench.x, bench.w, bench.r):
        stream.idle = idle
    bench.y.refuse = bench.q.refuse = refuse
    for _ in range(16):
        bits, bank = bench.rng.randint(0, CONFIG.input_bits), bench.rng.randrange(CONFIG.banks)
        x_signed = bench.rng.random() < 0.5
        bench.send(bench.random_vector(), x_bits=bits, signed=x_signed, bank=bank)
        written = bench.rng.randrange(CONFIG.banks)
        row, signed = bench.rng.randrange(CONFIG.rows), bench.rng.random() < 0.8
        bench.write(row, bench.random_row(), bank=written, signed=signed)
        if bench.rng.random() < 0.5:
            bench.read(bench.rng.randrange(CONFIG.rows), bank=bank)
    await bench.run()
    await bench.finish()


@cocotb.test()
async def test_full_rate_and_latency(dut):
    """Back-to-back passes finish every result_interval cycles, the first after the published
    latency."""
    bench = await Bench.loaded(dut)
    for bits, signed in product(range(1, CONFIG.input_bits + 1), (False, True)):
        bench.y_results.clear()
        start = bench.cycle
        for _ in range(5):
            bench.send(bench.full_vector(bits), x_bits=bits, signed=signed)
        await bench.run()
        times = [cycle for cycle, _ in bench.y_results]
        steps = {later - earlier for earlier, later in pairwise(times)}
        cycles = result_interval(CONFIG, bits, signed)
        assert steps == {cycles} == {CONFIG.pass_interval(bits, signed)}, f"{bits} bits: {steps}"
        latency = first_result(CONFIG, bits, x_signed=signed)
        assert times[0] - start == latency == CONFIG.latency(bits, signed), (
            f"{bits} bits: latency {times[0] - start}"
        )
    await bench.finish()


@cocotb.test()
async def test_full_rate_over_banks(dut):
    """Changing bank, precision and sign from pass to pass costs no cycle, nor do writes to other
    banks."""
    bench = await Bench.loaded(dut)
    expected = 0
    start = bench.cycle
    for index in range(24):
        bits = bench.rng.randint(1, CONFIG.input_bits)
        vector, signed = bench.full_vector(bits), bool(index % 3)
        expected += result_interval(CONFIG, bits, signed)
        bench.send(vector, x_bits=bits, signed=signed, bank=index % CONFIG.banks)
    await bench.run()
    last = bench.y_results[-1][0]
    assert last - start == expected + CONFIG.result_ranks + 1
    await bench.finish()


@cocotb.test()
async def test_read_latency_and_write_cycles(dut):
    """A read-back takes the published latency, and a bank is written at the published rate, row by
    row and, where there is a fast path, on it."""
    bench = await Bench.loaded(dut)
    start = bench.cycle
    bench.read(CONFIG.rows - 1)
    await bench.run()
    assert bench.q_results[-1][0] - start == CONFIG.read_latency
    for fill in (False, True) if CONFIG.grouped else (False,):
        start = bench.cycle
        bench.queue_bank(CONFIG.banks - 1, fill=fill)
        while bench.w.pending or bench.scoreboard.writing():
            await bench.step()
        cycles = bench.cycle - start
        assert cycles == load_cycles(CONFIG, fill) == CONFIG.load_cycles(fill), f"{cycles} cycles"
        bench.send(bench.random_vector(), bank=CONFIG.banks - 1)
        await bench.run()
    await bench.finish()


@cocotb.test()
async def test_every_pass_cycle_meets_an_unready_consumer(dut):
    """y_ready falls at each cycle of a pass in turn; the result waits, unchanged, and nothing is
    lost."""
    bench = await Bench.loaded(dut)
    cycles = result_interval(CONFIG, CONFIG.input_bits)
    for gap in range(cycles + CONFIG.result_ranks + 1):
        bench.send(bench.full_vector())
        await bench.until("x")
        bench.y.take = lambda: False
        await bench.steps(gap)
        bench.send(bench.full_vector())
        await bench.steps(cycles + CONFIG.result_ranks + 2)
        bench.y.take = None
        await bench.run()
    await bench.finish()
