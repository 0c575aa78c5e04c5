"""The fetch unit: random commands, errors, flushes and rates against plain Python."""

from copy import deepcopy

import pytest

from cimforge.hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.engine.fetch_unit import FetchUnit
from cimforge.hdl.engine.read_arbiter import ReadArbiter
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.configs import DIVERSE, macro
from cimforge.hdl.tests.fetch_bench import FetchBench, random_command
from cimforge.hdl.tests.read_memory import FAST, TIMINGS, simulate
from cimforge.hdl.tests.tools import lint

KINDS = ("load", "copy", "channels")
CONFIGS = {
    # rows narrower than a word, with banks
    "narrow": EngineConfig(macro=macro(6, 3, 4, 4, banks=3), act_bytes=128, burst=4),
    # rows of five words
    "long_rows": EngineConfig(macro=macro(5, 20, 8, 8), act_bytes=128, streams=True),
    # two macros, the second's row across two words; modes
    "macros": EngineConfig(
        **{"macro": DIVERSE["sliced_tables"].model_copy(update={"cols": 9}), "macros": 2},
        **{"bus_bits": 64, "act_bytes": 128, "burst": 8, "streams": True},
    ),
    # elements of two bytes, one row, one channel
    "one_row": EngineConfig(
        macro=macro(1, 1, 5, 16, 4), bus_bits=128, act_bytes=128, burst=2, channels=1
    ),
    # fill; two channels a word
    "fill": EngineConfig(
        **{"macro": DIVERSE["pairs"], "bus_bits": 256, "act_bytes": 512, "streams": True}
    ),
    # four channels a word; single words
    "widest": EngineConfig(
        macro=MacroConfig(rows=9, cols=70, weight_bits=1, input_bits=1, multiply="xnor"),
        **{"bus_bits": 512, "act_bytes": 512, "burst": 1, "macros": 9, "channels": 700},
    ),
}
every_config = pytest.mark.parametrize("name", CONFIGS)
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_config
@pytest.mark.parametrize("timing", TIMINGS)
def test_random_commands(name, timing):
    bench = FetchBench(CONFIGS[name], f"{name} {timing}", TIMINGS[timing])

    async def drive(ctx):
        for number in range(8):
            command, asked = random_command(bench, KINDS[number % 3]), len(bench.memory.asked)
            bad = bench.give(command)
            await bench.until_done(ctx)
            assert (len(bench.memory.asked) == asked) == bool(command.get("stream"))
            bench.check()  # all is done when it says so
            assert bench.ended[-1] == (0, bad)

    simulate(bench.block, drive)
    assert not bench.into or not bench.into.beats


def word_addresses(config: EngineConfig, command: dict[str, int]) -> list[int]:
    """Address of each word of a command, in the order in which they come."""
    size, lines, pitch = config.bus_bytes, 1, 0
    if command["load"]:
        words = command["rows"] * config.row_words
    elif command["channels"]:
        words = -(-16 * command["count"] // size)
    else:
        words, lines = -(-command["count"] // size), command["lines"]
        pitch = command["source_pitch"]
    base = command["source"]
    return [(base + n * pitch + w * size) % 2**32 for n in range(lines) for w in range(words)]


def do_first_words(bench: FetchBench, command: dict[str, int], words: int) -> None:
    """Let the model do what the first words of a command suffice for."""
    config, model = bench.config, bench.model
    if command["load"]:
        model.do(command | {"rows": words // config.row_words})
    elif command["channels"]:
        count = min(command["count"], words * config.bus_bytes // 16)
        model.do(command | {"count": count})
    else:
        whole, rest = divmod(words, -(-command["count"] // config.bus_bytes))
        model.do(command | {"lines": whole})
        source = command["source"] + whole * command["source_pitch"]
        target = command["target"] + whole * command["target_pitch"]
        begun = {"source": source, "target": target, "count": rest * config.bus_bytes, "lines": 1}
        model.do(command | begun)


@every_config
@every_kind
def test_an_error_at_any_word_ends_a_command_there(name, kind):
    bench = FetchBench(CONFIGS[name], f"errors {name} {kind}", TIMINGS["all_slow"])

    async def drive(ctx):
        for _ in range(2):
            command = random_command(bench, kind, small=True) | {"stream": 0}
            addresses = word_addresses(bench.config, command)
            for word, address in enumerate(addresses):
                bench.memory.bad = {address}
                first = addresses.index(address)  # lines may overlap in memory
                bench.commands.beats.append(dict(command))
                do_first_words(bench, command, first)
                await bench.until_done(ctx)
                assert bench.ended[-1][0] == 1, word
                bench.check()
            bench.memory.bad = set()
            bench.give(command)
            await bench.until_done(ctx)
            bench.check()
            assert bench.ended[-1][0] == 0

    simulate(bench.block, drive)


def test_after_an_error_no_more_is_asked_for():
    config = CONFIGS["long_rows"].model_copy(update={"burst": 2, "streams": False})
    bench = FetchBench(config, "asked", FAST)
    command = {"load": 1, "source": 0x1000, "first": 0, "rows": 5, "bank": 0, "signed": 0}
    bench.memory.bad = {0x1004}
    bench.commands.beats.append(command)

    async def drive(ctx):
        await bench.until_done(ctx)

    simulate(bench.block, drive)
    # the second word comes 2 cycles after the first burst is asked for: one a cycle till then, and
    # one is offered already when its error is known
    assert bench.memory.asked == [(0x1000 + 8 * burst, 2) for burst in range(4)]
    assert (bench.ended, bench.rows.beats) == ([(1, 0)], [])


@pytest.mark.parametrize(
    ("name", "kind", "timing"),
    [
        *((name, kind, "fast") for name in ("narrow", "macros") for kind in KINDS),
        *(("fill", "load", "all_slow"), ("fill", "copy", "all_slow"), ("fill", "channels", "fast")),
        *(("macros", "channels", "all_slow"), ("narrow", "load", "slow_beats")),
    ],
)
def test_flushed_at_any_cycle_it_drains_and_works_on(name, kind, timing):
    bench = FetchBench(CONFIGS[name], f"flush {name} {kind} {timing}", TIMINGS[timing])

    async def drive(ctx):
        for trial in range(30):
            wait = trial % 15 if timing == "fast" else bench.random.randrange(60)
            held = bench.random.getrandbits(1)  # or a pulse
            bench.give(random_command(bench, kind, small=True))
            for _ in range(wait):
                await bench.step(ctx)
            bench.flush, asked, ended = 1, len(bench.memory.asked), len(bench.ended)
            written = deepcopy((bench.effects.act, bench.effects.channels))
            for _ in range(300):
                await bench.step(ctx)
                bench.commands.withdraw()
                bench.flush = held
                if ctx.get(bench.block.idle):
                    break
            else:
                raise AssertionError("hung")
            assert len(bench.memory.asked) <= asked + 1  # that which was offered
            assert len(bench.ended) == ended
            assert written == (bench.effects.act, bench.effects.channels)
            bench.flush = 0
            bench.forget()
            other = kind if trial % 2 == 0 else KINDS[trial % 3]
            bench.give(random_command(bench, other, small=True))
            await bench.until_done(ctx)
            bench.check()

    simulate(bench.block, drive)


def cycles_a_command(config: EngineConfig, command: dict[str, int], latency: int) -> int:
    """From a command's acceptance to the next one's, everything around at full rate."""
    bench = FetchBench(config, "rate", FAST._replace(latency=(latency, latency)))

    async def drive(ctx):
        for _ in range(2):
            bench.give(dict(command))
        await bench.until_done(ctx, 2)

    simulate(bench.block, drive)
    bench.check()
    first, second = bench.taken
    return second - first


@pytest.mark.parametrize("latency", [1, 12])
def test_a_word_a_cycle(latency):
    """n words take n + latency + 3 cycles from command to command, n + latency + 4 of a LOAD; from
    a stream latency is 0."""
    place = {
        "source": 0x40,
        "target": 0,
        "source_pitch": 0x100,
        "target_pitch": 0x20,
        "channels": 0,
    }
    load = {"load": 1, "first": 0, "bank": 0, "signed": 0}
    streamed = CONFIGS["long_rows"]
    for config in (CONFIGS["narrow"], streamed, CONFIGS["fill"]):
        rows = config.macro.rows
        command = load | place | {"rows": rows, "fill": 0, "stream": 0}
        expected = rows * config.row_words + latency + 4
        assert cycles_a_command(config, command, latency) == expected
    for config in (CONFIGS["narrow"], streamed):
        copy = place | {"load": 0, "count": 31, "lines": 4, "stream": 0}
        assert cycles_a_command(config, copy, latency) == 4 * 8 + latency + 3
    assert cycles_a_command(streamed, copy | {"stream": 1}, latency) == 4 * 8 + 3
    command = load | place | {"rows": 5, "stream": 1}
    assert cycles_a_command(streamed, command, latency) == 25 + 4


def test_a_row_is_collected_while_another_waits():
    """Macros that take a row in as many cycles as it has words hold nothing up."""
    config = CONFIGS["long_rows"].model_copy(update={"streams": False})
    bench = FetchBench(config, "beside", FAST)
    command = {"load": 1, "source": 0, "first": 0, "rows": 5, "bank": 0, "signed": 0}
    bench.give(command)
    waits = 0

    def slow_ready(ctx):
        nonlocal waits
        waits = waits + 1 if ctx.get(bench.block.w.valid) else 0
        ctx.set(bench.block.w.ready, waits == config.row_words)
        waits %= config.row_words

    bench.rows.drive = slow_ready

    async def drive(ctx):
        await bench.until_done(ctx)

    simulate(bench.block, drive)
    bench.check()
    # 25 words, 2 cycles to the first request, memory's latency of 1; the last row waits for 5
    assert bench.cycle == 2 + 1 + 25 + 5 + 1


def test_channels_worked_by_hand():
    """Four channels at the edges of what is legal: bias, multiplier, shift, zero point."""
    bench = FetchBench(CONFIGS["narrow"], "channels", FAST)
    table = (
        *("80000000 7fffffff ffffffe1 00008000", "ffffffff 00000000 0000001f ffff7fff"),
        *("00000001 80000000 00000000 00000001", "00000002 00000001 ffffffe0 00000002"),
        *("00000003 00000001 00000020 00000003", "00000004 00000002 00000000 0000ffff"),
    )
    words = [int(word, 16) for channel in table for word in channel.split()]
    for place, word in enumerate(words):
        for byte in range(4):
            bench.memory.content[0x200 + 4 * place + byte] = word >> 8 * byte & 0xFF
    command = {"load": 0, "channels": 1, "source": 0x200, "target": 10, "count": 6, "lines": 1}
    bench.commands.beats.append(command)

    async def drive(ctx):
        await bench.until_done(ctx)

    simulate(bench.block, drive)
    assert bench.effects.channels == {
        10: (-(2**31), 2**31 - 1, -31, -32768),
        11: (-1, 0, 31, 32767),
        15: (4, 2, 0, -1),
    }
    assert bench.ended == [(0, 1)]


# what a descriptor's fields have too much for an engine, and what a stream says besides its words
UNIT_WAIVERS = tuple(
    ("UNUSEDSIGNAL", "{name}.v", f"*'{port}*", "wider than this engine needs")
    for port in ("command_", "into_strobe'", "into_last'")
)


@pytest.fixture(scope="module")
def verilog() -> str:
    """Text of the units of every config."""
    blocks = [unit(config) for config in CONFIGS.values() for unit in (FetchUnit, ReadArbiter)]
    return modules_to_verilog(blocks)


def test_lint_is_clean(verilog, tmp_path):
    (tmp_path / "units.v").write_text(verilog)
    (tmp_path / "units.vlt").write_text(lint_waivers("units", (*WRAPPER_WAIVERS, *UNIT_WAIVERS)))
    assert lint(tmp_path, "-Wno-MULTITOP", "units.vlt", "units.v") == []


def test_no_wire_is_without_a_name_of_its_own(verilog):
    """Amaranth calls a signal whose name it cannot tell $signal."""
    assert "_signal" not in verilog
