"""Reads of DNA found in a genome with a few mismatches, as a Hamming search.

A base is three bits: its two-bit code and the parity of these. Any two different bases then differ
in exactly two bits, and mismatches are half the Hamming distance. The distance of two-bit codes
alone is anything from the mismatches to twice as many: A and C differ in one bit, A and T in two.

    A 00 0   C 10 1   G 01 1   T 11 0        (code, lowest bit first; parity)

The genome's windows of a read's length are the keys, one a column.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cimforge.compiler.applications.hamming import hamming_distances
from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints

__all__ = ["BASES", "Match", "base_bits", "find_reads", "genome_windows"]

BASES = "ACGT"
CODES = np.array([[low, high, low ^ high] for high in (0, 1) for low in (0, 1)], np.int64)


class Match(NamedTuple):
    """A read's place in the genome, and how many of its bases differ there."""

    read: int
    place: int
    mismatches: int


def base_bits(sequence: str) -> Ints:
    """Three bits of each base, (3 * bases,).

    Raises ValueError for a letter that is none of A, C, G and T.
    """
    for place, letter in enumerate(sequence):
        if letter not in BASES:
            raise ValueError(f"base {place} is {letter!r}, and must be one of {', '.join(BASES)}")
    return CODES[[BASES.index(letter) for letter in sequence]].reshape(-1)


def genome_windows(genome: str, length: int) -> Ints:
    """Keys (windows, 3 * length): every ``length`` bases that follow one another.

    Raises ValueError where the genome has no such window.
    """
    if not 1 <= length <= len(genome):
        nearest = max(1, min(length, len(genome)))
        raise ValueError(
            f"reads must have 1..{len(genome)} bases, those of the genome, not {length}"
            f" (nearest legal value: {nearest})"
        )
    bits = base_bits(genome).reshape(-1, CODES.shape[1])
    windows = [
        bits[place : place + length].reshape(-1) for place in range(len(genome) - length + 1)
    ]
    return np.array(windows)


def find_reads(
    genome: str, reads: Sequence[str], most_mismatches: int, matmul: Matmul
) -> list[Match]:
    """Every place where a read differs from the genome in at most so many bases, by read and place;
    ``matmul`` is of -1 and 1.

    Raises ValueError for reads of several lengths or longer than the genome.
    """
    if not reads:
        return []
    length = len(reads[0])
    for number, read in enumerate(reads):
        if len(read) != length:
            raise ValueError(f"read {number} has {len(read)} bases, and read 0 {length}")
    keys = genome_windows(genome, length)
    queries = np.array([base_bits(read) for read in reads])
    mismatches = hamming_distances(queries, keys, matmul) // 2
    found = np.argwhere(mismatches <= most_mismatches)
    return [Match(int(r), int(p), int(mismatches[r, p])) for r, p in found]
