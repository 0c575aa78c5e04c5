"""What place and route must know of a board."""

from typing import NamedTuple

__all__ = ["Board"]


class Board(NamedTuple):
    """A board.

    ``target`` is the synthesis target; ``place`` the arguments of nextpnr-``family`` that name the
    part; ``pins`` map the SoC's ports (clk, rx, tx, busy) to the package's pins. ``rx`` and ``tx``
    are seen from the FPGA.
    """

    device: str
    target: str
    family: str
    place: tuple[str, ...]
    pins: dict[str, str]
    clock_hz: int
    baud: int
    about: str

    @property
    def divisor(self) -> int:
        """Clock cycles of a bit on the UART."""
        return round(self.clock_hz / self.baud)
