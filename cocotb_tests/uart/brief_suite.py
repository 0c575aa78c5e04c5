"""The board behind its serial line in half a minute of Icarus: what a broken bridge must fail.

Frames are written one by one, so that a rejected one costs no new session, which takes half a
kilobyte of the line.
"""

import numpy as np
import pytest

from cimforge.cocotb_tests.uart.uart_suite import CONFIG, ENABLE, HASH, MAP, board_test, drawn
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine
from cimforge.host import protocol
from cimforge.host.driver import BusError, MacroDriver, UartLink
from cimforge.host.link import read_request, write_request
from cimforge.host.protocol import Request, opening

SESSIONS = (0x89AB_CDEF, 0x1357_9BDF, 0x0246_8ACE)


def reply(line: SerialLine, frame: bytes, answer: int = 0) -> bytes:
    """What comes back for a frame."""
    line.write(frame)
    return line.read(protocol.LEAST_REPLY + answer)


def checked(frame: bytes, first: int, number: int, session: int) -> bytes:
    """A right reply's payload and status."""
    assert protocol.check(frame, session), frame.hex()
    assert (frame[0], frame[1]) == (first, number)
    return frame[2 : -protocol.CRC_BYTES]


def enable(value: int) -> Request:
    """A write that a read can tell of."""
    return write_request(ENABLE, value.to_bytes(4, "little"))


@board_test
def test_a_driver_gets_rows_and_products(line):
    """Banks of both signs, frames of more than 256 bytes, both ways at a time."""
    weights, vectors, model = drawn(np.random.default_rng(1), 110)
    link = UartLink(line)
    driver = MacroDriver(link, CONFIG)
    driver.load_weights(weights, signed=False)
    bank, top = CONFIG.banks - 1, 1 << CONFIG.weight_bits - 1
    driver.load_weights(weights - top, bank=bank, signed=True)
    model.load(weights - top, bank=bank, signed=True)
    began = line.cycles
    for each in (0, bank):
        golden = model.mvm(vectors, x_signed=False, bank=each)
        assert np.array_equal(driver.multiply(vectors, x_signed=False, bank=each), golden)
    # two short batches, each with its first frame down and its last one up; uart_suite has the rate
    share = max(link.sent, link.received) * 10 * load_job()["divisor"] / (line.cycles - began)
    assert share > 0.5, f"{share:.3f} of the line's time for payload"
    row = CONFIG.rows - 1
    assert np.array_equal(driver.read_row(row, bank=bank), (weights[row] - top) % (2 * top))
    with pytest.raises(BusError):
        link.read(1 << MAP.address_bits)  # what is below it alone would be register id


@board_test
def test_frames_act_after_their_check_alone(line):
    """Each byte garbled, another number, another session, an unknown operation: rejected or
    refused, and the register as it was; then the right frame."""
    session, number = SESSIONS[0], 0
    line.write(protocol.FILLER)
    answer = reply(line, opening(session), protocol.OPEN_REPLY)
    assert checked(answer, protocol.REPLY, 0, session)[0] >> 4 == protocol.VERSION
    for value in (0x15, 0x0A):
        frame = enable(value).frame(number, session)
        for place in range(1, len(frame)):
            if place in (2, 3):
                continue  # of another length
            garbled = bytearray(frame)
            garbled[place] ^= 1 << (place + value) % 8
            checked(reply(line, bytes(garbled)), protocol.REJECTION, number, session)
        for wrong in (enable(3).frame(number + 1, session), enable(3).frame(number, SESSIONS[1])):
            checked(reply(line, wrong), protocol.REJECTION, number, session)
        assert checked(reply(line, frame), protocol.REPLY, number, session) == bytes(1)
        unknown = Request(5 + number % 3, ENABLE, bytes(4)).frame(number + 1, session)
        assert checked(reply(line, unknown), protocol.REPLY, number + 1, session) == b"\1"
        read = read_request(ENABLE).frame(number + 2, session)
        answer = checked(reply(line, read, 4), protocol.REPLY, number + 2, session)
        assert answer == bytes([value, 0, 0, 0, 0])
        number += 3


@board_test
def test_a_session_is_entered_from_the_one_before(line):
    """RESUMING works from the session that is, OPENING from any; results under way are ended, and
    numbers begin anew."""
    first, second, third = SESSIONS
    line.write(protocol.FILLER)
    checked(reply(line, opening(first), protocol.OPEN_REPLY), protocol.REPLY, 0, first)
    checked(reply(line, opening(second, third)), protocol.REJECTION, 0, first)
    long = Request(protocol.READ, (4 * 99) << 16).frame(0, first)
    line.write(long)
    line.idle(60)
    line.reset_input_buffer()
    answer = reply(line, opening(second, first), protocol.OPEN_REPLY + 20)
    place = answer.index(bytes([protocol.REPLY, 0]))
    whole = protocol.LEAST_REPLY + protocol.OPEN_REPLY
    checked(answer[place : place + whole], protocol.REPLY, 0, second)
    for number in range(2):
        read = read_request(MAP.register("hash").offset).frame(number, second)
        answer = checked(reply(line, read, 4), protocol.REPLY, number, second)
        assert answer == HASH.to_bytes(4, "little") + bytes(1)
    checked(reply(line, opening(third), protocol.OPEN_REPLY), protocol.REPLY, 0, third)


@board_test
def test_noise_and_other_rates(line):
    """Stray bytes, a glitch, a break, a line 4 % too fast and too slow."""
    session = SESSIONS[1]
    line.write(protocol.FILLER + bytes([0xFF, 0x5A]))
    line.hold(0, line.bit_ns // 4)
    line.hold(0, 30 * line.bit_ns)
    line.idle(20)
    checked(reply(line, opening(session), protocol.OPEN_REPLY), protocol.REPLY, 0, session)
    for number, line.baud_error in enumerate((0.04, -0.04)):
        request = write_request(MAP.window("x").offset, bytes(range(40, 44)))
        answer = reply(line, request.frame(number, session))
        assert checked(answer, protocol.REPLY, number, session) == bytes(1)
