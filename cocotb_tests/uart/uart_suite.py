"""The board behind its serial line: the driver's calls, and every byte lost, garbled or doubled."""

from random import Random

import cocotb
import numpy as np
import pytest
from cocotb.task import bridge

from cimforge.flow.simulate.job import job_config, load_job
from cimforge.flow.simulate.serial_line import TIMEOUT_BYTES, SerialLine
from cimforge.golden.macro import MacroModel
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.host import protocol
from cimforge.host.driver import BusError, LinkError, MacroDriver, SessionLostError, UartLink

CONFIG = job_config()
MAP = RegisterMap(CONFIG)
ENABLE = MAP.register("irq_enable").offset
HASH = int(CONFIG.digest[:8], 16)
WRITE_BYTES = len(protocol.Request(protocol.WRITE, ENABLE, bytes(4)).frame(0, 1))
READ_BYTES = len(protocol.Request(protocol.READ, ENABLE).frame(0, 1))
REPLY_BYTES = protocol.LEAST_REPLY + 4
LEAST_SHARE = 0.8  # of the line's bytes that are payload, in the busier direction


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


def board_test(session):
    """A cocotb test that runs ``session(line)`` in the host's thread."""

    async def run(dut):
        job = load_job()
        line = SerialLine(dut, job["divisor"], job.get("timeout_bytes", TIMEOUT_BYTES))

        def host() -> None:
            line.idle(40)  # power-on reset
            session(line)

        await bridge(host)()

    run.__name__ = run.__qualname__ = session.__name__
    run.__doc__, run.__module__ = session.__doc__, session.__module__
    return cocotb.test(timeout_time=500, timeout_unit="ms")(run)


def recover(line: SerialLine) -> None:
    """No more faults."""
    line.outward.clear()
    line.inward.clear()


def still_works(link: UartLink) -> None:
    """The bridge answers, rightly."""
    assert link.read(MAP.register("hash").offset) == HASH


def drawn(rng: np.random.Generator, batch: int) -> tuple[np.ndarray, np.ndarray, MacroModel]:
    """Unsigned weights and vectors, and a model that holds the weights in bank 0."""
    weights = rng.integers(0, 1 << CONFIG.weight_bits, (CONFIG.rows, CONFIG.cols))
    model = MacroModel(CONFIG)
    model.load(weights, bank=0, signed=False)
    return weights, rng.integers(0, 1 << CONFIG.input_bits, (batch, CONFIG.rows)), model


@board_test
def test_products_and_rows_through_the_driver(line):
    """Weights in, products and rows out, as golden says; several frames of vectors."""
    rng = np.random.default_rng(7)
    driver, model = MacroDriver(UartLink(line), CONFIG), MacroModel(CONFIG)
    top = 1 << CONFIG.weight_bits
    for bank in range(min(CONFIG.banks, 2)):
        signed = bool(bank % 2 == 0)
        low = -top // 2 if signed else 0
        weights = rng.integers(low, low + top, (CONFIG.rows, CONFIG.cols))
        driver.load_weights(weights, bank=bank, signed=signed)
        model.load(weights, bank=bank, signed=signed)
        half = 1 << (CONFIG.input_bits - 1)
        vectors = rng.integers(-half, half, (200 if bank else 3, CONFIG.rows))
        patterns = vectors & (2 * half - 1)
        results = driver.multiply(vectors, x_signed=True, bank=bank)
        assert np.array_equal(results, model.mvm(patterns, x_signed=True, bank=bank))
        for row in (0, CONFIG.rows - 1):
            assert np.array_equal(driver.read_row(row, bank=bank), model.read(bank, row))


@board_test
def test_payload_fills_the_line(line):
    """Of the busier direction's byte times, results or vectors take four fifths: both travel at
    the same time."""
    weights, vectors, model = drawn(np.random.default_rng(3), 400)
    link = UartLink(line)
    driver = MacroDriver(link, CONFIG)
    driver.load_weights(weights, signed=False)
    sent, received, began = link.sent, link.received, line.cycles
    results = driver.multiply(vectors, x_signed=False)
    payload = max(link.sent - sent, link.received - received)
    share = payload * 10 * load_job()["divisor"] / (line.cycles - began)
    assert np.array_equal(results, model.mvm(vectors, x_signed=False, bank=0))
    assert share > LEAST_SHARE, f"{share:.3f} of the line's time for payload"


@board_test
def test_the_device_is_identified(line):
    """Another configuration's driver is refused by the hash."""
    other = CONFIG.model_copy(update={"banks": CONFIG.banks + 1})
    with pytest.raises(ValueError, match="hash"):
        MacroDriver(UartLink(line), other)


@board_test
def test_refused_accesses_are_bus_errors(line):
    """Unmapped, misaligned, read-only and too high addresses: an error, and the link goes on."""
    link = UartLink(line)
    last = (1 << MAP.address_bits) - 4
    above = 1 << MAP.address_bits  # what is below it alone would be register id
    for address in (last, 2, MAP.register("y_next").offset, 0xFFFC, above):
        with pytest.raises(BusError):
            link.read(address)
    still_works(link)


def each_fault(line: SerialLine, count: int, faults, operation) -> None:
    """A fault at each of ``count`` places in what travels, with ``operation`` to judge, kinds in
    turn; afterwards the link works."""
    link = UartLink(line)
    for place in range(count):
        still_works(link)
        faults.extend([unchanged] * place + [FAULTS[place % len(FAULTS)]])
        operation(link)
        recover(line)
    still_works(link)


@board_test
def test_a_write_whose_bytes_are_lost_changes_nothing_and_is_not_repeated(line):
    """Each byte of a single write lost, garbled or doubled: an error, and the register as it was;
    what is doubled at the end has been done."""
    UartLink(line).write(ENABLE, 0x15)

    def operation(link: UartLink) -> None:
        with pytest.raises(LinkError, match="it may or may not have been done"):
            link.write(ENABLE, 0x0A)
        recover(line)
        assert link.read(ENABLE) == 0x15

    each_fault(line, WRITE_BYTES - 1, line.outward, operation)


@board_test
def test_a_read_is_repeated_until_it_is_right(line):
    """Each byte of a read or of its reply lost, garbled or doubled: the right word."""
    each_fault(line, READ_BYTES, line.outward, still_works)
    each_fault(line, REPLY_BYTES, line.inward, still_works)


@board_test
def test_a_storm_of_faults_never_makes_a_wrong_result(line):
    """Faults anywhere, both ways, in loads and products: the right results, or an error after which
    all works."""
    rng, chance = Random(5), 0.0015
    weights, vectors, model = drawn(np.random.default_rng(5), 60)
    golden = model.mvm(vectors, x_signed=False, bank=0)

    def storm() -> None:
        for faults in (line.outward, line.inward):
            faults.clear()
            faults.extend(
                rng.choice(FAULTS) if rng.random() < chance else unchanged for _ in range(20000)
            )

    driver = MacroDriver(UartLink(line), CONFIG)
    errors, rounds = 0, 8
    for _ in range(rounds):
        storm()
        try:
            driver.load_weights(weights, signed=False)
            assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)
        except LinkError:
            errors += 1
    recover(line)
    driver.load_weights(weights, signed=False)
    assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)
    assert errors < rounds, "nothing was made good"


class LostWrite:
    """A port to ``line`` on which what is written at call ``place`` does not arrive."""

    def __init__(self, line: SerialLine, place: int):
        self._line, self._left = line, place
        self.read, self.reset_input_buffer = line.read, line.reset_input_buffer

    @property
    def lost(self) -> bool:
        """Whether it was lost by now."""
        return self._left < 0

    def write(self, data: bytes) -> None:
        """Send bytes, or lose them."""
        self._left -= 1
        if self._left != -1:
            self._line.write(data)


@board_test
def test_a_frame_that_is_lost_either_way_is_made_good(line):
    """Each whole frame of a load and of products, and its reply: new weights and all results are
    right without a word, whatever the bank held before."""
    weights, vectors, model = drawn(np.random.default_rng(15), 200)
    top = 1 << CONFIG.weight_bits
    other = MacroModel(CONFIG)
    other.load(top - 1 - weights, bank=0, signed=False)
    golden = [m.mvm(vectors, x_signed=False, bank=0) for m in (model, other)]
    banks = weights, top - 1 - weights
    place, ended = 0, False
    while not ended:  # what is written before the call, the opening and the identity, is not lost
        port = LostWrite(line, 1 << 20)
        driver = MacroDriver(UartLink(port), CONFIG)
        driver.load_weights(banks[1 - place % 2], signed=False)
        port._left = place
        driver.load_weights(banks[place % 2], signed=False)
        results = driver.multiply(vectors, x_signed=False)
        assert np.array_equal(results, golden[place % 2]), f"frame {place} was lost"
        place, ended = place + 1, not port.lost
    assert place > 5, "a load, its wait, two looks at the status, two frames of vectors"
    driver = MacroDriver(UartLink(line), CONFIG)
    for place in range(4):
        line.inward.extend([unchanged] * (place * protocol.LEAST_REPLY))
        line.inward.extend([lost] * protocol.LEAST_REPLY)
        driver.load_weights(banks[place % 2], signed=False)
        assert np.array_equal(driver.multiply(vectors, x_signed=False), golden[place % 2])
        assert not line.inward, "the reply was not lost"


@board_test
def test_a_host_that_is_killed_leaves_nothing(line):
    """A program ends in the middle of a frame, and of results that are still coming: the next opens
    the link at once."""
    weights, vectors, model = drawn(np.random.default_rng(9), 40)
    golden = model.mvm(vectors, x_signed=False, bank=0)
    driver = MacroDriver(UartLink(line), CONFIG)
    driver.load_weights(weights, signed=False)
    start = protocol.Request(protocol.MULTIPLY, 0, bytes(200), 0)
    for cut in (1, 5, 100, 207):
        link = UartLink(line)
        link.read(ENABLE)
        frame = start.frame(link._sequence, link._session)
        line.write(frame if cut == 207 else frame[:cut])
        if cut == 207:
            line.idle(100)  # results are on their way
        link, began = UartLink(line), line.cycles
        still_works(link)
        byte_times = (line.cycles - began) // (10 * load_job()["divisor"])
        assert byte_times < len(protocol.FILLER) + 100, "the opening waits for nothing"
        again = MacroDriver(link, CONFIG)
        assert np.array_equal(again.multiply(vectors[:3], x_signed=False), golden[:3])
    with pytest.raises(SessionLostError, match="another program has used it"):
        driver.multiply(vectors, x_signed=False)
    with pytest.raises(SessionLostError, match="bank 0: its weights were lost"):
        driver.multiply(vectors, x_signed=False)
    driver.load_weights(weights, signed=False)
    assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)


@board_test
def test_frames_of_another_session_do_nothing(line):
    """A right request of a session that is over, and one with another number, are rejected; the
    reply to one before is not taken for that to the next."""
    old, link = UartLink(line), UartLink(line)
    link.write(ENABLE, 0x15)
    session = link._session
    old.read(ENABLE)
    with pytest.raises(SessionLostError, match="another program has used it"):
        link.read(ENABLE)
    link.read(ENABLE)
    write = protocol.Request(protocol.WRITE, ENABLE, (0x0A).to_bytes(4, "little"))
    for number, of in ((link._sequence, session), (link._sequence + 5, link._session)):
        line.write(write.frame(number, of))
        line.idle(150)
        rejection = line.read(protocol.LEAST_REPLY)
        assert rejection[0] == protocol.REJECTION
        assert protocol.check(rejection, link._session)
        assert rejection[1] == link._sequence
    assert link.read(ENABLE) == 0x15


@board_test
def test_noise_between_requests_is_ignored(line):
    """Stray bytes, short glitches and a break of the line before a request do no harm."""
    link = UartLink(line)
    line.write(bytes([0x00, 0xFF, 0x5A, 0x31]))
    still_works(link)
    line.hold(0, line.bit_ns // 4)
    still_works(link)
    line.hold(0, 30 * line.bit_ns)
    line.idle(20)
    still_works(link)
    line.write(bytes([protocol.REQUEST, 0, 0x30, protocol.READ << 2]))  # ends early
    still_works(link)


@board_test
def test_what_a_cut_off_session_left_is_never_a_result(line):
    """A vector started and not read: a new driver's results are those of its own vectors; on the
    driver's own link it ends in an error, after which all works."""
    link, rng = UartLink(line), np.random.default_rng(11)
    weights, vectors, model = drawn(rng, 2)
    golden = model.mvm(vectors, x_signed=False, bank=0)
    start = MAP.register("x_start").offset
    with MacroDriver(link, CONFIG) as driver:
        driver.load_weights(weights, signed=False)
        UartLink(line).write(start, 0)
        link = UartLink(line)
        driver = MacroDriver(link, CONFIG)
        assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)
        link.write(start, 0)  # behind this driver's back
        with pytest.raises(LinkError, match="what the macro holds is not what this driver asked"):
            driver.multiply(vectors, x_signed=False)
        assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)


@board_test
def test_a_baud_rate_4_percent_off_is_understood(line):
    """The host's bits are 4 % too fast, then 4 % too slow."""
    link = UartLink(line)
    for line.baud_error in (0.04, -0.04):
        for value in (0x00, 0x15, 0x0A, 0x1F):
            link.write(ENABLE, value)
            assert link.read(ENABLE) == value


@board_test
def test_an_unknown_operation_is_refused(line):
    """A right frame with an operation that is none ends in status REFUSED and does nothing."""
    link = UartLink(line)
    link.write(ENABLE, 0x15)
    for operation in (5, 6, 7):
        with pytest.raises(BusError):
            link.ask(protocol.Request(operation, ENABLE, bytes(4)))
    assert link.read(ENABLE) == 0x15


@board_test
def test_a_silent_line_ends_in_an_error(line):
    """Nobody answers: an error that says what to look at, after the time-outs."""
    line.outward.extend([lost] * 5000)
    with pytest.raises(LinkError, match="check cable, port, baud rate and bitstream"):
        UartLink(line).read(0)
