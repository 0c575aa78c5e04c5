"""An engine behind a link of the golden model: ports, streams, and every frame that is lost."""

import random
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from cimforge.host import engine_protocol as told
from cimforge.host import protocol
from cimforge.host.engine_driver import EngineDriver, QueueError
from cimforge.host.engine_layer import LinearLayer
from cimforge.host.engine_link import EngineLink, LinkEnginePort, put_requests, run_request
from cimforge.host.engine_plan import plan_layer
from cimforge.host.engine_stream import EngineStream, StreamPlan, best_batch, plan_stream
from cimforge.host.link import BusError, SessionLostError
from cimforge.host.port import LinkError
from cimforge.host.protocol import Request
from cimforge.host.tests.engine_bench import (
    ENGINES,
    engine,
    random_inputs,
    random_linear,
    reference,
)
from cimforge.host.tests.link_twin import LinkTwin

CONFIG = engine({})
RAM = 1 << 14
BATCH, BATCHES = 3, 5
DRAW = np.random.default_rng(4)
LAYER = LinearLayer(weights=DRAW.integers(-8, 8, (10, 30)))
X = DRAW.integers(-8, 8, (BATCHES, BATCH, 30))
EXACT = X @ LAYER.weights.T


@cache
def streamed() -> tuple[StreamPlan, tuple[bytes, ...]]:
    """The layer's stream, and the inputs of its batches."""
    plan = plan_layer(CONFIG, LAYER, BATCH)
    batches = tuple(plan.image.inputs(x)[1] for x in X)
    return plan_stream([plan], plan.commands, plan.queue.address), batches


def read(results: list[bytes]) -> np.ndarray:
    """Results of all batches."""
    plan = plan_layer(CONFIG, LAYER, BATCH)
    size = plan.outputs.size
    assert [len(result) for result in results] == [size] * len(results)  # each taken once
    return np.array([plan.image.results(r[:size], BATCH, plan.output_pitch) for r in results])


def stream(board: LinkTwin) -> np.ndarray:
    """All batches through a board."""
    plan, batches = streamed()
    each = EngineStream(EngineLink(board), CONFIG, plan)
    each.load()
    return read(each.run(batches))


@pytest.mark.parametrize("name", ENGINES)
def test_the_driver_computes_behind_a_link(name):
    config, rng = ENGINES[name], random.Random(name)
    layer = random_linear(rng, config)
    x = random_inputs(rng, config, layer, 3)
    board = LinkTwin(config, 1 << 17)
    with (
        LinkEnginePort(EngineLink(board), config, ram_bytes=1 << 17) as port,
        EngineDriver(port, config, memory=(0, 1 << 17)) as driver,
    ):
        assert np.array_equal(driver.linear(x, layer), reference(layer, x))


def test_bytes_of_memory_are_written_and_read_at_any_place():
    board, rng, moved = LinkTwin(CONFIG, RAM), random.Random(1), []
    link = EngineLink(board)
    port = LinkEnginePort(link, CONFIG, ram_bytes=RAM, progress=lambda *n: moved.append(n))
    whole = bytearray(rng.randbytes(RAM))
    port.write_memory(0, bytes(whole))
    assert moved[-1] == (RAM, RAM)
    assert [done for done, _ in moved] == sorted(done for done, _ in moved)
    for size in (0, 1, 2, 3, 4, 5, 700, 2049):
        at, data = rng.randrange(RAM - size), rng.randbytes(size)
        port.write_memory(at, data)
        whole[at : at + size] = data
        assert port.read_memory(at, size) == data
    assert bytes(board.engine.memory) == bytes(whole)
    assert port.read_memory(0, RAM) == bytes(whole)
    assert link.received >= RAM
    for at, size in ((RAM - 3, 4), (RAM, 1)):
        with pytest.raises(ValueError, match=r"memory must lie in 0x0..0x3fff"):
            port.write_memory(at, bytes(size))


def test_less_memory_than_told_is_seen_at_once():
    port = LinkEnginePort(EngineLink(LinkTwin(CONFIG, RAM)), CONFIG, ram_bytes=2 * RAM)
    with pytest.raises(LinkError, match="the board has less than 32768 bytes of memory"), port:
        pass


def test_a_macro_is_no_engine():
    from cimforge.host.tests.board_twin import BoardTwin

    link = EngineLink(BoardTwin(CONFIG.macro))
    port = LinkEnginePort(link, CONFIG, ram_bytes=RAM)
    with pytest.raises(LinkError, match="no engine there"):
        EngineDriver(port, CONFIG, memory=(0, RAM))


def test_a_stream_computes_what_numpy_does():
    plan, batches = streamed()
    board, done = LinkTwin(CONFIG, RAM), []
    link = EngineLink(board)
    each = EngineStream(link, CONFIG, plan)
    each.load()
    loaded = link.sent
    assert np.array_equal(read(each.run(batches, lambda *n: done.append(n))), EXACT)
    assert done == [(n + 1, BATCHES) for n in range(BATCHES)]
    assert link.sent - loaded == sum(map(len, batches))
    assert link.received == BATCHES * plan.slots[0].outputs.size
    queues = [slot.queue.address for slot in plan.slots]
    assert board.queues == [queues[n % 2] for n in range(BATCHES)]
    assert each.run([]) == []
    for count in (1, 2):
        assert np.array_equal(read(each.run(batches[:count])), EXACT[:count])


def test_inputs_of_the_next_batch_travel_before_the_results():
    """In the device: inputs k + 1 come before the wait for queue k; but for the last."""
    plan, batches = streamed()
    board = LinkTwin(CONFIG, RAM)
    each = EngineStream(EngineLink(board), CONFIG, plan)
    each.load()
    board.executed.clear()
    each.run(batches)
    names = {op.code: op.name for op in told.OPERATIONS}
    assert [names[operation] for operation, _ in board.executed] == [
        *("WRITE", "PUT", "RUN"),
        *(BATCHES - 2) * ("PUT", "RUN", "GET"),
        *("RUN", "GET", "PUT", "RUN", "RUN", "GET"),
    ]


class LostWrite:
    """A port to a board on which what is written at call ``place`` does not arrive."""

    def __init__(self, board: LinkTwin, place: int):
        self._board, self._left = board, place
        self.read, self.reset_input_buffer = board.read, board.reset_input_buffer

    @property
    def lost(self) -> bool:
        """Whether it was lost by now."""
        return self._left < 0

    def write(self, data: bytes) -> None:
        """Send bytes, or lose them."""
        self._left -= 1
        if self._left != -1:
            self._board.write(data)


def test_each_request_that_is_lost_is_made_good():
    place, ended = 0, False
    while not ended:
        board = LinkTwin(CONFIG, RAM)
        port = LostWrite(board, place)
        assert np.array_equal(stream(port), EXACT), f"frame {place} was lost"
        place, ended = place + 1, not port.lost
    assert place > 30


def test_each_reply_that_is_lost_or_garbled_is_made_good():
    """A request was done then, the queue behind it too, and places were written anew."""
    board = LinkTwin(CONFIG, RAM)
    stream(board)
    count = len(board.executed)
    for place in range(count):
        for turned in (0, 1):
            board = LinkTwin(CONFIG, RAM)
            calls = iter(range(1 << 30))

            def fault(data: bytes, calls=calls, place=place, turned=turned) -> bytes:
                if next(calls) != place:
                    return data
                return bytes([*data[:-1], data[-1] ^ 4]) if turned else b""

            board.inward = fault
            assert np.array_equal(stream(board), EXACT), (place, turned)


def test_a_storm_never_makes_a_wrong_result():
    seed = 9
    rng, errors, rounds = random.Random(seed), 0, 60

    def faults(data: bytes, chance: float) -> bytes:
        return b"".join(
            bytes([byte]) if rng.random() > chance else rng.choice((b"", bytes([byte ^ 1, byte])))
            for byte in data
        )

    for chance in (0.0002, 0.001):
        for _ in range(rounds):
            board = LinkTwin(CONFIG, RAM)
            board.outward = board.inward = partial(faults, chance=chance)
            try:
                assert np.array_equal(stream(board), EXACT), f"seed {seed}"
            except LinkError:
                errors += 1
    assert 0 < errors < rounds, errors


def test_a_place_that_always_fails_ends_in_an_error():
    """Replies to others go on coming, so that answers between do not make it endless."""
    board = LinkTwin(CONFIG, RAM)
    plan, batches = streamed()
    each = EngineStream(EngineLink(board), CONFIG, plan)
    each.load()
    size = plan.slots[0].outputs.size + protocol.LEAST_REPLY
    board.inward = lambda data: b"" if len(data) == size else data
    with pytest.raises(LinkError, match=r"request \d+ of \d+: the line lost bytes there 4 times"):
        each.run(batches)
    board.inward = bytes
    assert np.array_equal(read(each.run(batches)), EXACT)


def test_a_start_whose_reply_is_lost_is_not_repeated():
    board = LinkTwin(CONFIG, RAM)
    port = LinkEnginePort(EngineLink(board), CONFIG, ram_bytes=RAM)
    with EngineDriver(port, CONFIG, memory=(0, RAM)) as driver:
        driver.linear(X[0], LAYER)
        before = board.engine.accesses.count(("control", 1))
        starts = driver._map.register("control").word(start=1)
        armed = [False]

        def fault(data: bytes) -> bytes:
            lost = armed[0] and board.engine.accesses[-1] == ("control", starts)
            armed[0] = armed[0] and not lost
            return b"" if lost else data

        board.inward, armed[0] = fault, True
        with pytest.raises(LinkError, match="it may or may not have been done"):
            driver.linear(X[1], LAYER)
        assert board.engine.accesses.count(("control", starts)) == before + 1
        assert np.array_equal(driver.linear(X[1], LAYER), EXACT[1])


def test_a_device_that_was_reset_is_told():
    """In the midst of a stream: its memory is not known any more."""
    board = LinkTwin(CONFIG, RAM)
    plan, batches = streamed()
    each = EngineStream(EngineLink(board), CONFIG, plan)
    each.load()
    board.executed.clear()

    def fault(data: bytes) -> bytes:
        if len(board.executed) == 8:
            board.power_up()
        return data

    board.outward = fault
    with pytest.raises(SessionLostError, match="the device was reset"):
        each.run(batches)


def test_a_queue_that_fails_is_told_with_its_batch():
    plan, batches = streamed()
    board = LinkTwin(CONFIG, RAM)
    each = EngineStream(EngineLink(board), CONFIG, plan)
    each.load()
    queue = plan.slots[1].queue.address
    whole = board.engine.memory[queue + 64]
    board.engine.memory[queue + 64] = 0xEE  # of no operation
    with pytest.raises(QueueError, match="batch 1, descriptor 1: a descriptor's field is illegal"):
        each.run(batches)
    board.engine.memory[queue + 64] = whole
    assert np.array_equal(read(each.run(batches)), EXACT)


def test_a_sum_that_leaves_its_range_is_told():
    plan, batches = streamed()
    board = LinkTwin(CONFIG, RAM)
    each = EngineStream(EngineLink(board), CONFIG, plan)
    each.load()
    run = board.engine.model.run_queue
    board.engine.model.run_queue = lambda *told: run(*told)._replace(overflow=True)
    with pytest.raises(QueueError, match="batch 0: a sum left 32 bits") as raised:
        each.run(batches)
    assert raised.value.cause == "overflow"


def test_an_engine_that_another_has_reset_is_told():
    plan, batches = streamed()
    board = LinkTwin(CONFIG, RAM)
    each = EngineStream(EngineLink(board), CONFIG, plan)
    each.load()
    start = board.engine._start
    board.engine._start = lambda: (start(), board.engine.words.update(status=0))
    with pytest.raises(QueueError, match="batch 0: the engine stopped without an end"):
        each.run(batches)


def test_what_a_stream_does_not_take_is_refused():
    plan, batches = streamed()
    each = EngineStream(EngineLink(LinkTwin(CONFIG, RAM)), CONFIG, plan)
    size = plan.slots[0].inputs.size
    with pytest.raises(ValueError, match=f"a batch must have {size} bytes, not {size - 1}"):
        each.run([batches[0][:-1]])
    layer = plan_layer(CONFIG, LAYER, BATCH)
    long = [layer] * (told.WAIT_CYCLES // layer.cycles)
    with pytest.raises(ValueError, match=r"a batch must take at most 8388608 cycles, not \d+:"):
        plan_stream(long, layer.commands, 0)


def test_operations_are_refused_by_name():
    link = EngineLink(LinkTwin(CONFIG, RAM))
    with pytest.raises(BusError, match="PUT: the bus refused the access"):
        link.ask(put_requests(RAM - 4, bytes(8), 8)[0])
    for operation in (protocol.LOAD, protocol.MULTIPLY):
        with pytest.raises(BusError, match="refused"):
            link.ask(Request(operation, 0))
    with pytest.raises(ValueError, match=r"word must be in 0..1048575, not 1048576"):
        put_requests(1 << 22, bytes(4), 4)
    with pytest.raises(ValueError, match=r"count must be in 0..65535, not 65536"):
        run_request(0, 1 << 16)


def test_the_batch_is_that_of_fewest_bytes():
    assert best_batch(1, 64, 40, 504) == 1
    assert best_batch(100, 64, 40, 504) == 10
    assert best_batch(100, 504, 4, 504) in range(1, 101)
    assert best_batch(400, 64, 40, 504) > best_batch(100, 64, 40, 504)


def test_the_document_has_the_table_of_operations():
    text = (Path(__file__).parents[1] / "../fpga/README.md").read_text()
    assert told.operations_table() in text
