"""Final adders: the two words that a compressed tree leaves, added by split or parallel-prefix
carries."""

from collections.abc import Callable
from typing import NamedTuple

from cimforge.hdl.netlist.leaf import FULL_ADDER, HALF_ADDER
from cimforge.hdl.netlist.structure import Net, Structure, concat

__all__ = ["FINALS", "WORD_ADDERS", "Final", "build_final"]


class Final(NamedTuple):
    """One way to add two words: ``delay(size)`` in full adders, from the last bit that comes to the
    last of ``size`` bits made, and ``build(out, a, b)``, the bits of ``a + b`` in the module
    ``out``."""

    about: str
    delay: Callable[[int], int]
    build: Callable[[Structure, list[Net], list[Net]], list[Net]]


def build_final(
    prefix: str, kind: str, style: str, widths: tuple[int, int], role: str
) -> Structure:
    """Module ``prefix_kind``: ``total = a + b`` modulo ``2**len(a)``, unsigned, combinational.

    ``terms`` holds a and behind it b, which is at most as wide; ``total`` is as wide as a. The
    carry out of the top is not made: whoever places it knows that there is none.
    """
    out = Structure(prefix, kind, f"Sum of two words, {WORD_ADDERS[style].about}.", role)
    size, short = widths
    terms = out.port("input", "terms", size + short)
    total = out.port("output", "total", size)
    bits = [terms.bits(place) for place in range(size + short)]
    out.assign(total, concat(WORD_ADDERS[style].build(out, bits[:size], bits[size:])))
    return out


def _prefix(out: Structure, a: list[Net], b: list[Net]) -> list[Net]:
    """Carries of a parallel-prefix network, in ceil(log2) levels. (Sklansky, "Conditional-sum
    addition logic", 1960.) ``g3_8`` and ``p3_8``: the groups that end at bit 8 after 3 levels make
    a carry, pass one on."""
    size, level = len(a), 0
    alone = [_wire(out, f"p0_{i}", f"{x} ^ {b[i]}") if i < len(b) else x for i, x in enumerate(a)]
    make: list[Net | None] = [
        _wire(out, f"g0_{i}", f"{a[i]} & {y}") if i < size - 1 else None for i, y in enumerate(b)
    ]
    make += [None] * (size - len(make))
    through = list(alone)
    while 1 << level < size - 1:
        level += 1
        for i in range(size - 1):
            if not i >> level - 1 & 1:
                continue
            low = (i >> level - 1 << level - 1) - 1
            if make[low] is not None:
                made, passed = make[i], f"{through[i]} & {make[low]}"
                both = passed if made is None else f"{made} | {passed}"
                make[i] = _wire(out, f"g{level}_{i}", both)
            if i >> level << level:  # the group does not begin at bit 0: more comes from below
                through[i] = _wire(out, f"p{level}_{i}", f"{through[i]} & {through[low]}")
    carries = [None, *make[: size - 1]]
    return [
        p if carry is None else _wire(out, f"s{i}", f"{p} ^ {carry}")
        for i, (p, carry) in enumerate(zip(alone, carries, strict=True))
    ]


def _split(out: Structure, a: list[Net], b: list[Net]) -> list[Net]:
    """The lower half rippled; the upper half for both of its carries, which selects. (Bedrij,
    "Carry-select adder", 1962.)"""
    half = (len(a) + 1) // 2
    low, carry = _ripple(out, "l", a[:half], b[:half], None)
    if carry is None or half == len(a):
        upper, _ = _ripple(out, "u", a[half:], b[half:], carry)
        return low + upper
    none, _ = _ripple(out, "n", a[half:], b[half:], None)
    one, _ = _ripple(out, "c", a[half:], b[half:], Net("1'h1", 1))
    pairs = enumerate(zip(none, one, strict=True))
    return low + [_wire(out, f"s{i}", f"{carry} ? {y} : {x}") for i, (x, y) in pairs]


def _rippled(out: Structure, a: list[Net], b: list[Net]) -> list[Net]:
    """One carry after the other."""
    return _ripple(out, "u", a, b, None)[0]


def _ripple(
    out: Structure, name: str, a: list[Net], b: list[Net], carry: Net | None
) -> tuple[list[Net], Net | None]:
    """Full adders, and half adders where there is no third bit: sum bits and the last carry."""
    total = []
    for i, x in enumerate(a):
        taken = [bit for bit in (x, b[i] if i < len(b) else None, carry) if bit is not None]
        if len(taken) == 1:
            total.append(taken[0])
            continue
        if name != "l" and i == len(a) - 1:  # the carry out of the top is nobody's
            total.append(_wire(out, f"{name}s{i}", " ^ ".join(taken)))
            break
        s, c = Net(f"{name}s{i}", 1), Net(f"{name}c{i}", 1)
        out.scalars("wire", [s, c])
        leaf, pins = (FULL_ADDER, ("a", "b", "ci")) if len(taken) == 3 else (HALF_ADDER, "ab")
        out.place(leaf, f"{name}{i}", **dict(zip(pins, taken, strict=True)), s=s, co=c)
        total.append(s)
        carry = c
    return total, carry


def _wire(out: Structure, name: str, value: str) -> Net:
    out.scalars("wire", [name])
    out.assign(name, value)
    return Net(name, 1)


FINALS: dict[str, Final] = {
    "split": Final("split, the upper half made for both carries", lambda n: n // 2 + 1, _split),
    "prefix": Final(
        "its carries by a parallel-prefix network", lambda n: n.bit_length() // 2 + 1, _prefix
    ),
}

# With what is part of the columns behind a tree, and an adder of its own behind a carry-save sum.
WORD_ADDERS = {
    "ripple": Final("its carries one after the other", lambda size: size, _rippled),
    **FINALS,
}
