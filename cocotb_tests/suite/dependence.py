"""What the outputs depend on within a cycle: readies on what the contract names, the rest on
nothing."""

import cocotb
from cocotb.triggers import Timer

from cimforge.cocotb_tests.macro_bench import Bench
from cimforge.cocotb_tests.stimuli import row_classes, some
from cimforge.flow.simulate.job import job_config
from cimforge.hdl.macro.ports import macro_ports

CONFIG = job_config()
BANKS = range(CONFIG.banks)
ROWS = row_classes(CONFIG.rows)
ALL_READIES = set() if CONFIG.keeps_results else {"y_ready", "q_ready"}  # what holds the array
LATE = CONFIG.write_landing > 0  # then a row held in flight holds back vectors and read-backs
ROW_OFFER = {"w_valid", "w_bank"} if LATE else set()
if CONFIG.tables:
    ROW_OFFER.add("w_row")  # of a missing one nothing lands
MAY_DEPEND = {
    "x_ready": {*ALL_READIES, *ROW_OFFER, "r_valid", *({"x_bank"} if LATE else ())},
    "r_ready": {*ALL_READIES, *ROW_OFFER, "x_valid", *({"r_bank"} if LATE else ())},
    "w_ready": {*ALL_READIES, "w_bank"},
    **{name: set() for name in ("y_valid", "q_valid", "y_data", "q_data")},
}
CLOCKS = {"clk", "rst", *(name for name, _ in CONFIG.storage_traits.control_ports)}
INPUTS = {p.name: p.width for p in macro_ports(CONFIG) if p.direction == "input"}
FREE = {name: width for name, width in INPUTS.items() if name not in CLOCKS}


async def _show(dut, values: dict[str, int]) -> None:
    for name, value in values.items():
        getattr(dut, name).value = value
    await Timer(50, "ps")


def _outputs(dut) -> dict[str, str]:
    return {name: str(getattr(dut, name).value) for name in MAY_DEPEND}


async def _traffic(bench: Bench) -> None:
    """Idle, running, stalled and reading back, in every bank, with and without rows waiting."""
    bench.y.refuse = bench.q.refuse = 0.3
    for bank in some(BANKS, 8, bench.rng):
        await bench.steps(2)
        bench.random_passes([bank, bench.rng.choice(BANKS)], 3)
        bench.write(bench.rng.choice(ROWS), bench.random_row(), bank=bank)
        await bench.run()
        bench.read(bench.rng.choice(ROWS), bank=bank)
        bench.write(bench.rng.choice(ROWS), bench.random_row(), bank=bench.rng.choice(BANKS))
        bench.read(bench.rng.choice(ROWS), bank=bank)
        bench.random_passes([bank], 1)
        await bench.run()


@cocotb.test()
async def test_ready_ignores_own_valid(dut):
    """Raising or lowering a stream's valid within a cycle never changes its ready: idle, in any
    state of a pass, stalled, behind a read-back, in each bank, and while rst is high."""
    bench = await Bench.loaded(dut)

    async def toggle_valids(clk_high: bool) -> None:
        if clk_high:
            return
        for rst in (0, 1):
            dut.rst.value = rst
            for stream in "xwr":
                valid, shown = f"{stream}_valid", bench.shown(f"{stream}_valid")
                seen = set()
                for level in (1 - shown, shown):
                    await _show(dut, {valid: level})
                    seen.add(bench.shown(f"{stream}_ready"))
                assert len(seen) == 1, f"cycle {bench.cycle}: {stream}_ready follows {valid}"
                assert not rst or seen == {0}, f"{stream}_ready is high while rst is"
        await _show(dut, {"rst": 0})

    bench.probe = toggle_valids
    await _traffic(bench)
    bench.probe = None
    await bench.finish()


@cocotb.test()
async def test_outputs_depend_on_nothing_else(dut):
    """Within a cycle an output follows only the inputs that the rules name: no other input, turned
    in any cycle, changes it; valids and payloads follow none."""
    bench = await Bench.loaded(dut)

    async def turn_the_others(clk_high: bool) -> None:
        if clk_high:
            return
        before, shown = _outputs(dut), {name: bench.shown(name) for name in FREE}
        for output, allowed in MAY_DEPEND.items():
            others = [name for name in FREE if name not in allowed]
            await _show(dut, {name: shown[name] ^ ((1 << FREE[name]) - 1) for name in others})
            after = _outputs(dut)[output]
            assert after == before[output], f"cycle {bench.cycle}: {output} is no rule's: {allowed}"
            turned = {name: bench.rng.getrandbits(FREE[name]) for name in others}
            await _show(dut, turned)
            after = _outputs(dut)[output]
            assert after == before[output], f"cycle {bench.cycle}: {output} is no rule's: {allowed}"
            await _show(dut, {name: shown[name] for name in others})

    bench.probe = turn_the_others
    await _traffic(bench)
    bench.probe = None
    await bench.finish()
