"""Run-time modes: what a pass delivers, for each way in which a bank's weight slices are fused."""

from typing import NamedTuple

from cimforge.hdl.params.ranges import signed_width

__all__ = ["Mode", "result_bits"]


class Mode(NamedTuple):
    """``fused`` slices make one weight of ``weight_bits``; a pass delivers ``outputs`` results of
    ``y_bits``, two's complement.

    With ``binary`` inputs and weights are bits that stand for -1 and 1.

    Output j lies at bit j * y_bits of y_data, its weight in a row at bit j * weight_bits of w_data
    and q_data. Whoever packs, maps, models or checks results takes the numbers from here.
    """

    fused: int
    outputs: int
    weight_bits: int
    y_bits: int
    binary: bool = False

    @property
    def y_width(self) -> int:
        """Bits of a beat of results."""
        return self.outputs * self.y_bits

    @property
    def row_width(self) -> int:
        """Bits of a row of weights."""
        return self.outputs * self.weight_bits

    @property
    def sign_mask(self) -> int:
        """The bits of a row that a signed write inverts: the top bit of each weight; none where
        weights are -1 or 1."""
        if self.binary:
            return 0
        top = 1 << (self.weight_bits - 1)
        return sum(top << (output * self.weight_bits) for output in range(self.outputs))

    def tops(self, slices: int) -> tuple[bool, ...]:
        """For each of a column's ``slices``, whether it holds the top bit of its weight."""
        return tuple((number + 1) % self.fused == 0 for number in range(slices))

    @property
    def row_place(self) -> int:
        """The bit of a result from which a row that is read back stands there."""
        return 1 if self.binary else 0

    @property
    def correction_place(self) -> int:
        """The weight, as a power of two, at which the shared correction is added."""
        return self.weight_bits - 1


def result_bits(rows: int, input_bits: int, weight_bits: int) -> int:
    """The least width, two's complement, that holds the extremes of all four sign modes."""
    x_max, w_max = 2**input_bits - 1, 2**weight_bits - 1
    x_min, w_min = -(2 ** (input_bits - 1)), -(2 ** (weight_bits - 1))
    lowest, highest = min(x_max * w_min, x_min * w_max), max(x_max * w_max, x_min * w_min)
    return signed_width(rows * lowest, rows * highest)
