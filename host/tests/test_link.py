"""The link on pseudo-terminals: whatever the other end does, every call ends, in one line."""

import os
import pty
import threading
import time
import tty

import pytest

from cimforge.hdl.params.config_file import load_config
from cimforge.host.driver import LinkError, MacroDriver, UartLink, open_serial

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
    port = open_serial(sending(byte, pause), 115200, TIMEOUT)
    started = time.monotonic()
    with pytest.raises(LinkError, match=r"garbled|lost|unknown status|received"):
        MacroDriver(UartLink(port), CONFIG)
    assert time.monotonic() - started < 3 * TIMEOUT + 0.5
    port.close()


def test_a_silent_device_is_an_error_within_the_time_outs(device):
    port = open_serial(device[1], 115200, TIMEOUT)
    started = time.monotonic()
    with pytest.raises(LinkError, match="check cable, port, baud rate and bitstream"):
        MacroDriver(UartLink(port), CONFIG)
    assert time.monotonic() - started < 3 * TIMEOUT + 0.5
    port.close()


def test_a_device_that_goes_away_is_an_error(device):
    port = open_serial(device[1], 115200, TIMEOUT)
    port.close()
    with pytest.raises(LinkError, match="read of 0x0000: the port failed: "):
        UartLink(port).read(0)


def test_a_port_belongs_to_one_program(device):
    port = open_serial(device[1], 115200, TIMEOUT)
    with pytest.raises(LinkError, match=f"{device[1]}: ") as error:
        open_serial(device[1], 115200, TIMEOUT)
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


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_time_out_is_positive(device, timeout):
    with pytest.raises(ValueError, match=f"timeout must be above 0 seconds, not {timeout}"):
        open_serial(device[1], 9600, timeout)
