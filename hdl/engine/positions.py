"""Positions of bytes and lines in an image, which may lie far outside of it."""

from amaranth.hdl import Cat, Module, Signal, Value, signed

__all__ = ["POSITION", "far_sum"]

FAR_BIT = 16  # bytes of a line, and lines, are counted in 16 bits: from here on all is outside
POSITION = signed(FAR_BIT + 2)


def far_sum(m: Module, position: Value, step: Value, name: str) -> Signal:
    """``position + step``, where a sum of 2^16 or more may become another such.

    Descriptors lead positions up to 2^32, of which nothing matters but that they are outside. Sums
    below 2^17 are exact, larger ones become one of 2^16..2^17-1. As positions are -2^15 at least,
    less the bytes of a word, and steps below 2^17, none wraps.
    """
    whole = Signal(signed(FAR_BIT + 3), name=f"{name}_whole")
    near = Signal(POSITION, name=name)
    sign = whole[-1]
    far = whole[FAR_BIT] | (whole[FAR_BIT + 1] & ~sign)
    m.d.comb += [whole.eq(position + step), near.eq(Cat(whole[:FAR_BIT], far, sign))]
    return near
