"""test_en, the latch macros' input for scan tests: it opens every latch, in the low phase only."""

import cocotb
from cocotb.triggers import Timer

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.packing import pack, unpack
from cimforge.cocotb_tests.stimuli import row_classes
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()
HAS_TEST_EN = "test_en" in dict(CONFIG.storage_traits.control_ports)


@cocotb.test(skip=not HAS_TEST_EN)
async def test_test_en_opens_every_latch(dut):
    """While test_en is high the row written last stands in every row of every bank; each bank keeps
    its sign. Without it a write reaches its own row alone. Sums of pairs then hold one pair's, so
    rows are read one by one."""
    if not HAS_TEST_EN:  # a filter that names a skipped test makes cocotb run it
        return
    bench = await Bench.loaded(dut)
    model = bench.scoreboard.model
    row, patterns = CONFIG.rows - 1, bench.random_row()
    bench.write(row, patterns, bank=0, signed=False)
    await bench.run()
    bench.read_everything()
    await bench.run()
    dut.test_en.value = 1
    await bench.steps(1)
    dut.test_en.value = 0
    for bank in range(CONFIG.banks):
        signed, fuse = bool(model.bank_signed[bank]), model.fuse(bank)
        mode = CONFIG.modes[fuse]
        codes = unpack(pack(patterns, CONFIG.weight_bits), mode.weight_bits, mode.outputs)
        top = signed << (mode.weight_bits - 1)
        for place in range(CONFIG.rows):
            model.write(bank, place, codes ^ top, signed, fuse=fuse)
    bench.read_everything(passes=not CONFIG.pairs)
    await bench.finish()


@cocotb.test(skip=not HAS_TEST_EN)
async def test_test_en_opens_nothing_in_the_high_phase(dut):
    """test_en high while clk is high changes no weight."""
    if not HAS_TEST_EN:
        return
    bench = await Bench.loaded(dut)
    for row in row_classes(CONFIG.rows):
        bench.write(row, bench.random_row(), bank=CONFIG.banks - 1)

    async def open_while_high(clk_high: bool) -> None:
        if clk_high:
            dut.test_en.value = 1
            await Timer(1, "ns")
            dut.test_en.value = 0
            await Timer(1, "ns")

    bench.probe = open_while_high
    await bench.run()
    await bench.steps(3)
    bench.probe = None
    bench.read_everything()
    await bench.finish()
