"""Banks: weights stay apart, writes and read-backs during passes, mixed signs, what does not
exist."""

import cocotb

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()
MISSING_BANKS = [b for b in range(1 << CONFIG.bank_bits) if b >= CONFIG.banks]
MISSING_ROWS = [r for r in range(1 << CONFIG.row_bits) if r >= CONFIG.rows]


def _queue_passes(bench: Bench, banks, count: int) -> None:
    for index in range(count):
        bits, signed = bench.rng.randint(0, CONFIG.input_bits), bool(bench.rng.getrandbits(1))
        bench.send(
            bench.random_vector(), x_bits=bits, signed=signed, bank=banks[index % len(banks)]
        )


async def _load_all(bench: Bench) -> None:
    """Fill every bank, signs alternating."""
    await bench.start()
    for bank in range(CONFIG.banks):
        bench.queue_bank(bank, signed=bool(bank % 2))
    await bench.run()


@cocotb.test()
async def test_banks_keep_their_weights(dut):
    """Passes over all banks in turn, then every row of every bank read back as written."""
    bench = Bench(dut)
    await _load_all(bench)
    _queue_passes(bench, range(CONFIG.banks), 4 * CONFIG.banks)
    await bench.run()
    rows = range(CONFIG.rows) if CONFIG.rows <= 32 else bench.rng.sample(range(CONFIG.rows), 32)
    for bank in range(CONFIG.banks):
        for row in rows:
            bench.read(row, bank=bank)
    await bench.finish()


@cocotb.test()
async def test_writes_while_computing(dut):
    """Every bank computes while every bank is written; a pass sees whole rows, old or new."""
    bench = Bench(dut)
    await _load_all(bench)
    for active in range(CONFIG.banks):
        for written in range(CONFIG.banks):
            # The write comes up in the second cycle of the pass, or in its last where the bank is
            # the same.
            bench.send(bench.random_vector(), bank=active)
            while not (await bench.step()).x:
                pass
            row = bench.rng.randrange(CONFIG.rows)
            bench.write(row, bench.random_row(), bank=written, signed=bool(written % 2))
            bench.send(bench.random_vector(), bank=written)
            await bench.run()
    _queue_passes(bench, range(CONFIG.banks), 8)
    await bench.finish()


@cocotb.test()
async def test_writes_and_reads_during_passes(dut):
    """A random mixture of vectors, writes and read-backs over all banks."""
    bench = Bench(dut)
    await _load_all(bench)
    bench.x.idle, bench.w.idle, bench.r.idle = 0.2, 0.5, 0.5
    _queue_passes(bench, [bench.rng.randrange(CONFIG.banks) for _ in range(60)], 60)
    for _ in range(60):
        bank, row = bench.rng.randrange(CONFIG.banks), bench.rng.randrange(CONFIG.rows)
        bench.write(row, bench.random_row(), bank=bank, signed=bool(bench.rng.getrandbits(1)))
    for _ in range(40):
        bench.read(bench.rng.randrange(CONFIG.rows), bank=bench.rng.randrange(CONFIG.banks))
    await bench.finish()


@cocotb.test()
async def test_mixed_sign_writes(dut):
    """The sign belongs to the bank: a row written with the other sign turns the whole bank."""
    bench = Bench(dut)
    await bench.start()
    bench.queue_bank(signed=False)
    await bench.run()
    for signed in (True, False, True):
        bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row(), signed=signed)
        await bench.run()
        _queue_passes(bench, [0], 4)
        for row in (0, CONFIG.rows - 1):
            bench.read(row)
        await bench.run()
    await bench.finish()


@cocotb.test(skip=not MISSING_ROWS)
async def test_missing_rows_change_nothing(dut):
    """Writes to rows beyond the last are accepted and change neither weights nor sign; they read as
    zeros."""
    bench = Bench(dut)
    await bench.start()
    bench.queue_bank(signed=True)
    await bench.run()
    for row in {*MISSING_ROWS[:1], *MISSING_ROWS[-1:]}:
        bench.write(row, bench.random_row(), signed=False)
        bench.read(row)
    await bench.run()
    _queue_passes(bench, [0], 4)
    for row in range(min(CONFIG.rows, 16)):
        bench.read(row)
    await bench.finish()


@cocotb.test(skip=not MISSING_BANKS)
async def test_missing_banks_give_zeros(dut):
    """Writes to banks beyond the last change nothing; their vectors and read-backs return zeros."""
    bench = Bench(dut)
    await _load_all(bench)
    for bank in {*MISSING_BANKS[:1], *MISSING_BANKS[-1:]}:
        bench.write(0, bench.random_row(), bank=bank, signed=True)
        bench.send(bench.random_vector(), bank=bank, signed=True)
        bench.read(0, bank=bank)
    await bench.run()
    _queue_passes(bench, range(CONFIG.banks), 2 * CONFIG.banks)
    await bench.finish()
