"""The store unit against a NumPy expectation of memory, its rates, errors and flushes."""

from random import Random

import pytest

from cimforge.hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.engine.burst_writer import UNANSWERED, held_words
from cimforge.hdl.engine.store_unit import RAW_LATENCY, StoreUnit
from cimforge.hdl.netlist.module import distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.block_run import run_block
from cimforge.hdl.tests.store_run import (
    StoreBench,
    draw_channels,
    draw_command,
    element_bytes,
    expected_bytes,
    expected_rows,
    run_store,
)
from cimforge.hdl.tests.tools import lint, needs_icarus


def engine(cols: int, lanes: int, bus_bits: int, acc_bits: int = 32, **others) -> EngineConfig:
    """An engine of one small macro."""
    macro = MacroConfig(rows=4, cols=cols, weight_bits=4, input_bits=4)
    sizes = {"channels": 2 * cols + 3, "acc_vectors": 9, "act_bytes": 256, **others}
    return EngineConfig(macro=macro, lanes=lanes, bus_bits=bus_bits, acc_bits=acc_bits, **sizes)


CONFIGS = {
    "one_output": engine(1, 1, 32, channels=1, burst=1),
    "one_lane": engine(7, 1, 32, burst=4),
    "two_lanes": engine(9, 2, 32, burst=8),
    "four_lanes": engine(6, 4, 32, burst=2, streams=True),
    "wide_sums": engine(5, 1, 32, 48),
    "wide_bus": engine(13, 4, 64, 48, burst=4, weight_zeros=True),
    "zeros": engine(5, 2, 64, weight_zeros=True, streams=True),
    "widest": engine(11, 1, 128, streams=True),
    "more_lanes_than_outputs": engine(3, 8, 128, 48, channels=3),
    "all": engine(10, 4, 32, 48, burst=4, weight_zeros=True, streams=True),
}
every_config = pytest.mark.parametrize("name", CONFIGS)


@every_config
def test_memory_is_as_expected_and_nothing_else_is_touched(name):
    config, random = CONFIGS[name], Random(name)
    bench = StoreBench(config, len(name))

    async def drive(ctx):
        for number in range(14):
            if number % 5 == 0:
                await bench.load(ctx, draw_channels(config, random))
            bench.forget()
            bench.hesitate = random.choice([0, 0.2, 0.7])
            command = draw_command(config, random)
            await bench.begin(ctx, command)
            assert not (await bench.finish(ctx))["failed"]
            if command.get("stream"):
                packet = [*b"".join(expected_rows(bench, command)), None]
                assert (bench.packet, bench.memory) == (packet, {}), command
            else:
                assert (bench.packet, bench.memory) == ([], expected_bytes(bench, command)), command
            assert (await bench.cycle(ctx))["idle"]

    run_store(bench, drive)


def whole(config: EngineConfig, **told: int) -> dict[str, int]:
    """A command of all outputs of some vectors, without a gap unless told."""
    values = {"vectors": 6, "sums": 1, "first": 0, "channel": 0, "target": 256, "stream": 0, **told}
    values |= {"outputs": config.outputs - values["first"], "raw": 0, "wide": 0, **told}
    dense = {"target_pitch": values["outputs"] * element_bytes(config, values)}
    return draw_command(config, Random(1), **(dense | values))


def cycles_of(config: EngineConfig, *commands: dict[str, int]) -> list[tuple[int, int]]:
    """Cycles from each command to its first request, and to ``done``; nobody hesitates."""
    bench, found = StoreBench(config, 1, hesitate=0), []

    async def drive(ctx):
        await bench.load(ctx, draw_channels(config, Random(1)))
        for command in commands:
            bench.forget()
            await bench.begin(ctx, command)
            begun = bench.cycles  # the cycle of acceptance is number 0
            while not bench.taken:
                await bench.cycle(ctx)
            asked = bench.cycles - begun
            await bench.finish(ctx)
            found.append((asked, bench.cycles - begun))

    run_store(bench, drive)
    return found


# an engine, what differs of the command, groups of a vector, cycles of a group, and cycles that a
# vector takes besides
RATES = {
    "a lane": (engine(7, 1, 32, burst=1), {}, 7, 1, 0),
    "sums as they are": (engine(7, 1, 32, burst=1), {"raw": 1}, 7, 1, 0),
    "four lanes": (engine(16, 4, 32, burst=1), {}, 4, 1, 0),
    "four lanes of four in a word": (engine(16, 4, 64, burst=1), {"wide": 1}, 4, 1, 0),
    "wider than the bus": (engine(16, 4, 32, burst=1), {"wide": 1}, 4, 2, 0),
    "much wider than the bus": (engine(8, 4, 32, 48, burst=1), {"raw": 1}, 2, 8, 0),
    "a slot for ones": (engine(16, 4, 32, burst=1, weight_zeros=True), {}, 4, 1, 1),
    "none of raw": (engine(16, 4, 128, weight_zeros=True, burst=1), {"raw": 1}, 4, 1, 0),
    "gaps": (engine(16, 4, 32, burst=1), {"target_pitch": 24}, 4, 1, 0),
    "rows across words": (engine(16, 4, 32, burst=1), {"target_pitch": 24, "target": 3}, 4, 1, 1),
    "other lanes": (engine(16, 4, 32, burst=1), {"channel": 3}, 5, 1, 0),
}


@pytest.mark.parametrize("name", RATES)
def test_rate_is_the_lanes_or_the_bus(name):
    config, told, groups, cycles, more = RATES[name]
    commands = (whole(config, vectors=number, **told) for number in (3, 8))
    few, many = (done for _, done in cycles_of(config, *commands))
    vector, latency = groups * cycles + more, StoreUnit(config).latency
    assert many - few == 5 * vector
    assert many <= 8 * vector + latency + config.burst + 2  # the memory answers a cycle later


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("raw", [False, True])
def test_latency_to_the_first_request(zeros, raw):
    config = engine(4, 4, 32, burst=1, weight_zeros=zeros)
    ((asked, _),) = cycles_of(config, whole(config, raw=raw))
    assert asked == (RAW_LATENCY if raw else StoreUnit(config).latency)


def test_full_bursts_follow_without_a_gap():
    config = engine(16, 4, 32, burst=16)
    ((asked, done),) = cycles_of(config, whole(config, vectors=8))
    # from the cycle after the first burst's request on a word a cycle, and the last answer
    assert done - asked == 8 * 4 + 2
    assert done <= 8 * 4 + StoreUnit(config).latency + config.burst + 2


@pytest.mark.parametrize("burst", [1, 4])
def test_a_memory_that_stops_is_waited_for(burst):
    """Whichever of its streams stops, until nothing moves any more."""
    config = engine(7, 1, 32, burst=burst)
    command, bench, most = whole(config, vectors=8, raw=1), StoreBench(config, 2, hesitate=0), []

    async def drive(ctx):
        for stream in ("write", "write_data", "done", "sums"):
            bench.forget()
            bench.blocked = {stream}
            await bench.begin(ctx, command)
            for _ in range(100):
                assert not (await bench.cycle(ctx))["done"]
            most.append(bench.taken - bench.answered)
            bench.blocked = set()
            await bench.finish(ctx)
            assert bench.memory == expected_bytes(bench, command)

    run_store(bench, drive)
    held, words = held_words(config) + 1, 8 * 7
    assert most == [0, min(UNANSWERED, held // burst), min(UNANSWERED, words // burst), 0]


def test_an_error_is_told_with_done_and_forgotten_by_the_next_command():
    config, random = CONFIGS["two_lanes"], Random(5)
    bench, told = StoreBench(config, 5), []

    async def drive(ctx):
        await bench.load(ctx, draw_channels(config, random))
        for number in range(12):
            bench.forget()
            bench.errors = 0.3 if number % 2 else 0
            command = draw_command(config, random)
            await bench.begin(ctx, command)
            assert (await bench.finish(ctx))["failed"] == bench.failed
            assert bench.memory == expected_bytes(bench, command)
            told.append(bench.failed)

    run_store(bench, drive)
    assert {True, False} == set(told[1::2])
    assert not any(told[::2])


@pytest.mark.parametrize("stream", [0, 1])
@pytest.mark.parametrize("hesitate", [0, 0.5])
def test_a_flush_at_any_cycle_ends_lawfully(stream, hesitate):
    config = engine(6, 2, 32, burst=2, streams=True)
    bench, random = StoreBench(config, 7, hesitate), Random(7)
    command = whole(config, vectors=3, target=3, wide=1, target_pitch=17, stream=stream)
    ended = []

    async def drive(ctx):
        await bench.load(ctx, draw_channels(config, random))
        while not ended or not ended[-1]:
            bench.forget()
            bench.offer(ctx, command)
            done = False
            for _ in range(len(ended)):
                seen = await bench.cycle(ctx)
                done |= seen["done"]
                bench.put(
                    ctx,
                    command_valid=ctx.get(bench.unit.command.valid) and not seen["command_ready"],
                )
            await bench.flush(ctx)
            ended.append(done)
            wanted = expected_bytes(bench, command)
            assert bench.memory.items() <= wanted.items()
            assert not bench.packet or bench.packet[-1] is None
            if len(ended) % 8 == 0:  # and goes on as if nothing had been
                bench.forget()
                await bench.begin(ctx, command)
                await bench.finish(ctx)
                assert bench.memory == ({} if stream else wanted)

    run_store(bench, drive)
    assert len(ended) > 25


# what a descriptor's fields have too much for an engine, and the lines of ``below`` that lead to
# others alone
UNIT_WAIVERS = tuple(
    ("UNUSEDSIGNAL", "{name}.v", f"*'*{net}*", reason)
    for net, reason in (
        ("command_", "wider than this engine needs"),
        ("words_last'", "a burst of one word ends with it"),
        *(
            (net, "bits that have another name, too")
            for net in ("_elements'", "_first'", "_target'")
        ),
        ("sums_row_", "columns of fewer sums have fewer rows"),
        *(
            (lines, "lines that lead to others alone")
            for lines in ("_inside", "fitting", "wrapped", "passed")
        ),
    )
)


@pytest.fixture(scope="module")
def verilog() -> str:
    """Text of some configs' units."""
    names = ("one_output", "four_lanes", "wide_sums", "all")
    return modules_to_verilog(
        [module for name in names for module in distinct_modules(StoreUnit(CONFIGS[name]))]
    )


def test_lint_is_clean(verilog, tmp_path):
    (tmp_path / "units.v").write_text(verilog)
    (tmp_path / "units.vlt").write_text(lint_waivers("units", (*WRAPPER_WAIVERS, *UNIT_WAIVERS)))
    assert lint(tmp_path, "-Wno-MULTITOP", "units.vlt", "units.v") == []


def test_every_wire_has_a_name_of_its_own(verilog):
    """Amaranth calls a signal whose name it cannot tell $signal."""
    assert "_signal" not in verilog


@needs_icarus
def test_emitted_verilog_does_the_same(tmp_path):
    """What the simulated unit was given and said, cycle by cycle."""
    config, random = CONFIGS["zeros"], Random(3)
    bench = StoreBench(config, 3)
    bench.trace = []

    async def drive(ctx):
        await bench.load(ctx, draw_channels(config, random))
        for told in ({}, {"raw": 1, "target": 253}, {"wide": 1, "stream": 1}):
            bench.forget()
            await bench.begin(ctx, whole(config, **told))
            await bench.finish(ctx)

    run_store(bench, drive)
    inputs = {n for n, port in bench.unit.ports.items() if port.direction == "input"}
    given = [{n: value for n, value in cycle.items() if n in inputs} for cycle in bench.trace]
    found = run_block(tmp_path, bench.unit, [{"rst": 1}, *given])[1:]
    words = 0
    for told, cycle in zip(bench.trace, found, strict=True):
        for port, value in cycle.items():
            stream, _, field = port.rpartition("_")
            if field in ("address", "beats", "data", "strobe", "last", "vector"):
                known = told[f"{stream}_valid"] and (value is not None or field != "data")
                words += bool(known and field == "data")
                assert not known or value == told[port], port
            else:
                assert value == told[port], port
    assert words > 20
