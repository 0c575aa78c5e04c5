"""The engine's driver: arrays in, arrays out, and every way in which it ends otherwise."""

import random

import numpy as np
import pytest

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_driver import EngineDriver, QueueError
from cimforge.host.engine_layer import LinearLayer, Requantisation
from cimforge.host.engine_plan import plan_layer
from cimforge.host.port import LinkError
from cimforge.host.tests.engine_bench import (
    engine,
    random_convolution,
    random_inputs,
    random_linear,
    reference,
)
from cimforge.host.tests.engine_twin import EngineTwin

CONFIG = engine({})
SIZE = 1 << 16
LAYER = LinearLayer(weights=np.ones((3, 10), int), requantise=Requantisation(multiplier=1 << 30))
X = np.arange(20).reshape(2, 10) % 7


class Clock:
    """Seconds that only pauses let pass."""

    def __init__(self):
        self.now, self.pauses = 0.0, 0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.pauses += 1


def driver(twin: EngineTwin, clock: Clock | None = None, size: int = SIZE, **more) -> EngineDriver:
    clock = clock or Clock()
    return EngineDriver(
        twin, CONFIG, memory=(twin.base, size), clock=clock, pause=clock.pause, **more
    )


@pytest.fixture
def twin():
    return EngineTwin(CONFIG, SIZE, base=1 << 20)


def test_layers_one_after_the_other(twin):
    rng, engine_ = random.Random(3), driver(twin)
    for _ in range(6):
        layer, batch = random_linear(rng, CONFIG), rng.randint(1, 5)
        x = random_inputs(rng, CONFIG, layer, batch)
        assert np.array_equal(engine_.linear(x, layer), reference(layer, x))
        layer = random_convolution(rng, CONFIG)
        x = random_inputs(rng, CONFIG, layer, 2)
        assert np.array_equal(engine_.convolve(x, layer), reference(layer, x))


def test_weights_stay_in_memory_until_it_is_needed(twin):
    engine_ = driver(twin)
    first = engine_.prepare(LAYER, 2)
    assert engine_.prepare(LAYER, 2) is first
    small = driver(twin, size=plan_layer(CONFIG, LAYER, 2).end + 64)
    first = small.prepare(LAYER, 2)
    small.linear(X[:1], LAYER)
    assert small.prepare(LAYER, 2) is not first
    assert np.array_equal(small.linear(X, LAYER), reference(LAYER, X))


def test_a_batch_larger_than_memory_is_cut(twin):
    x = np.arange(700).reshape(70, 10) % 8
    small = driver(twin, size=plan_layer(CONFIG, LAYER, 20).end)
    assert np.array_equal(small.linear(x, LAYER), reference(LAYER, x))
    assert sum(name == "control" and value == 1 for name, value in twin.accesses) >= 4
    assert driver(twin).linear(x[:0], LAYER).shape == (0, 3)


def test_counters(twin):
    engine_ = driver(twin)
    engine_.linear(X, LAYER)
    told = engine_.counters()
    assert told["vectors"] == twin.model.vectors == 4
    assert told["macs"] == twin.model.macs_1b
    twin.words |= {"macs_high": 3, "macs_low": 5}
    assert engine_.counters()["macs"] == (3 << 32) + 5


def test_the_high_half_of_macs_may_change_between_reads(twin):
    engine_ = driver(twin)
    given = iter([1, 2, 2])
    honest = twin.read_register
    twin.read_register = lambda offset: (
        next(given) if offset == twin.map.register("macs_high").offset else honest(offset)
    )
    assert engine_.counters()["macs"] == 2 << 32


def test_a_queue_waits_with_growing_pauses(twin):
    clock = Clock()
    twin.busy_reads = 5
    assert np.array_equal(driver(twin, clock).linear(X, LAYER), reference(LAYER, X))
    assert clock.pauses == 5


def test_a_context_ends_with_a_reset(twin):
    with driver(twin) as engine_:
        engine_.linear(X, LAYER)
    assert twin.resets == 2


@pytest.mark.parametrize(
    ("register", "word", "error", "text"),
    [
        ("id", 0, LinkError, r"id reads 0x00000000, not 0x43494d45: no engine there"),
        ("version", 9, ValueError, r"interface has version 9, not 1: use the software"),
        (
            "hash",
            0x1234,
            ValueError,
            r"the engine has hash 00001234, not \w{8} \(\w+\): use the conf",
        ),
    ],
)
def test_another_device_is_refused(twin, register, word, error, text):
    twin.words[register] = word
    with pytest.raises(error, match=text) as caught:
        driver(twin)
    assert "\n" not in str(caught.value)
    assert not any(value is not None for _, value in twin.accesses)


def test_another_configuration_is_refused(twin):
    other = EngineConfig(macro=CONFIG.macro, channels=65)
    with pytest.raises(ValueError, match="use the configuration that it was built of"):
        EngineDriver(twin, other, memory=(0, SIZE))


def test_a_malformed_descriptor_is_named(twin):
    engine_ = driver(twin)
    plan = engine_.prepare(LAYER, 2)
    number = next(n for n, command in enumerate(plan.commands) if command.name == "run")
    at = plan.queue.address + 64 * number + 8  # vectors
    twin.write_memory(at, b"\xff\xff")
    rule = rf"descriptor {number} \(run\): .* is illegal: vectors$"
    with pytest.raises(QueueError, match=rule) as caught:
        engine_.run_queue(plan.queue.address, len(plan.commands))
    told = caught.value
    assert (told.cause, told.index, told.field) == ("descriptor", number, "vectors")
    twin.write_memory(at - 8, b"\x09")
    with pytest.raises(QueueError, match=r"descriptor \d+ \(op 9\): .*: op$"):
        engine_.run_queue(plan.queue.address, len(plan.commands))
    twin.write_memory(plan.queue.address + 63, b"\x01")
    with pytest.raises(QueueError, match=r"descriptor 0 \(copy\): .*: reserved$"):
        engine_.run_queue(plan.queue.address, len(plan.commands))


@pytest.mark.parametrize(
    ("name", "word", "value", "text"),
    [
        ("copy", 1, 0, r"descriptor 0 \(copy\): memory answered a read with an error"),
        ("store", 1, 0, r"descriptor \d+ \(store\): memory answered a write with an error"),
    ],
)
def test_errors_of_memory(twin, name, word, value, text):
    engine_ = driver(twin)
    plan = engine_.prepare(LAYER, 2)
    number = next(n for n, command in enumerate(plan.commands) if command.name == name)
    place = plan.queue.address + 64 * number + 4 * word
    twin.write_memory(place, value.to_bytes(4, "little"))
    with pytest.raises(QueueError, match=text) as caught:
        engine_.run_queue(plan.queue.address, len(plan.commands))
    assert caught.value.index == number
    assert caught.value.field is None


def test_an_illegal_channel_is_an_error(twin):
    engine_ = driver(twin)
    plan = engine_.prepare(LAYER, 2)
    twin.write_memory(plan.channels.address + 8, (40).to_bytes(4, "little"))
    with pytest.raises(QueueError, match=r"\(copy\): a channel's requantisation is illegal"):
        engine_.run_queue(plan.queue.address, len(plan.commands))


def test_a_sum_that_leaves_its_bits_is_an_error(twin):
    engine_ = driver(twin)
    plan = engine_.prepare(LAYER, 2)
    honest = twin.model.run_queue
    twin.model.run_queue = lambda *a: honest(*a)._replace(overflow=True)
    with pytest.raises(QueueError, match="a sum left 32 bits; results are wrong") as caught:
        engine_.run_plan(plan, X)
    assert caught.value.cause == "overflow"


def test_a_queue_that_never_ends_is_reset(twin):
    clock = Clock()
    engine_ = driver(twin, clock, timeout=3.0)
    plan = engine_.prepare(LAYER, 2)
    twin.busy_reads, twin.resets = None, 0
    with pytest.raises(QueueError, match=r"busy for 3.0 s, \d+ descriptors done; it was reset"):
        engine_.run_plan(plan, X)
    assert twin.resets == 1
    assert 3.0 < clock.now < 3.1


def test_a_reset_that_never_ends_is_an_error(twin):
    twin.resetting = 1 << 40
    with pytest.raises(QueueError, match=r"still resetting after 1.0 s: memory does not answer"):
        driver(twin, timeout=1.0)


def test_an_engine_that_forgot_its_queue_is_an_error(twin):
    engine_ = driver(twin)
    plan = engine_.prepare(LAYER, 2)
    start = twin._start
    twin._start = lambda: (start(), twin.words.update(status=0))
    with pytest.raises(LinkError, match="stopped without an end: it was reset"):
        engine_.run_plan(plan, X)


def test_arguments_are_checked(twin):
    with pytest.raises(ValueError, match=r"timeout must be above 0 seconds, not 0"):
        driver(twin, timeout=0)
    with pytest.raises(ValueError, match=r"memory must begin at a multiple of 64"):
        EngineDriver(twin, CONFIG, memory=(32, 64))
    with pytest.raises(ValueError, match=r"memory must have \d+ bytes for this layer, not 256"):
        driver(twin, size=256).linear(X, LAYER)
    engine_ = driver(twin)
    with pytest.raises(ValueError, match=r"x must have 2 inputs, the plan's batch, not 1"):
        engine_.run_plan(engine_.prepare(LAYER, 2), X[:1])
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 10\), not \(2, 9\)"):
        engine_.linear(X[:, :9], LAYER)


def test_a_long_queue_is_run_in_parts(twin, monkeypatch):
    monkeypatch.setattr("cimforge.host.engine_driver.MOST_QUEUE", 5)
    engine_ = driver(twin)
    assert np.array_equal(engine_.linear(X, LAYER), reference(LAYER, X))
    plan = engine_.prepare(LAYER, 2)
    counts = [value for name, value in twin.accesses if name == "queue_count" and value]
    assert len(counts) > 1
    assert sum(counts) == len(plan.commands)
    twin.write_memory(plan.queue.address + 64 * 5, b"\x09")
    with pytest.raises(QueueError, match=r"descriptor 5 \(op 9\)") as caught:
        engine_.run_queue(plan.queue.address, len(plan.commands))
    assert caught.value.index == 5
