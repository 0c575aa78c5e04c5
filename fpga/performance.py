"""What a macro on a board does in a second: operations, filling a bank, what its link feeds."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from cimforge.flow.board import Board
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.protocol import OK, WRITE, reply_length

__all__ = ["Performance", "payload_rate"]

INT8 = 8 * 8  # 1-bit products of an 8-bit by 8-bit one
BITS_A_BYTE = 10  # on the line: start, 8 data bits, stop
WORD = 4  # payload bytes of a frame
REQUEST_BYTES = 10  # of a write: head, tag, operation, address, word, CRC


def payload_rate(board: Board) -> float:
    """Payload bytes a second over the board's UART: a word's frame and its reply in turn."""
    frames = REQUEST_BYTES + reply_length(WRITE, OK)
    return board.baud / BITS_A_BYTE * WORD / frames


@dataclass(frozen=True)
class Performance:
    """A macro at its board's clock: the one that place and route met, not the highest it might
    run at."""

    config: MacroConfig
    board: Board

    @property
    def vectors_per_s(self) -> float:
        """Vectors a second of full precision, unsigned: clock / cycles_per_pass."""
        return self.board.clock_hz / self.config.cycles_per_pass()

    @property
    def tops_binary(self) -> float:
        """``2 rows cols weight_bits input_bits / (cycles_per_pass · period)`` in 10^12 a second."""
        config = self.config
        products = config.rows * config.cols * config.weight_bits * config.input_bits
        return 2 * products * self.vectors_per_s / 1e12

    @property
    def gops_int8(self) -> float:
        """The same counted as 8-bit by 8-bit products, in 10^9 a second."""
        return self.tops_binary * 1000 / INT8

    @property
    def link_share(self) -> float:
        """The share of its time for which the link keeps the array busy, weights loaded: vectors
        and results over the line in turn, commands not counted."""
        config = self.config
        results = config.cols * config.y_bits
        payload = ceil(config.rows * config.input_bits / 8) + ceil(results / 8)
        return min(1.0, payload_rate(self.board) / payload / self.vectors_per_s)

    def as_json(self) -> dict[str, Any]:
        """The part of the JSON contract of ``cimforge fpga`` that follows from config and clock."""
        cycles = {"write": self.config.load_cycles(), "fill": self.config.load_cycles(fill=True)}
        return {
            "clock_mhz": round(self.board.clock_hz / 1e6, 6),
            "gops_int8": round(self.gops_int8, 4),
            "tops_binary": round(self.tops_binary, 6),
            "fill": {
                "cycles": cycles["fill"],
                "cycles_by_row": cycles["write"],
                "seconds": cycles["fill"] / self.board.clock_hz,
                "seconds_by_row": cycles["write"] / self.board.clock_hz,
            },
            "link_bytes_per_s": round(payload_rate(self.board)),
            "link_share": round(self.link_share, 6),
        }
