"""The links that a board's top may have: ports, pins, bytes a second."""

from cimforge.flow.board import Board
from cimforge.fpga.spi_slave import LEAST_RATIO
from cimforge.fpga.uart import FRAME_BITS
from cimforge.hdl.params.config_file import InputError

__all__ = ["BYTE_BITS", "LINK_PORTS", "check_link", "line_bytes_per_s", "linked_board"]

LINK_PORTS = {"uart": ("rx", "tx"), "spi": ("sck", "mosi", "cs_n", "miso")}
BYTE_BITS = 8  # on SPI


def check_link(link: str) -> None:
    """Raise ValueError where there is no such link."""
    if link not in LINK_PORTS:
        raise ValueError(f"link must be one of {', '.join(LINK_PORTS)}, not {link!r}")


def linked_board(board: Board, link: str, where: str, near: str = "uart") -> Board:
    """The board with the pins of one link alone, which its constraints then name.

    Raises InputError, naming ``near``, a legal value, where the board has no such pins.
    """
    check_link(link)
    every = {**board.pins, **board.spi}
    if not every.keys() >= set(LINK_PORTS[link]):
        rule = f"{link} has no pins on this board, {board.device}"
        raise InputError(f"{where}: {rule} (nearest legal value: {near!r})")
    ports = ("clk", *LINK_PORTS[link], "busy")
    return board._replace(pins={port: every[port] for port in ports})


def line_bytes_per_s(board: Board, link: str) -> float:
    """Bytes a second in each direction, frames and payload: of a UART baud / 10; of SPI those of
    the fastest sck that the device follows, clk / LEAST_RATIO."""
    check_link(link)
    if link == "spi":
        return board.clock_hz / LEAST_RATIO / BYTE_BITS
    return board.baud / FRAME_BITS
