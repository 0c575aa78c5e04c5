"""The memory words of a macro whose weights are in RAM: how many, how wide, what stays unused."""

from math import ceil
from typing import Any, NamedTuple

__all__ = ["MemoryShape", "shorten"]


class MemoryShape(NamedTuple):
    """RAM of ``words`` of ``bits``; ``per_row`` of them side by side hold a row's word of
    ``used_bits`` in each of ``banks`` words. A macro has ``rows`` such rows.

    ``shared_port``: a write and a read take the same port, one of them a cycle; else each has its
    own.
    """

    words: int
    bits: int
    shared_port: bool
    rows: int
    used_bits: int
    banks: int

    @property
    def per_row(self) -> int:
        """RAMs side by side that hold one row."""
        return ceil(self.used_bits / self.bits)

    @property
    def instances(self) -> int:
        """RAMs of the macro."""
        return self.rows * self.per_row

    @property
    def address_bits(self) -> int:
        """Bits of a word's number, at least 1."""
        return max(1, (self.words - 1).bit_length())

    def as_json(self) -> dict[str, Any]:
        """What reports say of it: bits in all, and those that hold no weight."""
        total = self.instances * self.words * self.bits
        unused_bits = self.per_row * self.bits - self.used_bits
        return {
            "words": self.words,
            "bits": self.bits,
            "ports": "1rw_reg" if self.shared_port else "1r1w",
            "instances": self.instances,
            "per_row": self.per_row,
            "total_bits": total,
            "unused_words": self.words - self.banks,
            "unused_bits_per_word": unused_bits,
            "unused_bits": total - self.rows * self.banks * self.used_bits,
        }


def shorten(parameters: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Leave out of ``parameters`` what states the shape that a macro has anyway: the same macro,
    and so the same name and digest."""
    given = {**defaults, **parameters}
    plain = {"sram_words": given["banks"], "sram_ports": "1r1w"}
    if type(given["cols"]) is int and type(given["weight_bits"]) is int:
        plain["sram_bits"] = given["cols"] * given["weight_bits"]
    for key, value in plain.items():
        stated = parameters.get(key)
        if type(stated) is type(value) and stated == value:
            parameters[key] = None
