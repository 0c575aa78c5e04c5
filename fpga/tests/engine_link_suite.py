"""The engine on a board behind its line: driver and streams, and bytes lost, garbled or doubled."""

from random import Random

import cocotb
import numpy as np
import pytest
from cocotb.task import bridge

from cimforge.compiler.backends.link_play import opened
from cimforge.flow.simulate.job import load_job
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host import engine_protocol as told
from cimforge.host import protocol
from cimforge.host.engine_driver import EngineDriver, QueueError
from cimforge.host.engine_layer import LinearLayer
from cimforge.host.engine_link import EngineLink, LinkEnginePort, put_requests
from cimforge.host.engine_plan import plan_layer
from cimforge.host.engine_stream import EngineStream, plan_stream
from cimforge.host.link import BusError, SessionLostError
from cimforge.host.port import LinkError
from cimforge.host.protocol import Request

JOB = load_job()
OWN = dict(JOB["engine"])
CONFIG = EngineConfig(macro=MacroConfig(**OWN.pop("macro")), **OWN)
MAP = EngineMap(CONFIG)
RAM = JOB["ram_bytes"]
BATCH, BATCHES = 4, 6
LEAST_SHARE = 0.6  # of the line's bytes to the board that are inputs, of few short vectors


def board_test(session):
    """A cocotb test that runs ``session(line, port)`` in the host's thread, of a board that is
    there since the test before: it is never reset."""

    async def run(dut):
        line, port = opened(dut, JOB["line"])
        if hasattr(line, "_timeout_ns"):
            line._timeout_ns //= 16  # nothing here takes long, and losses are waited for

        def host() -> None:
            line.idle(40)
            session(line, port)

        await bridge(host)()

    run.__name__ = run.__qualname__ = session.__name__
    run.__doc__, run.__module__ = session.__doc__, session.__module__
    return cocotb.test(timeout_time=900, timeout_unit="ms")(run)


def drawn(seed: int):
    """A layer, its stream, inputs of all batches and what they become."""
    draw = np.random.default_rng(seed)
    high = 1 << CONFIG.macro.weight_bits - 1
    layer = LinearLayer(weights=draw.integers(-high, high, (6, 20)))
    top = 1 << CONFIG.macro.input_bits - 1
    x = draw.integers(-top, top, (BATCHES, BATCH, 20))
    plan = plan_layer(CONFIG, layer, BATCH)
    stream = plan_stream([plan], plan.commands, plan.queue.address)
    assert stream.end <= RAM
    return layer, plan, stream, x, x @ layer.weights.T


def streamed(link: EngineLink, seed: int) -> None:
    """A stream's results are right."""
    _, plan, stream, x, exact = drawn(seed)
    each = EngineStream(link, CONFIG, stream)
    each.load()
    results = each.run([plan.image.inputs(part)[1] for part in x])
    size = plan.outputs.size
    got = [plan.image.results(r[:size], BATCH, plan.output_pitch) for r in results]
    assert np.array_equal(np.array(got), exact)


def lost(byte: int) -> tuple[int, ...]:
    """A byte that does not arrive."""
    return ()


def garbled(byte: int) -> tuple[int, ...]:
    """A byte with one bit turned."""
    return (byte ^ 0x10,)


def doubled(byte: int) -> tuple[int, ...]:
    """A byte that arrives twice."""
    return (byte, byte)


def unchanged(byte: int) -> tuple[int, ...]:
    """A byte that arrives."""
    return (byte,)


FAULTS = (lost, garbled, doubled)


def recover(line) -> None:
    """No more faults."""
    line.outward.clear()
    line.inward.clear()


@board_test
def the_driver_computes_layers(line, port):
    """Identity, memory and registers through EngineDriver; its counters are the engine's."""
    layer, plan, _, x, exact = drawn(1)
    reached = LinkEnginePort(EngineLink(port), CONFIG, ram_bytes=RAM)
    with reached, EngineDriver(reached, CONFIG, memory=(0, RAM)) as driver:
        assert np.array_equal(driver.linear(x[0], layer), exact[0])
        counted = driver.counters()
        assert counted["vectors"] == sum(f["vectors"] for n, f in plan.commands if n == "run")
        assert 0 < counted["compute"] < counted["cycles"]
    other = CONFIG.model_copy(update={"acc_vectors": CONFIG.acc_vectors + 1})
    with pytest.raises(ValueError, match="hash"):
        EngineDriver(reached, other, memory=(0, RAM))


@board_test
def memory_holds_what_was_written(line, port):
    """Bytes anywhere, and the last ones; what lies outside moves nothing, and nothing wraps."""
    rng = Random(2)
    reached = LinkEnginePort(EngineLink(port), CONFIG, ram_bytes=RAM)
    whole = bytearray(rng.randbytes(1200))
    reached.write_memory(0, bytes(whole))
    for size in (1, 3, 5, 601):
        at, data = rng.randrange(len(whole) - size), rng.randbytes(size)
        reached.write_memory(at, data)
        whole[at : at + size] = data
    last, inside = RAM - told.WORD_BYTES, b"\xa5" * 4
    with pytest.raises(BusError, match="PUT"):
        reached.link.ask(put_requests(last, inside * 3, 12)[0])
    for address in (RAM, 1 << 21):
        with pytest.raises(BusError, match="PUT"):
            reached.link.ask(put_requests(address, bytes(8), 8)[0])
    assert reached.read_memory(last, 4) == inside
    assert reached.read_memory(0, len(whole)) == bytes(whole)
    beyond = LinkEnginePort(EngineLink(port), CONFIG, ram_bytes=2 * RAM)
    with pytest.raises(LinkError, match="less than"), beyond:
        pass


@board_test
def registers_refuse_what_is_none(line, port):
    """Unmapped, misaligned, read-only and of the macro's own operations; the link goes on, also
    behind a payload that nobody wanted."""
    link = EngineLink(port)
    magic = MAP.register("id").constant.to_bytes(4, "little")
    base = MAP.register("queue_base").offset
    asked = [Request(operation, base, bytes(4)) for operation in (3, 4)]
    asked += [Request(protocol.WRITE, address, bytes(4)) for address in (base + 2, 0, 0x8000)]
    asked += [Request(protocol.READ, a << 16 | a, answer=4) for a in (base + 1, 124, 1 << 10)]
    for request in asked:
        with pytest.raises(BusError, match="refused"):
            link.ask(request)
        assert link.ask(Request(protocol.READ, 0, bytes(7), answer=4)) == magic
    words = link.ask(Request(protocol.READ, 8 << 16, answer=12))
    assert words[:4] == magic
    assert words[8:] == MAP.register("hash").constant.to_bytes(4, "little")


@board_test
def inputs_travel_while_the_engine_computes(line, port):
    """A stream is right, and takes little more than its inputs' time on the line."""
    link = EngineLink(port)
    streamed(link, 3)
    _, plan, stream, x, _ = drawn(3)
    each = EngineStream(link, CONFIG, stream)
    began, batches = line.cycles, [plan.image.inputs(part)[1] for part in x] * 4
    each.run(batches)
    cycles = 10 * JOB["line"]["divisor"] if "divisor" in JOB["line"] else 8 * JOB["line"]["ratio"]
    share = sum(map(len, batches)) * cycles / (line.cycles - began)
    assert share > LEAST_SHARE or "ratio" in JOB["line"], f"{share:.3f}"


@board_test
def a_failing_queue_is_told(line, port):
    """With its batch and descriptor; nothing is started behind it, and the next stream works."""
    _, plan, stream, x, _ = drawn(5)
    link = EngineLink(port)
    each = EngineStream(link, CONFIG, stream)
    each.load()
    place = stream.slots[1].queue.address + 64
    link.exchange(put_requests(place, b"\xee\0\0\0", 4))
    with pytest.raises(QueueError, match="batch 1, descriptor 1: a descriptor's field is illegal"):
        each.run([plan.image.inputs(part)[1] for part in x])
    streamed(link, 6)


@board_test
def a_wait_ends(line, port):
    """RUN behind a queue that takes longer than this device waits, 1 << 10 cycles."""
    link, layer = EngineLink(port), LinearLayer(weights=np.ones((6, 20), int))
    plan = plan_layer(CONFIG, layer, 8)
    queue, count = plan.queue.address, len(plan.commands)
    reached = LinkEnginePort(link, CONFIG, ram_bytes=RAM)
    for address, data in plan.segments():
        reached.write_memory(address, data)
    whole = plan.descriptors
    room = (RAM - queue) // len(whole)  # the queue so many times in a row
    assert room * plan.cycles > 2 << 10, "the queue is too short for this memory"
    reached.write_memory(queue, whole * room)
    longest = Request(told.RUN, queue // 64 | count * room << 16, answer=4)
    with pytest.raises(BusError, match="RUN: the bus refused"):
        link.exchange([longest, Request(told.RUN, 0, answer=4)])
    streamed(link, 7)


@board_test
def a_storm_never_makes_a_wrong_result(line, port):
    """Faults anywhere, both ways: right results, or an error after which all works."""
    rng, chance, errors, rounds = Random(8), 0.001, 0, 3
    for number in range(rounds):
        for faults in (line.outward, line.inward):
            faults.clear()
            faults.extend(
                rng.choice(FAULTS) if rng.random() < chance else unchanged for _ in range(9000)
            )
        try:
            streamed(EngineLink(port), number)
        except LinkError:
            errors += 1
    recover(line)
    streamed(EngineLink(port), 8)
    assert errors < rounds, "nothing was made good"


@board_test
def each_byte_of_a_batch_may_be_lost(line, port):
    """Every 37th place of a stream, both ways, faults in turn."""
    link = EngineLink(port)
    _, plan, stream, x, exact = drawn(9)
    each, batches = EngineStream(link, CONFIG, stream), [plan.image.inputs(p)[1] for p in x[:3]]
    each.load()
    total = sum(map(len, batches)) + 12 * 14
    for place in range(0, total, 37):
        faults = (line.outward, line.inward)[place % 2]
        faults.extend([unchanged] * place + [FAULTS[place // 37 % 3]])
        results = each.run(batches)
        size = plan.outputs.size
        got = [plan.image.results(r[:size], BATCH, plan.output_pitch) for r in results]
        assert np.array_equal(np.array(got), exact[:3]), place
        recover(line)


@board_test
def another_program_is_told(line, port):
    """Who has streamed before does not take what another has left for its own."""
    first = EngineLink(port)
    streamed(first, 10)
    streamed(EngineLink(port), 11)
    with pytest.raises(SessionLostError, match="another program has used it"):
        streamed(first, 10)
    streamed(first, 10)
