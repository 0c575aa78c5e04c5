"""The link on pseudo-terminals: whatever the other end does, every call ends, in one line."""

import os
import pty
import re
import threading
import time
import tty

import pytest

from cimforge.hdl.bus.registers import MAGIC
from cimforge.hdl.params.config_file import load_config
from cimforge.host import protocol
from cimforge.host.driver import BusError, LinkError, MacroDriver, UartLink, open_serial
from cimforge.host.link import read_request
from cimforge.host.tests.board_twin import BoardTwin

TIMEOUT = 0.2
CONFIG = load_config("tiny")


@pytest.fixture
def device():
    """A device's end, and the name of the host's."""
    pytest.importorskip("serial", reason="needs pyserial (cimforge[fpga])")
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.fixture
def sending(device):
    """Starts a device that sends a byte again and again, whatever it is told."""
    master, name = device
    stop = threading.Event()
    threads = []

    def start(byte: bytes, pause: float) -> str:
        def run() -> None:
            while not stop.wait(pause):
                try:
                    os.write(master, byte)
                except BlockingIOError:
                    time.sleep(0.001)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return name

    yield start
    stop.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("pause", [0.03, 0.0], ids=["drips", "babbles"])
@pytest.mark.parametrize("byte", [b"\0", b"\x5a", b"Z\0"], ids=["zero", "reply", "replies"])
def test_a_device_that_keeps_sending_is_an_error_within_the_time_outs(sending, byte, pause):
    port = open_serial(sending(byte, pause), 921_600, TIMEOUT)
    started = time.monotonic()
    with pytest.raises(LinkError, match=r"garbled, or come without an end|bytes were lost"):
        MacroDriver(UartLink(port), CONFIG)
    assert time.monotonic() - started < 6 * port.timeout + 0.5
    assert port.timeout < 2 * TIMEOUT
    port.close()


def test_a_silent_device_is_an_error_within_the_time_outs(device):
    port = open_serial(device[1], 921_600, TIMEOUT)
    started = time.monotonic()
    with pytest.raises(LinkError, match="check cable, port, baud rate and bitstream"):
        MacroDriver(UartLink(port), CONFIG)
    assert time.monotonic() - started < 6 * port.timeout + 0.5
    port.close()


def test_a_device_that_goes_away_is_an_error(device):
    port = open_serial(device[1], 921_600, TIMEOUT)
    port.close()
    with pytest.raises(LinkError, match="the port failed: "):
        UartLink(port).read(0)


def test_a_port_belongs_to_one_program(device):
    port = open_serial(device[1], 921_600, TIMEOUT)
    with pytest.raises(LinkError, match=f"{device[1]}: ") as error:
        open_serial(device[1], 921_600, TIMEOUT)
    assert "\n" not in str(error.value)
    port.close()


@pytest.mark.parametrize(
    ("name", "baud"), [("/dev/no-such-port", 9600), ("/", 9600), ("", 9600), (None, -1)]
)
def test_ports_that_cannot_be_opened_are_one_line(device, name, baud):
    with pytest.raises(LinkError) as error:
        open_serial(device[1] if name is None else name, baud)
    assert str(error.value).count("\n") == 0
    assert len(str(error.value)) > 10


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_time_out_is_positive(device, timeout):
    with pytest.raises(ValueError, match=f"timeout must be above 0 seconds, not {timeout}"):
        open_serial(device[1], 9600, timeout)


@pytest.mark.parametrize("baud", [0, -1, float("nan"), 9600.0, "9600", True, None])
def test_a_baud_rate_is_a_number_of_bits(device, baud):
    rule = re.escape(f"baud must be an integer of at least 1, not {baud!r}")
    with pytest.raises(LinkError, match=f"{device[1]}: {rule}"):
        open_serial(device[1], baud)


def test_time_outs_outlast_a_full_line(device):
    """At 9600 baud a kilobyte alone takes more than the second that a time-out is."""
    port = open_serial(device[1], 9600)
    assert port.timeout == port.write_timeout == pytest.approx(1 + 8192 * 10 / 9600)
    port.close()


@pytest.mark.parametrize("name", ["timeout", "write_timeout"])
def test_a_port_that_may_block_for_ever_is_refused(device, name):
    port = open_serial(device[1], 9600)
    setattr(port, name, None)
    with pytest.raises(ValueError, match=f"the port's {name} must be a number of seconds"):
        UartLink(port)
    port.close()


def test_a_port_that_fails_in_a_transfer_is_an_error_and_no_loss():
    """Pulled out: nothing is tried again, and the port's own words are told."""
    board = BoardTwin(CONFIG)
    driver = MacroDriver(UartLink(board), CONFIG)
    calls = []

    def pulled(data: bytes) -> None:
        calls.append(data)
        raise OSError(5, "Input/output error")

    board.write = pulled
    with pytest.raises(LinkError, match="the port failed: Input/output error"):
        driver.multiply([[0] * 8] * 400, x_signed=False)
    assert len(calls) == 2, "the call, and the reset after it"


@pytest.mark.parametrize("address", [-4, 1 << 16])
def test_addresses_that_no_frame_holds_are_refused(address):
    link = UartLink(BoardTwin(CONFIG))
    rule = re.escape(f"address must be in 0..0xffff, not {address:#x}")
    with pytest.raises(ValueError, match=rule):
        link.read(address)
    with pytest.raises(ValueError, match=rule):
        link.write(address, 0)


@pytest.mark.parametrize("word", [-1, 1 << 32, 1.0])
def test_words_of_more_than_32_bits_are_refused(word):
    with pytest.raises(
        ValueError, match=re.escape(f"word must be an integer in 0..4294967295, not {word}")
    ):
        UartLink(BoardTwin(CONFIG)).write(0, word)


def test_frames_of_another_version_are_refused():
    board = BoardTwin(CONFIG)
    link = UartLink(board)
    board.buffer_bytes = 1 << 0x2A  # turns bits of the version
    with pytest.raises(LinkError, match="the device's frames are of version 3, not 1; build its"):
        link.read(0)


def test_a_refused_access_is_an_error_and_the_link_goes_on():
    link = UartLink(BoardTwin(CONFIG))
    with pytest.raises(BusError, match="read of 0x0002: the bus refused the access"):
        link.read(2)
    with pytest.raises(BusError, match="write of 0x0000: the bus refused the access"):
        link.write(0, 1)
    assert link.read(0) == MAGIC


def test_another_devices_id_is_told(monkeypatch):
    board = BoardTwin(CONFIG)
    monkeypatch.setattr("cimforge.cocotb_tests.bus.bus_model.MAGIC", 7)
    with pytest.raises(LinkError, match="register id reads 0x00000007, not 0x43494d31: no macro"):
        MacroDriver(UartLink(board), CONFIG)


def test_a_single_write_is_never_repeated():
    """Its reply is lost: whether it was done is not known, and told so; the next call works."""
    board = BoardTwin(CONFIG)
    link = UartLink(board)
    link.read(0)
    board.frames.clear()
    board.inward = lambda frame: frame[:-1]
    with pytest.raises(LinkError, match=r"write of 0x0018: .* may or may not have been done"):
        link.write(0x18, 5)
    board.inward = bytes
    assert board.frames == [protocol.WRITE]
    assert link.read(0x18) == 5


def test_ctrl_c_in_a_call_leaves_no_reply_behind():
    """The next call begins a session: even a write, which is not repeated, works at once."""
    board = BoardTwin(CONFIG)
    link = UartLink(board)
    link.read(0)
    board.interrupt_after = 1
    with pytest.raises(KeyboardInterrupt):
        link.read(0)
    board.interrupt_after = None
    link.write(0x18, 5)
    assert link.read(0x18) == 5


def test_sequence_numbers_wrap():
    """More requests than numbers, in flight and one by one, in one session."""
    board = BoardTwin(CONFIG)
    link = UartLink(board)
    assert link.exchange([read_request(0)] * 700) == [MAGIC.to_bytes(4, "little")] * 700
    for _ in range(300):
        assert link.read(0) == MAGIC
    assert board.frames.count(protocol.OPEN) == 1


def test_a_larger_buffer_is_used():
    small, large = (UartLink(BoardTwin(CONFIG, size)) for size in (1024, 2048))
    for link in (small, large):
        link.read(0)
    assert (small.most_payload, large.most_payload) == (331, 507)
