"""Reset: at every cycle of a pass, of a stalled result, of a write and of a read-back, in every
bank; what it keeps, and when it counts."""

import cocotb
from cocotb.triggers import Timer

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import row_classes, some
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()
BANKS = range(CONFIG.banks)
ROWS = row_classes(CONFIG.rows)


async def _still_works(bench: Bench, bank: int) -> None:
    """A vector and a read-back of the bank are right, and in time."""
    bench.send(bench.random_vector(), signed=True, bank=bank)
    bench.read(bench.rng.randrange(CONFIG.rows), bank=bank)
    await bench.run()


async def _kept(bench: Bench) -> None:
    """All weights and signs survived, but for rows that were under way: these are written again."""
    bench.rewrite_undefined()
    await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test()
async def test_reset_at_every_cycle_of_a_pass(dut):
    """The pass vanishes, nothing comes out, weights and signs of all banks stay."""
    bench = await Bench.loaded(dut)
    for cycle in range(CONFIG.latency() + 1):
        for bank in some(BANKS, 4, bench.rng):
            bench.send(bench.full_vector(), bank=bank)
            bench.send(bench.random_vector(), signed=True, bank=bank)
            await bench.until("x")
            await bench.steps(cycle)
            await bench.reset()
            await bench.steps(CONFIG.latency() + 1)
            await _still_works(bench, bank)
    await _kept(bench)


@cocotb.test()
async def test_reset_while_a_result_waits(dut):
    """A result or row that nobody took is dropped, whatever waits behind it."""
    bench = await Bench.loaded(dut)
    for bank in some(BANKS, 8, bench.rng):
        for stream in ("y", "q"):
            if stream == "y":
                bench.send(bench.random_vector(), bank=bank)
            else:
                bench.read(bench.rng.choice(ROWS), bank=bank)
            bench.y.take = bench.q.take = lambda: False
            await bench.steps(CONFIG.latency() + 1)
            bench.random_passes(BANKS, 1)
            await bench.steps(2)
            await bench.reset(cycles=3)
            bench.y.take = bench.q.take = None
            await _still_works(bench, bank)
    await _kept(bench)


@cocotb.test()
async def test_reset_around_a_read_back(dut):
    """A read-back vanishes at any of its cycles."""
    bench = await Bench.loaded(dut)
    for cycle in range(CONFIG.read_latency):
        for bank in some(BANKS, 4, bench.rng):
            bench.read(bench.rng.choice(ROWS), bank=bank)
            await bench.until("r")
            await bench.steps(cycle)
            await bench.reset()
            await _still_works(bench, bank)
    await _kept(bench)


@cocotb.test()
async def test_rows_land_before_a_reset(dut):
    """A row accepted in any cycle before rst rises, the last one too, is written, and its sign."""
    bench = await Bench.loaded(dut)
    places = [(bank, row) for bank in BANKS for row in ROWS]
    for index, (bank, row) in enumerate(some(places, 64, bench.rng)):
        bench.write(row, bench.random_row(), bank=bank, signed=bool(index % 2))
        await bench.until("w")
        await bench.steps(index % 3 // 2)
        await bench.reset(cycles=1 + index % 2)
        bench.read(row, bank=bank)
        await _still_works(bench, bank)
    await _kept(bench)


@cocotb.test()
async def test_reset_in_any_traffic(dut):
    """In whatever state traffic on all streams leaves the macro, rst empties it: directly
    afterwards every stream is ready as the rules say, and nothing old comes out."""
    bench = await Bench.loaded(dut)
    for _ in range(80):
        for stream in (bench.x, bench.w, bench.r):
            stream.idle = bench.rng.choice((0.0, 0.0, 0.5))
        bench.y.refuse = bench.q.refuse = bench.rng.choice((0.0, 0.5))
        banks = some(BANKS, bench.rng.randint(1, 2), bench.rng)
        bench.random_passes(banks, 6)
        for _ in range(6):
            bank, row = bench.rng.choice(banks), bench.rng.randrange(CONFIG.rows)
            signed = bench.rng.random() < 0.5
            bench.write(row, bench.random_row(), bank=bank, signed=signed)
            bench.read(row, bank=bank)
        await bench.steps(bench.rng.randint(1, 2 * CONFIG.latency() + 6))
        await bench.reset(bench.rng.randint(1, 2), keep_offers=bench.rng.random() < 0.5)
        await bench.steps(bench.rng.randint(0, 2))
        for stream in (bench.x, bench.w, bench.r):
            stream.beats.clear()
    await _kept(bench)


@cocotb.test()
async def test_offers_during_reset_are_not_lost(dut):
    """Beats offered while rst is high are neither accepted nor answered, and are taken
    afterwards."""
    bench = await Bench.loaded(dut)
    for bank in some(BANKS, 8, bench.rng):
        bench.send(bench.random_vector(), bank=bank)
        bench.write(bench.rng.choice(ROWS), bench.random_row(), bank=bank)
        bench.read(bench.rng.choice(ROWS), bank=bank)
        await bench.reset(cycles=4, keep_offers=True)
        assert bench.x.pending
        assert bench.w.pending
        assert bench.r.pending
        await bench.run()
    await _kept(bench)


@cocotb.test()
async def test_a_pulse_between_edges_changes_nothing(dut):
    """rst high in the middle of either half of each cycle, but low at the rising edge, resets
    nothing: it only takes the valids and readies low meanwhile."""
    bench = await Bench.loaded(dut)

    async def pulse(_clk_high: bool) -> None:
        dut.rst.value = 1
        await Timer(1, "ns")
        for name in ("x_ready", "w_ready", "r_ready", "y_valid", "q_valid"):
            assert not bench.shown(name), f"cycle {bench.cycle}: {name} is high while rst is"
        dut.rst.value = 0
        await Timer(1, "ns")

    bench.probe = pulse
    bench.y.refuse = bench.q.refuse = 0.3
    bench.random_passes(BANKS, CONFIG.banks + 6)
    for bank in some(BANKS, 8, bench.rng):
        bench.write(bench.rng.choice(ROWS), bench.random_row(), bank=bank, signed=True)
        bench.read(bench.rng.choice(ROWS), bank=bank)
    await bench.run()
    bench.probe = None
    await _kept(bench)


@cocotb.test()
async def test_rst_counts_at_the_edge(dut):
    """rst that rises late in a cycle, and falls after the edge that ends it, is a whole reset, at
    every cycle of a pass."""
    bench = await Bench.loaded(dut)

    async def rise_late(clk_high: bool) -> None:
        if not clk_high:
            dut.rst.value = 1
            await Timer(1, "ns")
            bench.forget_streams()

    for cycle in range(CONFIG.latency() + 1):
        bank = bench.rng.randrange(CONFIG.banks)
        bench.send(bench.full_vector(), bank=bank)
        await bench.until("x")
        await bench.steps(cycle)
        bench.probe = rise_late
        await bench.step()
        dut.rst.value = 0
        bench.probe = None
        await bench.steps(CONFIG.latency() + 1)
        await _still_works(bench, bank)
    await _kept(bench)
