"""What place and route must know of a board."""

from typing import Annotated, NamedTuple

from pydantic import Field, StrictBool, StrictInt, StrictStr

__all__ = ["BITS_OFF", "OUTPUT_PORTS", "Board"]

OUTPUT_PORTS = ("tx", "miso", "busy")  # of a board's top, whatever its link
BITS_OFF = 0.02  # of a bit's length: half of what a receiver that samples each middle tolerates

Hertz = Annotated[StrictInt, Field(ge=1_000_000, le=500_000_000)]
Baud = Annotated[StrictInt, Field(ge=9_600, le=12_000_000)]
Words = tuple[StrictStr, ...]
ByPort = dict[StrictStr, StrictStr]


class Board(NamedTuple):
    """A board.

    ``place`` are the arguments of the family's placer that name the part (flow.families), and
    ``pack`` those of its packer; ``pins`` map the SoC's ports (clk, rx, tx, busy) to the package's
    pins, ``spi`` those of a second link (sck, mosi, cs_n, miso), ``io`` those whose I/O standard is
    not the family's own. ``rx`` and ``tx`` are seen from the FPGA; ``led_active_low`` where a low
    level at busy lights the LED.

    ``oscillator_hz`` is the frequency at pin clk, ``clock_hz`` the SoC's: where they differ, the
    ``pll`` makes one of the other. ``source`` says where pins and part were read.
    """

    about: StrictStr
    source: StrictStr
    device: StrictStr
    family: StrictStr
    place: Words
    pins: ByPort
    oscillator_hz: Hertz
    clock_hz: Hertz
    baud: Baud
    pack: Words = ()
    pll: StrictStr = ""
    led_active_low: StrictBool = False
    io: ByPort = {}  # noqa: RUF012 - a NamedTuple's default, never changed
    spi: ByPort = {}  # noqa: RUF012

    @property
    def divisor(self) -> int:
        """Clock cycles of a bit on the UART."""
        return round(self.clock_hz / self.baud)

    @property
    def baud_error(self) -> float:
        """The share by which the bits of the UART are off the baud rate."""
        return abs(self.clock_hz / self.divisor / self.baud - 1) if self.divisor else 1.0
