"""The C driver, compiled strictly, against the golden engine."""

import random
import subprocess

import numpy as np
import pytest

from cimforge.hdl.params.descriptors import pack_descriptor
from cimforge.host.engine_driver import COUNTERS
from cimforge.host.engine_layer import ConvolutionLayer, LinearLayer
from cimforge.host.engine_plan import plan_layer
from cimforge.host.engine_table import layer_table, table_text
from cimforge.host.tests.c_driver import SOURCES, CDriver, compiler, strict_flags
from cimforge.host.tests.engine_bench import (
    ENGINES,
    engine,
    random_inputs,
    random_linear,
    reference,
)
from cimforge.host.tests.engine_hazards import hazards
from cimforge.host.tests.engine_twin import EngineTwin

pytestmark = pytest.mark.skipif(compiler() is None, reason="needs a C compiler: cc, or ziglang")

BASE = 1 << 12
NAMES = ("two banks", "one bank", "three banks, two macros", "two bytes", "binary", "slices")
NAMES += ("tables", "weight zeros", "few channels")
OK, NO_ENGINE, VERSION, CONFIGURATION, FULL, RANGE, EMPTY, BUSY, TIMEOUT = range(0, -9, -1)
FAILED, OVERFLOW, LOST = -9, -10, -11


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The driver of one engine, built once."""
    return CDriver(ENGINES["two banks"], tmp_path_factory.mktemp("c"))


@pytest.fixture
def driver(plain):
    """That driver on a new engine."""
    plain.twin = EngineTwin(plain.config, 1 << 16, base=0)
    plain._kept = plain._callbacks()
    assert plain.init() == OK
    assert plain.begin(BASE) == OK
    return plain


def placed(twin: EngineTwin, plan, x) -> None:
    """All of a plan in memory but its queue."""
    for address, data in list(plan.segments())[:-1]:
        twin.write_memory(address, data)
    twin.write_memory(plan.inputs.address, plan.image.inputs(x)[1])


@pytest.mark.parametrize("name", NAMES)
def test_layers_from_tables(name, tmp_path):
    config = ENGINES[name]
    c = CDriver(config, tmp_path, EngineTwin(config, 1 << 17))
    assert c.init() == OK
    for seed in range(8):
        print("seed", seed)
        rng = random.Random(f"{name} {seed}")
        layer, batch = random_linear(rng, config), rng.choice([1, 2, rng.randint(1, 30)])
        plan, x = plan_layer(config, layer, batch), random_inputs(rng, config, layer, batch)
        placed(c.twin, plan, x)
        table = layer_table(plan)
        assert c.begin(1 << 16) == OK
        assert c.linear(table, plan.inputs.address, plan.outputs.address, batch) == OK
        assert c.length(table, batch) == c.queue.count > 0
        assert hazards(config, c.words, plan.end) == []
        assert c.run() == OK
        told = c.twin.read_memory(plan.outputs.address, plan.outputs.size)
        results = plan.image.results(told, batch, plan.output_pitch)
        assert np.array_equal(results, reference(layer, x))


def test_a_layer_that_fits_no_half_of_the_buffer_is_refused(driver):
    plan = plan_layer(driver.config, LinearLayer(weights=np.ones((3, 70), int)), 2)
    table = layer_table(plan)
    for change in ({"depth": 70}, {"width": 0}, {"group": 0}, {"inputs": 0}, {"depth": 0}):
        assert driver.linear({**table, **change}, 0, 0, 2) == RANGE, change
        assert driver.length({**table, **change}, 2) == 0
    assert driver.linear(table, 0, 0, 0) == RANGE
    driver.begin(BASE, capacity=3)
    assert driver.linear(table, 0, 0, 2) == FULL
    assert driver.queue.count == 3


def test_commands_are_descriptors(driver):
    """Each member stands in the field of its name."""
    rng = random.Random(4)
    own = {"is_signed": "signed", "first": "first"}
    told = {
        "load": {"source": 64, "first": 2, "rows": 5, "bank": 1, "is_signed": 1},
        "copy": {"source": 8, "source_pitch": 16, "target": 32, "target_pitch": 12, "count": 11},
        "channels": {"source": 16, "first": 3, "count": 9},
        "run": {"bank": 1, "is_signed": 1, "accumulate": 1, "bits": 3, "vectors": 5, "sums": 7},
        "store": {"target": 9, "target_pitch": 5, "vectors": 3, "sums": 4, "first": 1},
    }
    told["copy"] |= {"lines": 3}
    told["run"] |= {"source": 33, "image_pitch": 40, "length": 8, "line_bytes": 30, "lines": 4}
    told["run"] |= {"segment": 6, "segments_x": 2, "segments_y": 3, "step_x": 12, "step_y": 1}
    told["run"] |= {"stride_x": 3, "stride_y": 2, "count_x": 5, "count_y": 6, "pad": 9}
    told["run"] |= {"origin_x": -3, "origin_y": -1, "skip_x": 1, "skip_y": 2, "skip": 5}
    told["store"] |= {"outputs": 3, "channel": 8, "rounding": 2, "raw": 1, "wide": 1}
    told["store"] |= {"zero": -5, "lowest": -300, "highest": 301}
    for kind, members in told.items():
        beside = rng.randrange(8)
        assert driver.add(kind, beside=beside, **members) == OK
        fields = {own.get(name, name): value for name, value in members.items()}
        if kind == "channels":
            fields["target"] = fields.pop("first")
            fields["channels"] = 1
        name = "copy" if kind == "channels" else kind
        expected = pack_descriptor(driver.config, name, {**fields, "beside": beside})
        assert driver.words[-1].tolist() == expected, kind
    assert driver.interrupt() == OK
    assert driver.words[-1][0] == expected[0] | 1 << 15


@pytest.mark.parametrize(
    ("kind", "members", "field"),
    [
        ("load", {"rows": 0}, 2 * 32 + 16),
        ("load", {"rows": 1, "source": 2}, 32),
        ("load", {"rows": 5, "first": 4}, 2 * 32 + 16),
        ("load", {"rows": 1, "bank": 2}, 3 * 32),
        ("load", {"rows": 1, "fuse": 1}, 0xFFFF),
        ("load", {"rows": 1, "fill": 1}, 0xFFFF),
        ("load", {"rows": 1, "beside": 8}, 8),
        ("copy", {"count": 0, "lines": 1}, 5 * 32),
        ("copy", {"count": 4, "lines": 1, "target": 2}, 3 * 32),
        ("channels", {"count": 9, "first": 56}, 5 * 32),
        ("channels", {"count": 1, "first": 65}, 3 * 32),
        ("run", {"vectors": 5, "sums": 8, "length": 4}, 2 * 32),
        ("run", {"vectors": 5, "length": 9}, 6 * 32 + 16),
        ("run", {"vectors": 5, "length": 4, "rows": 3}, 0xFFFF),
        ("run", {"vectors": 1, "length": 4, "lines": 1, "line_bytes": 4, "segment": 0}, 6 * 32),
        ("store", {"vectors": 5, "sums": 8, "outputs": 1}, 3 * 32),
        ("store", {"vectors": 1, "outputs": 4, "channel": 61}, 5 * 32),
        ("store", {"vectors": 1, "outputs": 1, "lowest": 3, "highest": 2}, 7 * 32 + 16),
        ("store", {"vectors": 1, "outputs": 1, "ones": 1}, 0xFFFF),
        ("store", {"vectors": 1, "outputs": 3, "first": 2}, 4 * 32 + 16),
    ],
)
def test_illegal_values_are_refused_by_field(driver, kind, members, field):
    assert driver.add(kind, **members) == RANGE
    assert (driver.queue.refused, driver.queue.count) == (field, 0)


def test_another_device_is_refused(driver):
    honest = dict(driver.twin.words)
    for register, code in (("id", NO_ENGINE), ("version", VERSION), ("hash", CONFIGURATION)):
        driver.twin.words = {**honest, register: 7}
        driver.twin.accesses.clear()
        assert driver.init() == code
        assert all(value is None for _, value in driver.twin.accesses)


def test_how_queues_end(driver):
    twin = driver.twin
    assert driver.run() == EMPTY
    assert driver.interrupt() == EMPTY
    assert driver.add("copy", count=4, lines=1) == OK
    twin.busy_reads = 4
    assert driver.run(looks=5) == OK
    assert driver.run(looks=4) == TIMEOUT
    assert driver.call("poll") == OK
    twin.busy_reads = 1
    assert driver.call("start", driver.queue) == OK
    assert driver.call("start", driver.queue) == BUSY
    twin.busy_reads = 0
    honest = twin.model.run_queue
    twin.model.run_queue = lambda *a: honest(*a)._replace(overflow=True)
    assert driver.run() == OVERFLOW
    twin.model.run_queue = honest
    assert driver.call("reset", 1) == OK
    assert driver.call("poll") == LOST
    twin.resetting = 5
    assert driver.call("reset", 5) == TIMEOUT
    driver.queue.count = 1 << 16
    assert driver.run() == FULL
    assert driver.begin(BASE + 4) == RANGE


def test_errors_tell_descriptor_and_field(driver):
    assert driver.add("copy", count=4, lines=1) == OK
    assert driver.add("copy", count=4, lines=1, source=1 << 20) == OK
    assert driver.run() == FAILED
    assert driver.failure() == (2, 1, 0)  # read
    driver._descriptors[16 + 5] = 0  # count
    assert driver.run() == FAILED
    assert driver.failure() == (1, 1, 5 * 32)


def test_counters(driver):
    for number, name in enumerate(COUNTERS):
        driver.twin.words[name] = 100 + number
    driver.twin.words |= {"macs_low": 5, "macs_high": 3}
    assert driver.counters() == [*range(100, 109), (3 << 32) + 5]
    high, low = (driver.twin.map.register(f"macs_{half}").offset for half in ("high", "low"))
    given, honest = {high: iter([3, 4]), low: iter([(1 << 32) - 1, 2])}, driver.twin.read_register
    driver.twin.read_register = lambda at: next(given[at]) if at in given else honest(at)
    assert driver.counters()[-1] == (4 << 32) + 2


def test_a_table_is_c(tmp_path):
    """What table_text writes compiles, and images have no table."""
    config = engine({})
    plan = plan_layer(config, LinearLayer(weights=-np.ones((3, 9), int)), 2)
    driver = CDriver(config, tmp_path)
    source = tmp_path / "table.c"
    source.write_text(
        f'#include "cimforge_engine.h"\n{table_text("layer", plan)}'
        "const cim_linear_layer *table(void) { return &layer; }\n"
    )
    flags = [*strict_flags(), f"-I{tmp_path}", f"-I{SOURCES}", "-c", "-o", str(tmp_path / "t.o")]
    subprocess.run([*compiler(), *flags, str(source)], check=True)
    assert driver.length(layer_table(plan), 2) > 0
    images = ConvolutionLayer(weights=np.ones((1, 2, 2, 1), int), height=3, width=3)
    with pytest.raises(ValueError, match="the layer must be linear"):
        layer_table(plan_layer(config, images))
