"""The driver: known states, results tied to what was asked, values checked before they are sent."""

import numpy as np
import pytest

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.params.config_file import load_config
from cimforge.host import protocol
from cimforge.host.driver import BusError, LinkError, MacroDriver, SessionLostError, UartLink
from cimforge.host.tests.board_twin import BoardTwin

CONFIG = load_config("tiny", ["banks=2"])
MAP = RegisterMap(CONFIG)
RNG = np.random.default_rng(5)
WEIGHTS = RNG.integers(-8, 8, (8, 4))
VECTORS = RNG.integers(0, 16, (3, 8))
PRODUCTS = VECTORS @ WEIGHTS
MANY = RNG.integers(0, 16, (200, 8))  # three frames


@pytest.fixture
def board():
    return BoardTwin(CONFIG)


@pytest.fixture
def driver(link):
    driver = MacroDriver(link, CONFIG)
    driver.load_weights(WEIGHTS, signed=True)
    return driver


@pytest.fixture
def link(board):
    return UartLink(board)


def start_behind_its_back(link) -> None:
    """A vector that the driver knows nothing of, never read."""
    link.write(MAP.register("x_start").offset, 0)


def test_results_and_rows(driver):
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False), PRODUCTS)
    assert np.array_equal(driver.read_row(2), WEIGHTS[2] & 15)
    assert driver.multiply(np.zeros((0, 8)), x_signed=False).shape == (0, 4)


def test_a_new_driver_begins_from_a_known_state(driver, board):
    start_behind_its_back(UartLink(board))
    again = MacroDriver(UartLink(board), CONFIG)
    assert np.array_equal(again.multiply(VECTORS, x_signed=False), PRODUCTS)


@pytest.mark.parametrize("place", range(1, 9))
def test_ctrl_c_at_any_request_leaves_a_known_state(driver, board, place):
    """The interrupted call's results are never those of a later one."""
    board.interrupt_after = place
    try:
        driver.multiply(MANY[::-1], x_signed=False)
    except KeyboardInterrupt:
        pass
    else:
        assert place > 5  # the call had ended before
    board.interrupt_after = None
    assert not board.bus.results
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False), PRODUCTS)
    assert np.array_equal(driver.read_row(1), WEIGHTS[1] & 15)


@pytest.mark.parametrize("place", range(5))
def test_a_line_that_dies_leaves_nothing_once_it_is_back(driver, board, place):
    """What could not be reset at once is reset before the next call."""
    board.broken_after = place
    with pytest.raises(LinkError, match=r"0 of \d+ bytes within the time-out"):
        driver.multiply(MANY, x_signed=False)
    board.broken_after = None
    try:  # an opening was taken whose reply was lost, so the device may be anyone's
        results = driver.multiply(VECTORS[1:], x_signed=False)
    except SessionLostError:
        driver.load_weights(WEIGHTS, signed=True)
        results = driver.multiply(VECTORS[1:], x_signed=False)
    assert np.array_equal(results, PRODUCTS[1:])


@pytest.mark.parametrize("place", range(40))
@pytest.mark.parametrize("way", ["outward", "inward"])
def test_a_lost_byte_is_made_good(driver, board, way, place):
    """Wherever it is lost, of whichever write or reply: the results are right without a word."""
    state = {"left": 17 * place}

    def fault(data: bytes) -> bytes:
        cut, state["left"] = state["left"], state["left"] - len(data)
        return data[:cut] + data[cut + 1 :] if 0 <= cut < len(data) else data

    setattr(board, way, fault)
    assert np.array_equal(driver.multiply(MANY, x_signed=False), MANY @ WEIGHTS)
    assert state["left"] < 0


def test_the_macro_is_reset_before_it_is_asked_again(driver, board):
    """What the request that was cut off has started must not be taken for the next one's."""
    board.frames.clear()
    replies = []

    def second_lost(frame: bytes) -> bytes:
        replies.append(frame)
        return b"" if len(replies) == 2 else frame

    board.inward = second_lost
    driver.multiply(VECTORS, x_signed=False)
    read, product, opened, reset = protocol.READ, protocol.MULTIPLY, protocol.OPEN, protocol.WRITE
    assert board.frames == [read, product, read, opened, reset, product, read]


@pytest.mark.parametrize("place", range(0, 120, 7))
def test_weights_are_written_again_from_the_first_row_where_one_is_lost(driver, board, place):
    state = {"left": place}

    def fault(data: bytes) -> bytes:
        cut, state["left"] = state["left"], state["left"] - len(data)
        return data[:cut] + b"\x5a" + data[cut:] if 0 <= cut < len(data) else data

    board.outward = fault
    driver.load_weights(-1 - WEIGHTS, signed=True)
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False), VECTORS @ (-1 - WEIGHTS))


@pytest.mark.parametrize("call", ["multiply", "read_row", "load_weights"])
def test_a_device_that_was_reset_is_an_error_until_weights_are_loaded(driver, board, call):
    """Its weights are gone: no call goes on with what it holds now."""
    calls = {
        "multiply": lambda: driver.multiply(MANY, x_signed=False),
        "read_row": lambda: driver.read_row(0),
        "load_weights": lambda: driver.load_weights(WEIGHTS, signed=True, bank=1),
    }
    board.power_up()
    with pytest.raises(SessionLostError, match="was reset, or another program has used it"):
        calls[call]()
    with pytest.raises(SessionLostError, match="bank 0: its weights were lost or not all written"):
        driver.multiply(VECTORS, x_signed=False)
    with pytest.raises(SessionLostError, match="bank 1: its weights were lost"):
        driver.read_row(0, bank=1)
    driver.load_weights(WEIGHTS, signed=True)
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False), PRODUCTS)
    with pytest.raises(SessionLostError, match="bank 1: its weights were lost"):
        driver.multiply(VECTORS, x_signed=False, bank=1)


@pytest.mark.parametrize("after", range(0, 700, 45))
def test_a_device_that_is_reset_in_a_burst_is_an_error(driver, board, after):
    state = {"left": after}

    def fault(data: bytes) -> bytes:
        before, state["left"] = state["left"], state["left"] - len(data)
        if 0 <= before < len(data):
            board.power_up()
        return data

    board.outward = fault
    with pytest.raises(SessionLostError):
        driver.multiply(MANY, x_signed=False)


def test_another_program_between_two_calls_is_an_error(driver, board):
    with MacroDriver(UartLink(board), CONFIG) as other:
        other.load_weights(-1 - WEIGHTS, signed=True)
    with pytest.raises(SessionLostError, match="another program has used it"):
        driver.multiply(VECTORS, x_signed=False)


def test_a_bank_whose_load_was_cut_off_is_not_used(driver, board):
    """Ctrl-C in its load: some rows are new; other banks are as they were."""
    driver.load_weights(-1 - WEIGHTS, signed=True, bank=1)
    board.interrupt_after = 1
    with pytest.raises(KeyboardInterrupt):
        driver.load_weights(WEIGHTS, signed=True, bank=1)
    board.interrupt_after = None
    with pytest.raises(SessionLostError, match="bank 1: its weights were lost or not all written"):
        driver.multiply(VECTORS, x_signed=False, bank=1)
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False), PRODUCTS)
    driver.load_weights(WEIGHTS, signed=True, bank=1)
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False, bank=1), PRODUCTS)


def test_progress_is_told(driver):
    steps = []
    driver.multiply(MANY, x_signed=False, progress=lambda *done: steps.append(done))
    assert steps == [(82, 200), (164, 200), (200, 200)]
    steps.clear()
    driver.load_weights(WEIGHTS, signed=True, progress=lambda *done: steps.append(done))
    assert steps[-1] == (8, 8)


def test_a_result_of_another_vector_is_an_error(driver, board, link):
    start_behind_its_back(link)
    with pytest.raises(LinkError, match=r"y_valid 1: what the macro holds is not what this driver"):
        driver.multiply(VECTORS, x_signed=False)
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False), PRODUCTS)
    link.write(MAP.register("r_start").offset, 0)
    with pytest.raises(LinkError, match=r"status\.r_tag is 1, q_tag 1, q_valid 1: what the macro"):
        driver.read_row(0)
    assert np.array_equal(driver.read_row(2), WEIGHTS[2] & 15)


def test_the_reply_to_another_request_is_an_error(driver, board):
    """One that is right in itself, with another number."""
    send = board._send

    def late(first: int, sequence: int, payload: bytes, status: int) -> None:
        send(first, (sequence - (first == protocol.REPLY)) % 256, payload, status)

    board._send = late
    with pytest.raises(LinkError, match=r"the reply is another's: number \d+, not \d+"):
        driver.multiply(VECTORS, x_signed=False)
    board._send = send


def test_tags_count_on_beyond_their_width(driver):
    vectors = RNG.integers(0, 16, (150, 8))
    assert np.array_equal(driver.multiply(vectors, x_signed=False), vectors @ WEIGHTS)


def test_the_context_manager_resets(board, link):
    with MacroDriver(link, CONFIG) as driver:
        driver.load_weights(WEIGHTS, signed=True)
        start_behind_its_back(link)
    assert not board.bus.results


@pytest.mark.parametrize("line", [None, 0], ids=["alive", "dead"])
def test_the_context_manager_resets_after_an_error_and_tells_that(board, link, line):
    def session() -> None:
        with MacroDriver(link, CONFIG):
            start_behind_its_back(link)
            board.broken_after = line
            raise KeyError

    with pytest.raises(KeyError):
        session()
    assert not board.bus.results


def test_an_access_that_is_refused_resets_too(driver, board, monkeypatch):
    monkeypatch.setattr(board.bus, "_fields_exist", lambda stream, data: False)
    with pytest.raises(BusError, match="the bus refused the access"):
        driver.multiply(VECTORS, x_signed=False)


def changed(values: np.ndarray, place: tuple[int, int], value) -> np.ndarray:
    """A copy with another value."""
    copy = values.astype(object) if isinstance(value, (str, float)) else values.copy()
    copy[place] = value
    return copy.astype(float) if isinstance(value, float) else copy


TALL, WIDE = np.zeros((9, 4), int), np.zeros((8, 5), int)
WRONG = {
    "weight 8": (
        changed(WEIGHTS, (3, 2), 8),
        {},
        r"weights\[3, 2\] must be an integer in -8\.\.7 \(4 bits, signed\), not 8",
    ),
    "weight 9": (changed(WEIGHTS, (7, 3), 9), {}, r"weights\[7, 3\] .* not 9"),
    "weight -9": (changed(WEIGHTS, (0, 0), -9), {}, r"weights\[0, 0\] .* not -9"),
    "negative": (
        WEIGHTS | -8,
        {"signed": False},
        r"must be an integer in 0\.\.15 \(4 bits, unsigned\)",
    ),
    "1.7": (changed(WEIGHTS, (1, 1), 1.7), {}, r"weights\[1, 1\] .* not 1\.7"),
    "nan": (changed(WEIGHTS, (1, 1), float("nan")), {}, r"weights\[1, 1\] .* not nan"),
    "text": (changed(WEIGHTS, (1, 1), "3"), {}, r"weights\[1, 1\] .* not 3"),
    "huge": ([[2**70] * 4] * 8, {}, r"weights\[0, 0\] .* not 1180591620717411303424"),
    "bool": (WEIGHTS > 0, {}, r"weights\[0, 0\] .* not (True|False)"),
    "uint64": (np.full((8, 4), 2**64 - 1, np.uint64), {}, r"not 18446744073709551615"),
    "tall": (TALL, {}, r"weights must have shape \(rows = 8, cols = 4\), not \(9, 4\)"),
    "wide": (WIDE, {}, r"weights must have shape .*, not \(8, 5\)"),
    "flat": (WEIGHTS.ravel(), {}, r"weights must have shape .*, not \(32,\)"),
    "ragged": ([[1, 2], [3]], {}, r"weights must be a matrix of \(rows = 8, cols = 4\)"),
    "bank 2": (WEIGHTS, {"bank": 2}, r"bank must be an integer in 0\.\.1, not 2"),
    "bank -1": (WEIGHTS, {"bank": -1}, r"bank must be an integer in 0\.\.1, not -1"),
    "bank 1.0": (WEIGHTS, {"bank": 1.0}, r"bank must be an integer in 0\.\.1, not 1\.0"),
    "sign 2": (WEIGHTS, {"signed": 2}, r"signed must be True or False, not 2"),
}


@pytest.mark.parametrize(("weights", "options", "rule"), WRONG.values(), ids=WRONG)
def test_wrong_weights_are_refused_before_anything_is_sent(driver, board, weights, options, rule):
    sent = board.requests
    with pytest.raises(ValueError, match=rule):
        driver.load_weights(weights, **{"signed": True, **options})
    assert board.requests == sent
    assert np.array_equal(driver.multiply(VECTORS, x_signed=False), PRODUCTS)


WRONG_VECTORS = {
    "16": (changed(VECTORS, (2, 7), 16), {}, r"vectors\[2, 7\] must be an integer in 0\.\.15"),
    "8 signed": (changed(VECTORS & 7, (0, 1), 8), {"x_signed": True}, r"in -8\.\.7 .* not 8"),
    "4 in 2 bits": (changed(VECTORS & 3, (0, 1), 4), {"x_bits": 2}, r"in 0\.\.3 \(2 bits"),
    "one vector": (VECTORS[0], {}, r"vectors must have shape \(batch, rows = 8\), not \(8,\)"),
    "narrow": (VECTORS[:, :7], {}, r"vectors must have shape .* not \(3, 7\)"),
    "x_bits 5": (VECTORS, {"x_bits": 5}, r"x_bits must be an integer in 0\.\.4, not 5"),
    "x_bits -1": (VECTORS, {"x_bits": -1}, r"x_bits must be an integer in 0\.\.4, not -1"),
    "x_bits True": (VECTORS, {"x_bits": True}, r"x_bits must be an integer in .* not True"),
    "True among objects": (changed(VECTORS.astype(object), (0, 0), True), {}, r"\[0, 0\].*True"),
    "masked": (np.ma.masked_equal(VECTORS, VECTORS[0, 0]), {}, r"vectors must be all there"),
    "bank 256": (VECTORS, {"bank": 256}, r"bank must be an integer in 0\.\.1, not 256"),
}


@pytest.mark.parametrize(("vectors", "options", "rule"), WRONG_VECTORS.values(), ids=WRONG_VECTORS)
def test_wrong_vectors_are_refused_before_anything_is_sent(driver, board, vectors, options, rule):
    sent = board.requests
    with pytest.raises(ValueError, match=rule):
        driver.multiply(vectors, **{"x_signed": False, **options})
    assert board.requests == sent


@pytest.mark.parametrize("row", [8, -1, 65536, 1.5, "0", None])
def test_rows_that_do_not_exist_are_refused(driver, board, row):
    sent = board.requests
    with pytest.raises(ValueError, match=rf"row must be an integer in 0\.\.7, not {row!r}"):
        driver.read_row(row)
    assert board.requests == sent


def test_whole_numbers_of_any_type_are_taken(driver):
    for kind in (np.int8, np.uint8, float, object):
        vectors = VECTORS.astype(kind)
        assert np.array_equal(driver.multiply(vectors, x_signed=np.False_), PRODUCTS)
    assert np.array_equal(driver.multiply(VECTORS.tolist(), x_signed=False), PRODUCTS)
    scalars = np.array([[np.int64(x) for x in row] for row in VECTORS], object)
    assert np.array_equal(driver.multiply(scalars, x_signed=False), PRODUCTS)
    whole = np.ma.masked_array(VECTORS, mask=False)
    assert np.array_equal(driver.multiply(whole, x_signed=False), PRODUCTS)
