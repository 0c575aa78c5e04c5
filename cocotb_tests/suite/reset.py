"""Reset: at every cycle of a pass, of a stalled result, of a write and of a read-back."""

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()


async def _loaded(dut) -> Bench:
    bench = Bench(dut)
    await bench.start()
    for bank in range(CONFIG.banks):
        bench.queue_bank(bank, signed=bool(bank % 2))
    await bench.run()
    return bench


async def _still_works(bench: Bench) -> None:
    """Weights and signs survived: vectors and read-backs of all banks are right."""
    for bank in range(CONFIG.banks):
        bench.send(bench.random_vector(), signed=True, bank=bank)
        bench.read(bench.rng.randrange(CONFIG.rows), bank=bank)
    await bench.run()


@cocotb.test()
async def test_reset_at_every_cycle_of_a_pass(dut):
    """The pass vanishes, nothing comes out, weights stay."""
    bench = await _loaded(dut)
    for cycle in range(CONFIG.latency() + 1):
        bench.send(bench.random_vector(), signed=True)
        bench.send(bench.random_vector())
        while not (await bench.step()).x:
            pass
        for _ in range(cycle):
            await bench.step()
        await bench.reset()
        for _ in range(CONFIG.latency() + 1):
            await bench.step()
        await _still_works(bench)
    await bench.finish()


@cocotb.test()
async def test_reset_while_a_result_waits(dut):
    """A result that nobody took is dropped."""
    bench = await _loaded(dut)
    for stream in ("y", "q"):
        if stream == "y":
            bench.send(bench.random_vector())
        else:
            bench.read(CONFIG.rows - 1)
        bench.y.take = bench.q.take = lambda: False
        for _ in range(CONFIG.latency() + 3):
            await bench.step()
        await bench.reset(cycles=3)
        bench.y.take = bench.q.take = None
        await _still_works(bench)
    await bench.finish()


@cocotb.test()
async def test_reset_around_a_read_back(dut):
    """A read-back vanishes at any of its cycles."""
    bench = await _loaded(dut)
    for cycle in range(CONFIG.read_latency):
        bench.read(0)
        while not (await bench.step()).r:
            pass
        for _ in range(cycle):
            await bench.step()
        await bench.reset()
        await _still_works(bench)
    await bench.finish()


@cocotb.test()
async def test_reset_around_a_write(dut):
    """Every row but the one under way keeps its weights; that one is written again."""
    bench = await _loaded(dut)
    for cycle in range(3):
        row, patterns = bench.rng.randrange(CONFIG.rows), bench.random_row()
        bench.write(row, patterns)
        while not (await bench.step()).w:
            pass
        for _ in range(cycle):
            await bench.step()
        await bench.reset()
        if cycle < CONFIG.write_landing:
            bench.scoreboard.model.forget(0, row)
        for other in range(min(CONFIG.rows, 16)):
            bench.read(other)
        await bench.run()
        bench.write(row, patterns)
        await bench.run()
        await _still_works(bench)
    await bench.finish()


@cocotb.test()
async def test_offers_during_reset_are_not_lost(dut):
    """Beats offered while rst is high are neither accepted nor answered, and are taken
    afterwards."""
    bench = await _loaded(dut)
    await bench.reset(cycles=2)
    dut.rst.value = 1
    bench.send(bench.random_vector())
    bench.write(0, bench.random_row())
    for _ in range(3):
        accepted = await bench.step()
        assert accepted.x is None
        assert accepted.w is None
    dut.rst.value = 0
    await bench.run()
    await bench.finish()
