"""Flow control: gaps and back-pressure, full rate, latency, fairness, readies that ignore their own
valid."""

from itertools import pairwise

import cocotb
from cocotb.triggers import Timer

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import first_result, pass_cycles

CONFIG = job_config()


async def _loaded(dut) -> Bench:
    """A bench whose banks are all written, signed and unsigned in turn."""
    bench = Bench(dut)
    await bench.start()
    for bank in range(CONFIG.banks):
        bench.queue_bank(bank, signed=not bank % 2)
    await bench.run()
    return bench


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.3, 0.9], refuse=[0.0, 0.3, 0.9])
async def test_idle_and_backpressure(dut, idle, refuse):
    """Results and their order do not depend on gaps before beats or on an unready consumer."""
    bench = await _loaded(dut)
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
    """Back-to-back passes finish every ceil(x_bits / k) cycles, the first after the published
    latency."""
    bench = await _loaded(dut)
    for bits in range(1, CONFIG.input_bits + 1):
        bench.y_results.clear()
        start = bench.cycle
        for _ in range(5):
            bench.send(bench.random_vector(), x_bits=bits, signed=True)
        await bench.run()
        times = [cycle for cycle, _ in bench.y_results]
        steps = {later - earlier for earlier, later in pairwise(times)}
        assert steps == {pass_cycles(CONFIG, bits)} == {CONFIG.cycles_per_pass(bits)}, (
            f"{bits} bits: {steps}"
        )
        latency = first_result(CONFIG, bits)
        assert times[0] - start == latency == CONFIG.latency(bits), (
            f"{bits} bits: latency {times[0] - start}"
        )
    await bench.finish()


@cocotb.test()
async def test_full_rate_over_banks(dut):
    """Changing bank, precision and sign from pass to pass costs no cycle, nor do writes to other
    banks."""
    bench = await _loaded(dut)
    expected = 0
    start = bench.cycle
    for index in range(24):
        bits = bench.rng.randint(1, CONFIG.input_bits)
        expected += pass_cycles(CONFIG, bits)
        bench.send(
            bench.random_vector(), x_bits=bits, signed=bool(index % 3), bank=index % CONFIG.banks
        )
    await bench.run()
    last = bench.y_results[-1][0]
    assert last - start == expected + CONFIG.ranks + 1
    await bench.finish()


@cocotb.test()
async def test_read_latency_and_write_cycles(dut):
    """A read-back takes the published latency, and rows are written at the published rate."""
    bench = await _loaded(dut)
    start = bench.cycle
    bench.read(CONFIG.rows - 1)
    await bench.run()
    assert bench.q_results[-1][0] - start == CONFIG.read_latency
    start = bench.cycle
    bench.queue_bank(CONFIG.banks - 1)
    while bench.w.pending:
        await bench.step()
    assert bench.cycle - start == CONFIG.rows * CONFIG.write_cycles
    bench.send(bench.random_vector(), bank=CONFIG.banks - 1)
    await bench.finish()


@cocotb.test()
async def test_write_landing(dut):
    """A vector offered together with a write to its bank waits until the row has landed, and sees
    it."""
    bench = await _loaded(dut)
    for _ in range(3):
        start = bench.cycle
        bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row())
        bench.send(bench.random_vector())
        while not (await bench.step()).x:
            pass
        assert bench.cycle - 1 - start == CONFIG.write_landing
        await bench.run()
    await bench.finish()


@cocotb.test()
async def test_writes_and_passes_both_advance(dut):
    """With vectors and writes always waiting for one bank, each pass is followed by exactly one
    row."""
    bench = await _loaded(dut)
    for _ in range(20):
        bench.send(bench.random_vector())
        bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row())
    order = ""
    while bench.x.pending and bench.w.pending:
        accepted = await bench.step()
        order += "w" * bool(accepted.w) + "x" * bool(accepted.x)
    assert "ww" not in order, f"several rows went between two passes: {order}"
    assert "xx" not in order, f"a waiting row did not go before the next pass: {order}"
    await bench.finish()


@cocotb.test()
async def test_reads_and_passes_take_turns(dut):
    """With vectors, read-backs and writes always waiting none of the three starves."""
    bench = await _loaded(dut)
    for _ in range(16):
        bench.send(bench.random_vector())
        bench.read(bench.rng.randrange(CONFIG.rows))
    for _ in range(40):
        bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row())
    order = ""
    while bench.x.pending and bench.r.pending and bench.w.pending:
        accepted = await bench.step()
        order += "".join(
            n for n, beat in (("w", accepted.w), ("x", accepted.x), ("r", accepted.r)) if beat
        )
    assert "xx" not in order.replace("w", ""), order
    assert "rr" not in order.replace("w", ""), order
    rows_between = [len(part.replace("r", "")) for part in order.split("x")[1:-1]]
    assert max(rows_between) <= 1, f"more than one row between two passes: {order}"
    await bench.finish()


@cocotb.test()
async def test_ready_ignores_own_valid(dut):
    """Raising a stream's valid in the middle of a cycle never changes its ready, in any state of a
    pass."""
    bench = await _loaded(dut)

    async def toggle_valids():
        for stream in "xwr":
            valid, ready = getattr(dut, f"{stream}_valid"), getattr(dut, f"{stream}_ready")
            shown, seen = int(valid.value), set()
            for level in (1 - shown, shown):
                valid.value = level
                await Timer(100, "ps")
                seen.add(int(ready.value))
            assert len(seen) == 1, f"cycle {bench.cycle}: {stream}_ready follows {stream}_valid"

    bench.probe = toggle_valids
    bench.y.refuse = bench.q.refuse = 0.3
    for _ in range(6):
        bench.send(bench.random_vector(), bank=bench.rng.randrange(CONFIG.banks))
        bench.write(0, bench.random_row(), bank=bench.rng.randrange(CONFIG.banks))
        bench.read(0)
    await bench.run()
    bench.probe = None
    await bench.finish()


@cocotb.test()
async def test_every_pass_cycle_meets_an_unready_consumer(dut):
    """y_ready falls at each cycle of a pass in turn; the result waits, unchanged, and nothing is
    lost."""
    bench = await _loaded(dut)
    cycles = pass_cycles(CONFIG, CONFIG.input_bits)
    for gap in range(cycles + CONFIG.ranks + 1):
        bench.send(bench.random_vector())
        while not (await bench.step()).x:
            pass
        bench.y.take = lambda: False
        for _ in range(gap):
            await bench.step()
        bench.send(bench.random_vector())
        for _ in range(cycles + CONFIG.ranks + 2):
            await bench.step()
        bench.y.take = None
        await bench.run()
    await bench.finish()
