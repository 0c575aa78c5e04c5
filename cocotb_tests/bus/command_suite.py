"""The wrapper's commands: every kind of word, each stream held up, resets with anything waiting."""

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge

from cimforge.cocotb_tests.bus.bus_bench import RESETS, BusBench
from cimforge.cocotb_tests.bus.bus_model import Access
from cimforge.flow.simulate.job import job_config

CONFIG = job_config()
LIMIT_MS = 100  # of simulated time, at 10 ns a cycle: a test that hangs ends
SIGN, FILL, BANK = 31, 30, 16  # where a command's word holds them
SOME = 16  # rows whose aliases are tried


def wrong_words(stream: str, row: int) -> list[int]:
    """Words that the start of a stream must refuse, each but for one thing a legal word for
    ``row``: every reserved bit, every bank that does not exist, rows of every size."""
    legal = row if stream != "x" else CONFIG.input_bits
    filled = stream == "w" and CONFIG.grouped
    reserved = [*range(24, 30), *([] if filled else [FILL])]
    if stream == "w":  # modes that exist take some
        reserved = [bit for bit in reserved if 1 << bit - 24 >= len(CONFIG.modes)]
    reserved += [SIGN] if stream == "r" else []
    words = [legal | 1 << bit for bit in reserved]
    words += [legal | bank << BANK for bank in range(CONFIG.banks, 256)]
    if stream == "w":
        words += [legal | fuse << 24 for fuse in range(len(CONFIG.modes), 1 << 6)]
    if stream != "x":
        aliases = {row | 1 << place for place in range(16)}
        beyond = {*range(CONFIG.rows, CONFIG.rows + SOME), 0xFFFF, *aliases}
        words += sorted(number for number in beyond if number >= CONFIG.rows)
    return words


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_words_that_name_nothing_are_refused(dut):
    """Reserved bits, missing banks, rows and modes: each alone is an error and changes nothing."""
    bench = await BusBench.loaded(dut)
    rows = sorted(
        {0, CONFIG.rows - 1, *bench.rng.sample(range(CONFIG.rows), min(CONFIG.rows, SOME))}
    )
    for stream in "xwr":
        start = bench.offset(f"{stream}_start")
        words = {word for row in rows for word in wrong_words(stream, row)}
        await bench.run(bench.window_writes("w", bench.rng.getrandbits(31)))
        outcomes = await bench.run([Access(start, word) for word in sorted(words)])
        assert {outcome for outcome, _ in outcomes} == {"err"}
        await bench.read(bench.offset("status"))  # every stream is ready, no tag has moved
    await bench.check_rows()
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_every_kind_of_precision(dut):
    """0 and anything above input_bits mean input_bits, whichever of the field's bits are set; of
    -1 and 1 the same field counts rows."""
    bench = await BusBench.loaded(dut)
    most = CONFIG.rows if CONFIG.binary else CONFIG.input_bits
    values = {*range(most + 3), 0xFFFF}
    values |= {1 << place | low for place in range(16) for low in range(most + 1)}
    for bits in sorted(values):
        await bench.start_pass(bits, signed=bool(bits % 3), bank=bits % CONFIG.banks)
        await bench.take_result()
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_commands_are_refused_until_their_stream_is_ready(dut):
    """Nothing to read or release; then a vector, a row and a read-back wait behind unread results:
    each further one, and the windows of those that wait, are refused; all come out in the end."""
    bench = await BusBench.loaded(dut)
    for stream in "yq":
        await bench.refused(Access(bench.offset(f"{stream}_next"), 0), f"{stream}_next")
        for access in bench.read_window(stream):
            await bench.refused(access, stream)
    await bench.hold_up("x")
    await bench.write_row(CONFIG.rows - 1)
    await bench.run([Access(bench.offset("r_start"), 0)])
    for stream in "xwr":
        await bench.refused(Access(bench.offset(f"{stream}_start"), 0), f"{stream}_start")
    for stream in "xw":
        for access in bench.window_writes(stream, bench.rng.getrandbits(64)):
            await bench.refused(access, stream)
    await bench.drain()
    bench.model.sure = dict.fromkeys("xwr", True)  # all were taken, for all was answered
    await bench.check_rows()
    bench.finish()


async def leave_waiting(bench: BusBench, state: str) -> None:
    """Bring the slave into a state: a vector, row or read-back waits, a result or row is unread."""
    if state in ("y", "x", "w", "all"):
        await bench.start_pass(signed=True)
        await bench.poll("y_valid")
    if state in ("q", "r", "all"):
        await bench.run([Access(bench.offset("r_start"), 0)])
        await bench.poll("q_valid")
    if state in ("x", "w", "all"):
        await bench.hold_up("x")
    if state in ("w", "all"):
        await bench.write_row(0, turned=1)
    if state == "r":
        await bench.hold_up("r")
    elif state == "all":
        await bench.run([Access(bench.offset("r_start"), 0)])
    status = await bench.read(bench.offset("status"))
    for place, stream in enumerate("xwryq"):
        waits = bool(status >> place & 1) == (stream in "yq")
        assert waits or state not in (stream, "all"), f"{stream} does not wait"


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
@cocotb.parametrize(how=RESETS)
async def test_reset_empties_every_state(dut, how):
    """With anything waiting or unread, rst and control.reset leave nothing of it, enable no
    interrupt, and keep the weights, that of a row which waited, too."""
    bench = await BusBench.loaded(dut)
    for state in ("x", "w", "r", "y", "q", "all"):
        before = bench.model.model.read(0, 0)
        await leave_waiting(bench, state)
        await bench.run([Access(bench.offset("irq_enable"), 0x1F)])
        if how == "rst":
            await bench.reset(1)
        else:
            await bench.run([Access(bench.offset("control"), 1)])
        model = bench.model.model
        model.write(0, 0, before, True, fuse=model.fuse(0))  # a row that waited was not written
        for _ in range(2):
            assert await bench.read(bench.offset("status")) == 0b00111
            assert await bench.read(bench.offset("irq_enable")) == 0
            for stream in "yq":
                nothing = [*bench.read_window(stream), Access(bench.offset(f"{stream}_next"), 0)]
                await bench.run(nothing)
            assert not await bench.line("busy")
            for _ in range(CONFIG.latency() + 2):
                await RisingEdge(dut.clk)
        for bank in range(CONFIG.banks):
            await bench.start_pass(signed=True, bank=bank)
            await bench.take_result()
        await bench.check_rows()
        assert bench.coverage
        bench.coverage.hit("reset", (how, state))
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def test_busy_follows_work(dut):
    """busy is high while a pass, a write or a read-back is under way, and low before and after,
    whether or not its answer was read."""
    bench = await BusBench.loaded(dut)
    high = []

    async def count() -> None:
        while True:
            await ReadOnly()
            high.append(int(dut.busy.value))
            await RisingEdge(dut.clk)

    counter = cocotb.start_soon(count())
    work = (
        (Access(bench.offset("x_start"), 1 << SIGN), CONFIG.latency()),
        (Access(bench.offset("r_start"), 0), CONFIG.read_latency),
    )
    for access, cycles in work:
        high.clear()
        await bench.run([access])
        for _ in range(cycles + 4):
            await RisingEdge(dut.clk)
        assert sum(high) in (cycles, cycles + 1)
        assert not high[-1]
    await bench.drain()
    high.clear()
    await bench.write_row(0)
    await bench.poll("w_ready")
    assert sum(high) == 1
    assert not high[-1]
    counter.cancel()
    bench.finish()
