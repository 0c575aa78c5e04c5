"""Turns: who waits for whom, in every pair of banks, and for how long at most."""

import cocotb
from cocotb.triggers import Timer

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.ready_rules import Offer
from cimforge.cocotb_tests.stimuli import row_classes, some
from cimforge.flow.simulate.job import job_config
from cimforge.golden.cycles import result_interval

CONFIG = job_config()
BANKS = range(CONFIG.banks)
ADDRESSES = range(1 << CONFIG.bank_bits)  # of banks, missing ones too
ROWS = row_classes(CONFIG.rows)
MOST = 128  # bank pairs that are tried one by one


@cocotb.test()
async def test_write_landing(dut):
    """A vector or read-back offered together with a write waits for the row to land where the bank
    is the same, and not at all in any other bank; then it sees the row. Where the array rests
    behind an offer, the row waits for that first."""
    bench = await Bench.loaded(dut)
    pairs = [(written, used) for written in ADDRESSES for used in ADDRESSES]
    for written, used in some(pairs, MOST, bench.rng):
        for stream in "xr":
            row, start = bench.rng.choice(ROWS), bench.cycle
            bench.write(row, bench.random_row(), bank=written, signed=bool(written % 2))
            if stream == "x":
                bench.send(bench.random_vector(), bank=used)
            else:
                bench.read(row, bank=used)
            rests = int(CONFIG.keeps_results)
            lands = CONFIG.write_cycles(row) - 1 + CONFIG.write_landing + rests
            waits = lands if written == used < CONFIG.banks else 0
            waited = await bench.until(stream) - start
            assert waited == waits, (
                f"{stream} for bank {used} waited {waited} cycles for a write to bank {written}, "
                f"must wait {waits}"
            )
            await bench.run()
    await bench.finish()


@cocotb.test()
async def test_writes_to_other_banks_go_at_once(dut):
    """In each cycle of a pass of each bank w_ready is high for every bank but that one, whose rows
    wait for the last cycle; the same behind a read-back."""
    bench = await Bench.loaded(dut)

    async def ask_every_bank(clk_high: bool) -> None:
        if clk_high or bench.w.current or not hasattr(dut, "w_bank"):
            return
        before = bench.shown("w_bank")
        for bank in some(ADDRESSES, 12, bench.rng):
            dut.w_bank.value = bank
            await Timer(10, "ps")
            must = bench.expected_readies({**bench.offers(), "w": Offer(False, bank)})["w"]
            assert must is None or bench.shown("w_ready") == must, (
                f"cycle {bench.cycle}: w_ready for bank {bank} must be {int(must)}"
            )
        dut.w_bank.value = before
        await Timer(10, "ps")

    bench.probe = ask_every_bank
    for active in some(ADDRESSES, 16, bench.rng):
        bench.send(bench.random_vector(), bank=active)
        await bench.run()
        bench.read(bench.rng.choice(ROWS), bank=active)
        await bench.run()
    bench.y.refuse = bench.q.refuse = 0.5
    bench.random_passes(BANKS, CONFIG.banks + 4)
    bench.write(ROWS[-1], bench.random_row(), bank=bench.rng.choice(BANKS))
    await bench.run()
    bench.probe = None
    await bench.finish()


@cocotb.test()
async def test_writes_and_passes_both_advance(dut):
    """With vectors and writes always waiting for one bank, each pass is followed by exactly one
    row."""
    bench = await Bench.loaded(dut)
    for bank in some(BANKS, 8, bench.rng):
        for _ in range(12):
            bench.send(bench.random_vector(), bank=bank)
            bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row(), bank=bank)
        order = ""
        while bench.x.pending and bench.w.pending:
            accepted = await bench.step()
            order += "w" * bool(accepted.w) + "x" * bool(accepted.x)
        assert "ww" not in order, f"several rows went between two passes: {order}"
        assert "xx" not in order, f"a waiting row did not go before the next pass: {order}"
        await bench.run()
    await bench.finish()


@cocotb.test()
async def test_reads_and_passes_take_turns(dut):
    """With vectors, read-backs and writes always waiting none of the three starves."""
    bench = await Bench.loaded(dut)
    for bank in some(BANKS, 8, bench.rng):
        for _ in range(10):
            bench.send(bench.random_vector(), bank=bank)
            bench.read(bench.rng.randrange(CONFIG.rows), bank=bank)
        for _ in range(24):
            bench.write(bench.rng.randrange(CONFIG.rows), bench.random_row(), bank=bank)
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
        await bench.run()
    await bench.finish()


@cocotb.test()
@cocotb.parametrize(rivals=["x", "r", "w", "xr", "xw", "rw"])
async def test_nobody_starves(dut, rivals):
    """A single beat of any other stream, offered at any moment of continuous traffic of ``rivals``
    in the same bank, is accepted after a pass, a read-back and their rows at the latest."""
    bench = await Bench.loaded(dut)

    def refill(bank: int) -> None:
        while len(bench.x.beats) < 2 and "x" in rivals:
            bench.send(bench.random_vector(), bank=bank)
        while len(bench.r.beats) < 2 and "r" in rivals:
            bench.read(bench.rng.choice(ROWS), bank=bank)
        while len(bench.w.beats) < 2 and "w" in rivals:
            bench.write(bench.rng.choice(ROWS), bench.random_row(), bank=bank)

    def offer(victim: str, bank: int) -> None:
        if victim == "x":
            bench.send(bench.random_vector(), bank=bank)
        elif victim == "r":
            bench.read(bench.rng.choice(ROWS), bank=bank)
        else:
            bench.write(bench.rng.choice(ROWS), bench.random_row(), bank=bank)

    for bank in some(BANKS, 4, bench.rng):
        for victim in sorted(set("xwr") - set(rivals)):
            for moment in range(result_interval(CONFIG) + 2):
                for _ in range(moment + 3):
                    refill(bank)
                    await bench.step()
                offer(victim, bank)
                start, taken = bench.cycle, False
                while not taken:
                    refill(bank)
                    taken = bool(getattr(await bench.step(), victim))
                    waited = bench.cycle - start
                    assert waited <= bench.longest_wait, f"{victim} starves behind {rivals}"
    for source in (bench.x, bench.w, bench.r):
        source.beats.clear()
    await bench.finish()
