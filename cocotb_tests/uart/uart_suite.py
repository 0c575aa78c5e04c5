"""The board's top behind its serial line: the driver's calls, and every byte lost or garbled."""

import cocotb
import numpy as np
import pytest
from cocotb.task import bridge

from cimforge.flow.simulate.job import job_config, load_job
from cimforge.flow.simulate.serial_line import SerialLine
from cimforge.golden.macro import MacroModel
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.host import protocol
from cimforge.host.driver import BusError, LinkError, MacroDriver, UartLink

CONFIG = job_config()
MAP = RegisterMap(CONFIG)
ENABLE = MAP.register("irq_enable").offset
HASH = int(CONFIG.digest[:8], 16)
WRITE_BYTES, READ_BYTES, REPLY_BYTES = 10, 6, 8


def lost(byte: int) -> tuple[int, ...]:
    """A byte that does not arrive."""
    return ()


def garbled(byte: int) -> tuple[int, ...]:
    """A byte with one bit turned."""
    return (byte ^ 0x10,)


def unchanged(byte: int) -> tuple[int, ...]:
    """A byte that arrives."""
    return (byte,)


def board_test(session):
    """A cocotb test that runs ``session(line)`` in the host's thread."""

    async def run(dut):
        line = SerialLine(dut, load_job()["divisor"])

        def host() -> None:
            line.idle(40)  # power-on reset
            session(line)

        await bridge(host)()

    run.__name__ = run.__qualname__ = session.__name__
    run.__doc__, run.__module__ = session.__doc__, session.__module__
    return cocotb.test(timeout_time=200, timeout_unit="ms")(run)


def recover(line: SerialLine) -> None:
    """No more faults; the driver has waited until the line was silent."""
    line.outward.clear()
    line.inward.clear()


def still_works(link: UartLink) -> None:
    """The bridge answers, rightly."""
    assert link.read(MAP.register("hash").offset) == HASH


@board_test
def test_products_and_rows_through_the_driver(line):
    """Weights in, products and rows out, as golden says."""
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
        vectors = rng.integers(-half, half, (3, CONFIG.rows))
        patterns = vectors & (2 * half - 1)
        results = driver.multiply(vectors, x_signed=True, bank=bank)
        assert np.array_equal(results, model.mvm(patterns, x_signed=True, bank=bank))
        row = CONFIG.rows - 1
        assert np.array_equal(driver.read_row(row, bank=bank), model.read(bank, row))


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
    for address in (last, 2, MAP.register("y_next").offset, 0xFFFC):
        with pytest.raises(BusError):
            link.read(address)
    still_works(link)


def each_fault_is_an_error(line: SerialLine, fault, count: int, faults, operation) -> None:
    """The fault at each of ``count`` places ends in LinkError; afterwards the link works."""
    link = UartLink(line)
    for place in range(count):
        faults.extend([unchanged] * place + [fault])
        with pytest.raises(LinkError):
            operation(link)
        recover(line)
        still_works(link)


@board_test
def test_lost_and_garbled_requests_change_nothing(line):
    """Each byte of a write, lost or garbled in turn: an error, and the register keeps its value."""
    link = UartLink(line)
    link.write(ENABLE, 0x15)
    for fault in (lost, garbled):
        each_fault_is_an_error(
            line, fault, WRITE_BYTES, line.outward, lambda link: link.write(ENABLE, 0x0A)
        )
        assert link.read(ENABLE) == 0x15
        each_fault_is_an_error(
            line, fault, READ_BYTES, line.outward, lambda link: link.read(ENABLE)
        )


@board_test
def test_lost_and_garbled_replies_are_noticed(line):
    """Each byte of a reply, lost or garbled in turn: an error, never a wrong number."""
    address = MAP.register("hash").offset
    for fault in (lost, garbled):
        each_fault_is_an_error(
            line, fault, REPLY_BYTES, line.inward, lambda link: link.read(address)
        )


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
    line.write(bytes([protocol.REQUEST, protocol.READ]))  # a request that ends early
    line.idle(2 * protocol.GAP_BYTES * 10)
    still_works(link)


@board_test
def test_what_a_cut_off_session_left_is_never_a_result(line):
    """Vectors started and not read: a new driver's results are those of its own vectors; a tag
    that tells of another's vector ends in an error, after which all works."""
    link, rng = UartLink(line), np.random.default_rng(11)
    with MacroDriver(link, CONFIG) as driver:
        top = 1 << CONFIG.weight_bits
        weights = rng.integers(0, top, (CONFIG.rows, CONFIG.cols))
        driver.load_weights(weights, signed=False)
        model = MacroModel(CONFIG)
        model.load(weights, bank=0, signed=False)
        vectors = rng.integers(0, 1 << CONFIG.input_bits, (2, CONFIG.rows))
        golden = model.mvm(vectors, x_signed=False, bank=0)
        start = MAP.register("x_start").offset
        link.write(start, 0)
        assert np.array_equal(MacroDriver(link, CONFIG).multiply(vectors, x_signed=False), golden)
        driver.reset()
        link.write(start, 0)  # another's, behind this driver's back
        with pytest.raises(LinkError, match="x_tag is 1, not 0"):
            driver.multiply(vectors, x_signed=False)
        assert np.array_equal(driver.multiply(vectors, x_signed=False), golden)


@board_test
def test_a_baud_rate_4_percent_off_is_understood(line):
    """The host's bits are 4 % too fast, then 4 % too slow."""
    for line.baud_error in (0.04, -0.04):
        for value in (0x00, 0x15, 0x0A, 0x1F):
            UartLink(line).write(ENABLE, value)
            assert UartLink(line).read(ENABLE) == value


@board_test
def test_an_unknown_operation_is_answered(line):
    """A whole frame with an operation that is none ends in an error at once."""
    head = bytes([protocol.REQUEST, 0xC3, 0x77, 0, 0])
    line.write(head + bytes([protocol.crc8(head)]))
    reply = line.read(4)
    assert reply == bytes([protocol.REPLY, 0xC3, protocol.BAD_FRAME, protocol.crc8(reply[:3])])
    still_works(UartLink(line))


@board_test
def test_a_silent_line_ends_in_an_error(line):
    """Nobody answers: an error that says what to look at, after the time-out."""
    line.outward.extend([lost] * READ_BYTES)
    with pytest.raises(LinkError, match="check cable, port, baud rate and bitstream"):
        UartLink(line).read(0)
