"""Whatever a line does, a result is right or there is an error: seeded faults on a twin."""

import random
from contextlib import suppress

import numpy as np
import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.host import protocol
from cimforge.host.driver import LinkError, MacroDriver, SessionLostError, UartLink
from cimforge.host.tests.board_twin import BoardTwin

# Rows in groups, whose fill a repeated row would spoil; and rows and vectors longer than a frame.
PAIRS = MacroConfig(rows=7, cols=3, weight_bits=4, input_bits=4, storage="latch", group=2, banks=2)
MANY_PAIRS = MacroConfig(rows=63, cols=17, storage="latch", group=2)  # 19 rows a frame
LONG = MacroConfig(rows=170, cols=90, weight_bits=16, input_bits=16)
FUSED = MacroConfig(rows=4, cols=60, weight_bits=16, input_bits=16, slice_bits=2)
CONFIGS = {"pairs": PAIRS, "long": LONG, "fused": FUSED}
BATCH = {"pairs": 250, "long": 5, "fused": 40}


class Faults:
    """Bytes lost, garbled, doubled or put in, each with ``chance``; now and then a whole piece."""

    def __init__(self, rng: random.Random, chance: float):
        self.rng, self.chance = rng, chance

    def __call__(self, data: bytes) -> bytes:
        if self.rng.random() < self.chance:
            return b""
        out = bytearray()
        for byte in data:
            if self.rng.random() >= self.chance:
                out.append(byte)
                continue
            noise = self.rng.randrange(256)
            kinds = (b"", bytes([byte ^ 1 << noise % 8]), bytes([byte] * 2), bytes([noise, byte]))
            out += self.rng.choice(kinds)
        return bytes(out)


def drawn(config: MacroConfig, batch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Signed weights and vectors."""
    rng = np.random.default_rng(seed)
    top, half = 1 << config.weight_bits - 1, 1 << config.input_bits - 1
    weights = rng.integers(-top, top, (config.rows, config.cols))
    return weights, rng.integers(-half, half, (batch, config.rows))


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_and_vectors_of_any_length(name):
    config, board = CONFIGS[name], BoardTwin(CONFIGS[name])
    weights, vectors = drawn(config, BATCH[name], 1)
    steps: list[tuple[int, int]] = []
    with MacroDriver(UartLink(board), config) as driver:
        driver.load_weights(weights, signed=True, progress=lambda *done: steps.append(done))
        assert steps[-1] == (config.rows, config.rows)
        results = driver.multiply(vectors, x_signed=True, progress=lambda *d: steps.append(d))
        assert steps[-1] == (BATCH[name], BATCH[name])
        assert steps == sorted(steps, key=lambda step: (step[1] != config.rows, step[0]))
        assert np.array_equal(results, vectors @ weights)
        row = config.rows - 1
        assert np.array_equal(driver.read_row(row), weights[row] % (1 << config.weight_bits))


@pytest.mark.parametrize("chance", [0.0002, 0.002, 0.02])
@pytest.mark.parametrize("name", CONFIGS)
def test_results_are_right_or_an_error_is_told(name, chance):
    """Then, without faults, all works; at the second call, where the first tells that the device
    may have been anyone's."""
    config, board = CONFIGS[name], BoardTwin(CONFIGS[name])
    weights, vectors = drawn(config, BATCH[name], 2)
    driver = MacroDriver(UartLink(board), config)
    right = errors = 0
    for seed in range(6):
        rng = random.Random(seed)
        board.outward, board.inward = Faults(rng, chance), Faults(rng, chance)
        try:
            driver.load_weights(weights, signed=True)
            assert np.array_equal(driver.multiply(vectors, x_signed=True), vectors @ weights)
            right += 1
        except LinkError:
            errors += 1
    board.outward = board.inward = bytes
    with suppress(SessionLostError):
        driver.reset()
    driver.load_weights(weights, signed=True)
    assert np.array_equal(driver.multiply(vectors, x_signed=True), vectors @ weights)
    assert right if chance < 0.001 else errors


def test_a_fill_begins_again_where_a_row_was_lost():
    """Of rows in groups, which follow one another from the first: a reset between them leaves the
    group undefined, so that the whole bank is written again."""
    config = MANY_PAIRS
    weights, vectors = drawn(config, 3, 3)
    for place in range(60):
        board, left = BoardTwin(config), [place]

        def fault(data: bytes, left=left) -> bytes:
            cut, left[0] = left[0], left[0] - len(data)
            return data[:cut] + data[cut + 1 :] if 0 <= cut < len(data) else data

        driver = MacroDriver(UartLink(board), config)
        board.inward = fault
        driver.load_weights(weights, signed=True)
        board.inward = bytes
        assert np.array_equal(driver.multiply(vectors, x_signed=True), vectors @ weights)


@pytest.mark.parametrize("way", ["outward", "inward"])
@pytest.mark.parametrize("name", [*CONFIGS, "many pairs"])
def test_a_frame_that_is_lost_is_made_good(name, way):
    """The first frames of a load and of products, one by one, then at growing distance, and so
    their replies, of a bank that held others: all rows and results are right, without a word."""
    config = CONFIGS.get(name, MANY_PAIRS)
    board = BoardTwin(config)
    driver = MacroDriver(UartLink(board), config)
    banks, place, left = [], 0, [1 << 20]
    for seed in (6, 7):
        weights, vectors = drawn(config, 60 if name == "many pairs" else 4, seed)
        banks.append((weights, vectors, vectors @ weights))
    driver.load_weights(banks[1][0], signed=True)

    def fault(data: bytes) -> bytes:
        left[0] -= 1
        return b"" if left[0] == -1 else data

    setattr(board, way, fault)
    left[0] = -1
    while left[0] < 0:  # until the call ends before the frame that is to be lost
        weights, vectors, results = banks[place % 2]
        left[0] = place
        driver.load_weights(weights, signed=True)
        assert np.array_equal(driver.multiply(vectors, x_signed=True), results), place
        place += 1 + place // 8
    assert place >= 5, "a load, its wait, the status, products, the status"


@pytest.mark.parametrize("cut", [1, 4, 8, 100, 300])
def test_a_host_that_was_killed_in_a_frame_is_no_harm(cut):
    board = BoardTwin(PAIRS)
    weights, vectors = drawn(PAIRS, 3, 4)
    with MacroDriver(UartLink(board), PAIRS) as driver:
        driver.load_weights(weights, signed=True)
    request = protocol.Request(protocol.MULTIPLY, 0, bytes(4) * 75)
    board.write(request.frame(board.expected, board.session)[:cut])
    board.waiting = bytes([protocol.REPLY, 0]) * 50
    board.reset_input_buffer = lambda: None  # what the line still delivers
    driver = MacroDriver(UartLink(board), PAIRS)
    assert np.array_equal(driver.multiply(vectors, x_signed=True), vectors @ weights)


def test_an_answer_of_an_earlier_session_is_never_taken():
    """Every reply that ever came is repeated before the right one."""
    board, old = BoardTwin(PAIRS), [b""]
    weights, vectors = drawn(PAIRS, 60, 5)

    def repeated(frame: bytes) -> bytes:
        old[0] += frame
        return frame

    board.inward = repeated
    with MacroDriver(UartLink(board), PAIRS) as driver:
        driver.load_weights(-1 - weights, signed=True)
        driver.multiply(vectors, x_signed=True)
    board.inward = bytes
    driver = MacroDriver(UartLink(board), PAIRS)
    driver.load_weights(weights, signed=True)
    for place in range(0, len(old[0]), 97):
        board.waiting = old[0][place:]
        try:
            results = driver.multiply(vectors, x_signed=True)
        except SessionLostError:
            pytest.fail("no other program was there")
        except LinkError:
            continue
        assert np.array_equal(results, vectors @ weights)
