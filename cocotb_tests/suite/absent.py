"""Rows and banks that do not exist: beats are accepted at once, change nothing, give zeros."""

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import row_classes, some
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()
BANKS = range(CONFIG.banks)
MISSING_BANKS = range(CONFIG.banks, 1 << CONFIG.bank_bits)
MISSING_ROWS = range(CONFIG.rows, 1 << CONFIG.row_bits)
MOST = 512  # places that are tried one by one


@cocotb.test(skip=not MISSING_ROWS)
async def test_missing_rows_change_nothing(dut):
    """Writes to each row beyond the last, in each bank, are accepted and change neither weights nor
    sign; they read as zeros."""
    bench = await Bench.loaded(dut)
    places = [(bank, row) for bank in BANKS for row in MISSING_ROWS]
    for bank, row in some(places, MOST, bench.rng):
        bench.write(row, bench.random_row(), bank=bank, signed=not bank % 2)
        bench.read(row, bank=bank)
    await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=not MISSING_ROWS)
async def test_missing_rows_during_passes(dut):
    """A write to a missing row, in whatever cycle of a pass of its bank or another it is taken,
    changes nothing."""
    bench = await Bench.loaded(dut)
    bench.random_passes(BANKS, 2 * CONFIG.banks + 6)
    while bench.x.pending:
        row = bench.rng.choice(MISSING_ROWS)
        signed = bench.rng.random() < 0.5
        bench.write(row, bench.random_row(), bank=bench.rng.randrange(CONFIG.banks), signed=signed)
        await bench.until("w")
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=not MISSING_BANKS)
async def test_missing_banks_change_nothing(dut):
    """Writes to each bank beyond the last, at rows of every class and missing ones, are accepted
    and change no bank."""
    bench = await Bench.loaded(dut)
    rows = [*row_classes(CONFIG.rows), *some(MISSING_ROWS, 2, bench.rng)]
    places = [(bank, row) for bank in MISSING_BANKS for row in rows]
    for signed in (False, True):
        for bank, row in some(places, MOST, bench.rng):
            bench.write(row, bench.random_row(), bank=bank, signed=signed)
        await bench.run()
        bench.read_everything()
        await bench.run()
    await bench.finish()


@cocotb.test(skip=not MISSING_BANKS)
async def test_missing_banks_give_zeros(dut):
    """Vectors for each bank beyond the last, at each precision and sign, and read-backs of its rows
    return zeros, alone and between passes of banks that exist."""
    bench = await Bench.loaded(dut, signed=lambda bank: True)
    rows = [*row_classes(CONFIG.rows), *some(MISSING_ROWS, 2, bench.rng)]
    for bank in MISSING_BANKS:
        for bits in range(1, CONFIG.input_bits + 1):
            bench.random_passes([bench.rng.randrange(CONFIG.banks)], 1)
            signed = bench.rng.random() < 0.5
            bench.send(bench.random_vector(), x_bits=bits, signed=signed, bank=bank)
        for row in rows:
            bench.read(row, bank=bank)
        await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test(skip=not MISSING_BANKS)
async def test_missing_banks_wait_for_nobody(dut):
    """A write to a missing bank is accepted in the cycle in which it is offered, while any bank
    computes, a missing one too. It occupies the stream as any other."""
    bench, pause = await Bench.loaded(dut), CONFIG.storage_traits.write_cycles - 1
    for active in some(range(1 << CONFIG.bank_bits), 16, bench.rng):
        bench.send(bench.random_vector(), bank=active)
        await bench.until("x")
        for bank in some(MISSING_BANKS, 4, bench.rng):
            start = bench.cycle
            row = bench.rng.randrange(CONFIG.rows)
            bench.write(row, bench.random_row(), bank=bank, signed=bool(bank % 2))
            assert await bench.until("w") == start, f"a write to missing bank {bank} waited"
            await bench.steps(pause)
        await bench.run()
    bench.read_everything()
    await bench.finish()
