"""What a macro on a board does in a second: operations, filling a bank, what its link feeds."""

from dataclasses import dataclass
from typing import Any

from cimforge.flow.board import Board
from cimforge.fpga.board_link import line_bytes_per_s
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.payload import result_bytes, vector_bytes
from cimforge.host.protocol import (
    CRC_BYTES,
    HEAD_BYTES,
    LEAST_REPLY,
    LONGEST_LENGTH,
    PARAMETER_BYTES,
)

__all__ = ["Performance"]

INT8 = 8 * 8  # 1-bit products of an 8-bit by 8-bit one
REQUEST_BYTES = 1 + HEAD_BYTES + PARAMETER_BYTES + CRC_BYTES  # of a request, but for its payload


@dataclass(frozen=True)
class Performance:
    """A macro at its board's clock: the one that place and route met, not the highest it might
    run at; behind a ``link`` of fpga.board_link, whose fastest line it is asked through."""

    config: MacroConfig
    board: Board
    link: str = "uart"

    @property
    def vectors_per_s(self) -> float:
        """Vectors a second of full precision, unsigned: clock / pass_interval."""
        return self.board.clock_hz / self.config.pass_interval()

    @property
    def tops_binary(self) -> float:
        """``2 rows cols weight_bits input_bits / (pass_interval · period)`` in 10^12 a second."""
        config = self.config
        products = config.rows * config.cols * config.weight_bits * config.input_bits
        return 2 * products * self.vectors_per_s / 1e12

    @property
    def gops_int8(self) -> float:
        """The same counted as 8-bit by 8-bit products, in 10^9 a second."""
        return self.tops_binary * 1000 / INT8

    @property
    def _vector_bytes(self) -> tuple[int, int]:
        """Payload bytes of a vector, and of its results, on the line."""
        results = self.config.modes[0].outputs * result_bytes(self.config, 0)
        return vector_bytes(self.config), results

    @property
    def link_vectors_per_s(self) -> float:
        """Vectors a second over the link, weights loaded: as many as fill a request, while the
        results of those before come back; the longer direction counts. Escapes of SPI, one byte
        in 128 of random results, are left out."""
        down, up = self._vector_bytes
        count = max(1, (LONGEST_LENGTH - PARAMETER_BYTES) // max(down, up))
        longer = max(REQUEST_BYTES + count * down, LEAST_REPLY + count * up)
        return line_bytes_per_s(self.board, self.link) * count / longer

    @property
    def payload_rate(self) -> float:
        """Payload bytes a second in the busier direction."""
        return self.link_vectors_per_s * max(self._vector_bytes)

    @property
    def link_share(self) -> float:
        """The share of its time for which the link keeps the array busy, weights loaded."""
        return min(1.0, self.link_vectors_per_s / self.vectors_per_s)

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
            "link": self.link,
            "link_bytes_per_s": round(self.payload_rate),
            "link_share": round(self.link_share, 6),
        }
