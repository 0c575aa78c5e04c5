"""The engine's registers: every access, legal and illegal, against a model and by hand."""

import random
from collections import Counter

import pytest

from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.bus.engine_registers import COUNTED, EngineRegisters
from cimforge.hdl.emit.waivers import WRAPPER_WAIVERS, lint_waivers
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.tests.engine_registers_run import EVENT_PORTS, Bench, Request
from cimforge.hdl.tests.map_configs import ENGINES
from cimforge.hdl.tests.tools import lint

PLAIN = ENGINES["plain"]
some_engines = pytest.mark.parametrize("config", [PLAIN, ENGINES["wide"]], ids=["plain", "wide"])
SEED = 20
CYCLES = 2500
WAIVERS = (
    *WRAPPER_WAIVERS,
    ("SYMRSVDWORD", "{name}.v", "*'interrupt'*", "an input of a module below the top"),
)


def wrong(table: EngineMap) -> list[Request]:
    """Accesses that are errors in an idle engine; reads and writes of what is not there."""
    requests: list[Request] = []
    known = {register.offset: register for register in table.registers()}
    for address in range(1 << table.address_bits):
        register = known.get(address)
        if register is None:
            requests.append((address, None, 0xF))
        if register is None or register.access == "ro":
            requests += [(address, word, 0xF) for word in (0, 1, 0xFFFFFFFF)]
        if register is not None:
            requests += [(address, None, strobe) for strobe in range(15)]
            requests += [(address, 0, strobe) for strobe in range(15)]
        if register is not None and register.access != "ro":
            bits = [1 << place for place in range(32) if register.reserved >> place & 1]
            requests += [(address, bit | 1 << 31, 0xF) for bit in bits if bit | 1 << 31 in bits]
            requests += [(address, bit, 0xF) for bit in bits]
    return [*requests, (table.register("queue_count").offset, 0, 0xF)]


def test_an_illegal_access_changes_nothing():
    async def test(bench):
        await bench.write("queue_count", 3)
        await bench.write("queue_base", 0x12340)
        await bench.write("irq_enable", 5)
        await bench.cycle(interrupt=1, failed=1, error_cause=2, error_field=7, error_index=9)
        before = await bench.words()
        for request in wrong(bench.map):
            assert await bench.access(*request) == "error", request
        assert await bench.words() == before

    assert len(wrong(EngineMap(PLAIN))) > 1000
    Bench(PLAIN).run(test)


@pytest.mark.parametrize("config", ENGINES.values(), ids=ENGINES)
def test_every_register_reads_its_reset_value(config):
    async def test(bench):
        for register in bench.map.registers():
            assert await bench.read(register.name) == register.constant

    Bench(config).run(test)


def test_every_bit_that_may_be_written_is_kept():
    async def test(bench):
        for name in ("irq_enable", "queue_base", "queue_count"):
            register = bench.map.register(name)
            for place in (place for place in range(32) if ~register.reserved >> place & 1):
                assert await bench.write(name, 1 << place) == 0
                assert await bench.read(name) == 1 << place

    Bench(PLAIN).run(test)


def test_a_start_is_refused_until_there_is_a_queue():
    async def test(bench):
        assert await bench.write("control", 1) == "error"
        assert await bench.write("control", 6) == 0  # reset, clear
        await bench.write("queue_count", 1)
        assert await bench.write("control", 3) == "error"  # start and reset
        assert (await bench.cycle())["start"] == 0
        request = (bench.map.register("control").offset, 1, 0xF)
        await bench.cycle(request)
        assert (await bench.cycle(request))["start"] == 1
        assert (await bench.cycle())["start"] == 0
        assert await bench.read("control") == 0

    Bench(PLAIN).run(test)


@pytest.mark.parametrize("level", ["busy", "resetting"])
def test_the_queue_stands_still_while_it_is_used(level):
    async def test(bench):
        await bench.write("queue_count", 5)
        bench.levels[level] = 1
        before = await bench.words()
        for name, word in (("queue_base", 64), ("queue_count", 5), ("control", 1), ("control", 5)):
            assert await bench.write(name, word) == "error"
        assert await bench.words() == before
        assert await bench.read("status") == bench.map.register("status").word(**{level: 1})
        assert await bench.write("irq_enable", 7) == 0
        assert await bench.write("control", 4) == 0
        assert await bench.write("control", 2) == 0
        bench.levels[level] = 0
        assert await bench.write("queue_count", 5) == 0
        assert await bench.write("control", 5) == 0

    Bench(PLAIN).run(test)


def test_an_error_is_kept_until_the_next_start():
    async def test(bench):
        status = bench.map.register("status")
        await bench.write("queue_count", 9)
        await bench.write("control", 1)
        bench.levels["busy"] = 1
        for _ in range(3):
            await bench.cycle(ended=1)
        await bench.cycle(overflow=1)
        await bench.cycle(failed=1, error_cause=4, error_field=0xFFFF, error_index=3)
        bench.levels["busy"] = 0
        assert await bench.read("queue_done") == 3
        assert await bench.read("status") == status.word(error=1, overflow=1)
        assert await bench.read("error") == 0xFFFF_0004
        assert await bench.read("error_index") == 3
        await bench.write("control", 1)
        await bench.cycle(finished=1)
        assert await bench.read("queue_done") == 0
        assert await bench.read("status") == status.word(done=1, overflow=1)
        assert await bench.read("error") == await bench.read("error_index") == 0
        await bench.write("control", 4)
        assert await bench.read("status") == 0
        assert await bench.read("irq_status") == 3

    Bench(PLAIN).run(test)


def test_the_interrupt_is_high_while_an_enabled_event_is_not_cleared():
    async def test(bench):
        for place, event in enumerate(("finished", "failed", "interrupt")):
            await bench.cycle(**{event: 1})
            assert (await bench.cycle())["irq"] == 0
            assert await bench.read("irq_status") == 1 << place
            for enabled in range(8):
                await bench.write("irq_enable", enabled)
                assert (await bench.cycle())["irq"] == enabled >> place & 1
            await bench.write("irq_status", 7 & ~(1 << place))
            assert (await bench.cycle())["irq"] == 1
            request = (bench.map.register("irq_status").offset, 1 << place, 0xF)
            await bench.cycle(request, **{event: 1})  # comes again as it is cleared: stays
            assert (await bench.cycle(request))["irq"] == 1
            await bench.cycle(request)
            assert (await bench.cycle(request))["irq"] == 0
            await bench.write("irq_enable", 0)

    Bench(PLAIN).run(test)


def test_a_soft_reset_is_a_reset():
    async def test(bench):
        fresh = await bench.words()
        await bench.write("queue_base", 1 << 20)
        await bench.write("queue_count", 77)
        await bench.write("irq_enable", 7)
        counts = dict.fromkeys(COUNTED.values(), 1)
        await bench.cycle(finished=1, failed=1, interrupt=1, overflow=1, ended=1, **counts)
        await bench.cycle(error_cause=1, failed=1)
        words = await bench.words()
        changed = [name for name in fresh if words[name] != fresh[name]]
        same = ("error_index", "macs_high", "control", *bench.map.constants)
        assert changed == [name for name in fresh if name not in same]
        await bench.write("control", 2)
        bench.levels["resetting"] = 1
        for _ in range(4):  # what ends while it resets says nothing
            await bench.cycle(finished=1, failed=1, interrupt=1, overflow=1, ended=1, **counts)
        bench.levels["resetting"] = 0
        await bench.cycle()
        assert await bench.words() == fresh

    Bench(PLAIN).run(test)


@some_engines
def test_counters_add_what_they_are_told(config):
    macs = config.macros * config.macro.rows * config.macro.cols
    macs *= config.macro.weight_bits * config.macro.bits_per_cycle

    async def test(bench):
        rng, counts = random.Random(SEED), Counter()
        for _ in range(200):
            given = {port: rng.randrange(2) for port in COUNTED.values()}
            given["planes_skipped"] = rng.choice((0, 1, 254, 255))
            counts.update(given)
            await bench.cycle(**given)
        await bench.cycle()
        await bench.cycle()
        words = await bench.words()
        assert {port: words[name] for name, port in COUNTED.items()} == counts
        done = words["macs_high"] << 32 | words["macs_low"]
        assert done == macs * counts["count_compute"]
        assert (done > 1 << 39) == (config is not PLAIN)
        await bench.write("control", 4)
        words = await bench.words()
        assert not any(words[name] for name in COUNTED)
        assert await bench.read("macs_low") == await bench.read("macs_high") == 0

    Bench(config).run(test)


@some_engines
def test_counting_begins_in_the_cycle_of_the_clear(config):
    async def test(bench):
        request = (bench.map.register("control").offset, 4, 0xF)
        await bench.cycle(request, count_vector=1, count_compute=1)
        assert (await bench.cycle(request, count_vector=1, count_compute=1))["clear"] == 1
        await bench.cycle(count_vector=1)
        await bench.cycle()
        words = await bench.words()
        assert (words["vectors"], words["compute"]) == (2, 1)
        macs = config.macros * config.macro.macs_1b
        assert words["macs_high"] << 32 | words["macs_low"] == macs

    Bench(config).run(test)


def test_one_access_in_two_cycles():
    async def test(bench):
        request = (bench.map.register("id").offset, None, 0xF)
        found = [(await bench.cycle(request))["registers_ready"] for _ in range(10)]
        assert found == [0, 1] * 5
        assert EngineRegisters.latency == 1
        assert len(bench.ports["registers_address"]) == bench.block.address_bits == 7

    Bench(PLAIN).run(test)


def drawn_request(rng: random.Random, table: EngineMap) -> Request:
    """An access, legal more often than not."""
    register = rng.choice(table.registers())
    if rng.random() < 0.1:
        return rng.randrange(1 << table.address_bits), rng.getrandbits(32), rng.getrandbits(4)
    if rng.random() < 0.4 or register.access == "ro":
        return register.offset, None, 0xF
    word = rng.getrandbits(32) & ~register.reserved
    return register.offset, rng.choice((word, 0, 1, 1 << rng.randrange(32))), 0xF


def drawn_events(rng: random.Random, busy: int) -> dict[str, int]:
    """What the engine tells in a cycle."""
    drawn = {}
    for port in EVENT_PORTS:
        if rng.random() < (0.3 if busy else 0.02):
            drawn[port] = rng.getrandbits({"error_field": 16, "error_index": 16}.get(port, 1))
    if rng.random() < 0.1:
        drawn |= {"planes_skipped": rng.getrandbits(8), "error_cause": rng.getrandbits(8)}
    return drawn


@some_engines
def test_random_accesses_and_events_as_the_model_says(config):
    print(f"seed {SEED}")
    rng, seen = random.Random(SEED), Counter()

    async def test(bench):
        request, idle = None, 0
        for _ in range(CYCLES):
            if request is None and not idle:
                request = drawn_request(rng, bench.map)
            told = await bench.cycle(request, **drawn_events(rng, bench.levels["busy"]))
            idle = max(0, idle - 1)
            if told["registers_ready"]:
                seen[request[0], request[1] is None, told["registers_error"]] += 1
                request, idle = None, rng.choice((0, 0, 1, 3))
            levels = bench.levels
            levels["busy"] = int(told["start"] or (levels["busy"] and rng.random() < 0.9))
            levels["resetting"] = int(
                told["soft_reset"] or (levels["resetting"] and rng.random() < 0.7)
            )

    Bench(config).run(test)
    table = EngineMap(config)
    for register in table.registers():
        assert seen[register.offset, True, 0] > 5
        if register.access != "ro":
            assert seen[register.offset, False, 0] > 3
            assert seen[register.offset, False, 1] > 3


@pytest.mark.parametrize("name", ["plain", "wide"])
def test_the_emitted_block_is_clean(name, tmp_path):
    block = EngineRegisters(ENGINES[name])
    (tmp_path / f"{block.name}.v").write_text(modules_to_verilog([block]))
    (tmp_path / "waivers.vlt").write_text(lint_waivers(block.name, WAIVERS))
    assert lint(tmp_path, "--top-module", block.name, "waivers.vlt", f"{block.name}.v") == []
