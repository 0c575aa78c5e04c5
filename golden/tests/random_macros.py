"""Seeded random configurations and a ledger of writes, for checks against the reference loops."""

import random
from typing import NamedTuple

from cimforge.golden.reference import (
    Row,
    reference_approximate_mvm,
    reference_digit_mvm,
    reference_mvm,
    reference_read,
)
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Ledger", "random_config", "random_patterns"]


def random_config(rng: random.Random) -> MacroConfig:
    """A small macro of any shape and precision, one in four of a dimension being 1, every other one
    of those with exact trees with its rows in pairs, or its planes in digits where they can be."""
    input_bits = rng.choice([1, rng.randint(1, 16), rng.randint(1, 16), 8])
    tree = rng.choice(["csa", "ripple", "behavioral", "csa42", "approx1", "approx2"])
    k = rng.choice([k for k in range(1, input_bits + 1) if input_bits % k == 0])
    group = 1 if tree.startswith("approx") else rng.choice([1, 2])
    digits = k % 2 == 0 and group == 1 and rng.random() < 0.7
    return MacroConfig(
        rows=rng.choice([1, *rng.sample(range(1, 20), 3)]),
        cols=rng.choice([1, *rng.sample(range(1, 7), 3)]),
        weight_bits=rng.choice([1, rng.randint(1, 16), rng.randint(1, 16), 8]),
        input_bits=input_bits,
        bits_per_cycle=k,
        banks=rng.randint(1, 4),
        tree=tree,
        group=group,
        multiply="booth" if digits else "plain",
    )


def random_patterns(rng: random.Random, bits: int, count: int) -> list[int]:
    """Patterns of ``bits`` bits; the extremes come up far more often than by chance."""
    corners = [0, 1, 2 ** (bits - 1), 2**bits - 1, 2 ** (bits - 1) - 1]
    return [
        rng.choice(corners) if rng.random() < 0.3 else rng.randrange(2**bits) for _ in range(count)
    ]


class Bank(NamedTuple):
    """Rows as last written, by number, and the signs of all writes in order."""

    rows: dict[int, Row]
    signs: list[bool]


class Ledger:
    """What was written to a macro, and what the reference loops make of it."""

    def __init__(self, config: MacroConfig):
        self.config = config
        self.banks = [Bank({}, []) for _ in range(config.banks)]

    def write(self, bank: int, row: int, patterns: list[int], signed: bool) -> None:
        """Note one write; one to a missing row or bank leaves no trace."""
        if bank < self.config.banks and row < self.config.rows:
            self.banks[bank].rows[row] = (patterns, signed)
            self.banks[bank].signs.append(signed)

    def defined(self, bank: int) -> bool:
        """Whether every row of the bank has been written, or there is no such bank."""
        return bank >= self.config.banks or len(self.banks[bank].rows) == self.config.rows

    def mvm(
        self, vectors: list[list[int]], x_bits: int, x_signed: bool, bank: int
    ) -> list[list[int]]:
        """Results of a defined bank, by the reference loops."""
        if bank >= self.config.banks:
            return [[0] * self.config.cols for _ in vectors]
        rows, signs = self.banks[bank]
        written = [rows[row] for row in range(self.config.rows)]
        told = {
            "weight_bits": self.config.weight_bits,
            "input_bits": self.config.input_bits,
            "x_bits": x_bits,
            "x_signed": x_signed,
            "bank_signed": signs[-1],
        }
        pairings = self.config.tree_traits.pairings
        if self.config.multiply == "booth":
            told |= {"pairings": pairings, "y_bits": self.config.y_bits}
            return reference_digit_mvm(vectors, written, **told)
        if pairings:
            return reference_approximate_mvm(vectors, written, **told, pairings=pairings)
        return reference_mvm(vectors, written, **told)

    def read(self, bank: int, row: int) -> list[int]:
        """Read-back of a written or missing row, by the reference."""
        if bank >= self.config.banks or row >= self.config.rows:
            return [0] * self.config.cols
        rows, signs = self.banks[bank]
        return reference_read(rows[row], self.config.weight_bits, signs[-1])
