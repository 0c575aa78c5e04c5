"""Banks: weights and signs stay apart; writes and read-backs during passes of every bank."""

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import row_classes, some
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import result_interval

CONFIG = job_config()
BANKS = range(CONFIG.banks)
PAIRS = [(first, second) for first in BANKS for second in BANKS]
CYCLES = range(result_interval(CONFIG))
MOST = 128  # bank pairs or pass cycles that are run through one by one


@cocotb.test()
async def test_banks_keep_their_weights(dut):
    """Passes over all banks in turn, then every row of every bank read back as written."""
    bench = await Bench.loaded(dut)
    bench.random_passes(BANKS, 4 * CONFIG.banks)
    await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test()
async def test_writes_while_computing(dut):
    """While every bank computes every bank is written, from every cycle of the pass on; a pass sees
    whole rows, old or new."""
    bench = await Bench.loaded(dut)
    meetings = [(pair, cycle) for pair in PAIRS for cycle in CYCLES]
    once = [(pair, bench.rng.choice(CYCLES)) for pair in PAIRS]  # where there are too many for all
    chosen = meetings if len(meetings) <= MOST else once
    for (active, written), cycle in chosen:
        bench.send(bench.full_vector(), bank=active)
        await bench.until("x")
        await bench.steps(cycle)
        row = bench.rng.randrange(CONFIG.rows)
        bench.write(row, bench.random_row(), bank=written, signed=bool(written % 2))
        bench.send(bench.random_vector(), bank=written)
        await bench.run()
    bench.read_everything()
    await bench.finish()


@cocotb.test()
async def test_writes_and_reads_during_passes(dut):
    """A random mixture of vectors, writes and read-backs over all banks."""
    bench = await Bench.loaded(dut)
    bench.x.idle, bench.w.idle, bench.r.idle = 0.2, 0.5, 0.5
    bench.random_passes([bench.rng.randrange(CONFIG.banks) for _ in range(60)], 60)
    for _ in range(60):
        bank, row = bench.rng.randrange(CONFIG.banks), bench.rng.randrange(CONFIG.rows)
        bench.write(row, bench.random_row(), bank=bank, signed=bool(bench.rng.getrandbits(1)))
    for _ in range(40):
        bench.read(bench.rng.randrange(CONFIG.rows), bank=bench.rng.randrange(CONFIG.banks))
    await bench.finish()


@cocotb.test()
async def test_mixed_sign_writes(dut):
    """The sign belongs to the bank: a row written with the other sign turns the whole bank, and no
    other one."""
    bench = await Bench.loaded(dut)
    rows = row_classes(CONFIG.rows)
    for bank in some(BANKS, 16, bench.rng):
        for signed in (True, False, True):
            row = bench.rng.choice(rows)
            bench.write(row, bench.random_row(), bank=bank, signed=signed)
            await bench.run()
            bench.random_passes([bank, bench.rng.randrange(CONFIG.banks)], 4)
            for row in (0, CONFIG.rows - 1):
                bench.read(row, bank=bank)
            await bench.run()
    bench.read_everything()
    await bench.finish()
