"""Where carry-save sums have bits, by the one rule of their columns: no planner is asked."""

from collections.abc import Iterable
from typing import NamedTuple

from cimforge.hdl.params.config import MacroConfig

__all__ = ["KeptPlaces", "kept_places", "left_places"]


class KeptPlaces(NamedTuple):
    """Powers of two, in order: of the bits that a tree leaves (``total``), of the value that an
    accumulator begins with, where no kept bit makes room for it (``start``), of the kept bits that
    come back (``feedback``), and of those that are kept (``kept``)."""

    total: tuple[int, ...]
    start: tuple[int, ...]
    feedback: tuple[int, ...]
    kept: tuple[int, ...]


def left_places(places: Iterable[int], width: int) -> tuple[int, ...]:
    """What full adders leave of bits at these places: of n bits at one, those that come from below
    it among them, one where n is odd and two where it is even, and (n - 1) // 2 carries."""
    counts = [0] * (width + 1)
    for place in places:
        if place < width:
            counts[place] += 1
    left: list[int] = []
    for place in range(width):
        count = counts[place]
        adders = max(0, count - 1) // 2
        counts[place + 1] += adders
        left += [place] * (count - 2 * adders)
    return tuple(left)


def kept_places(config: MacroConfig) -> KeptPlaces:
    """The places of a macro that accumulates carry-save.

    The top plane is left with two bits a place before the others join it, for there it is negated.
    What is fed back to a place is kept k places lower, so that a few rounds settle all.
    """
    k, y_bits, low = config.bits_per_cycle, config.y_bits, config.weight_bits - 1
    plane = [place for width in config.operand_widths for place in range(width)]
    most = sum((1 << width) - 1 for width in config.operand_widths)
    top = left_places(plane, most.bit_length())
    planes = [place + j for j in range(k - 1) for place in plane]
    planes += [place + k - 1 for place in top]
    total = left_places(planes, min(y_bits, (most * ((1 << k) - 1)).bit_length()))
    begin = -config.rows << (k + low)
    digits = [(begin | begin - (most << k - 1)) >> place & 1 for place in range(y_bits)]
    correction = range(low, low + config.correction_bits)
    kept: tuple[int, ...] = ()
    while True:
        again = config.max_planes > 1
        feedback = tuple(place + k for place in kept if again and place + k < y_bits)
        start = tuple(p for p, digit in enumerate(digits) if digit and p not in feedback)
        left = left_places([*start, *feedback, *total, *correction], y_bits)
        if left == kept:
            return KeptPlaces(total, start, feedback, kept)
        kept = left
