"""Seeded random configurations and a ledger of writes, for checks against the reference loops."""

import random
from typing import Any, NamedTuple

from cimforge.golden.reference import (
    Row,
    reference_approximate_mvm,
    reference_mvm,
    reference_read,
    reference_sliced_digit_mvm,
    reference_turned,
)
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Ledger", "random_config", "random_patterns"]


def random_config(rng: random.Random) -> MacroConfig:
    """A small macro of any shape and precision, one in four of a dimension being 1, every other one
    of those with exact trees with its rows in pairs, or its planes in digits where they can be;
    every other one with any slices, some of those without digits with kept words, or in tables."""
    input_bits = rng.choice([1, rng.randint(1, 16), rng.randint(1, 16), 8])
    tree = rng.choice(["csa", "ripple", "behavioral", "csa42", "approx1", "approx2"])
    k = rng.choice([k for k in range(1, input_bits + 1) if input_bits % k == 0])
    group = 1 if tree.startswith("approx") else rng.choice([1, 2])
    digits = k % 2 == 0 and group == 1 and rng.random() < 0.7
    weight_bits = rng.choice([1, rng.randint(1, 16), rng.randint(1, 16), 8])
    slices = [bits for bits in range(1, weight_bits + 1) if weight_bits % bits == 0]
    slice_bits = rng.choice([weight_bits, rng.choice(slices)])
    kept = tree.startswith("csa") and not digits
    kept = kept and rng.random() < 0.5
    more: dict[str, Any] = {}
    if kept:
        more = {"accumulate": "carry_save", "final_stages": rng.randint(0, 4)}
    cols = rng.choice([1, *rng.sample(range(1, 7), 3)])
    if not tree.startswith("approx") and not digits and rng.random() < 0.4:
        more |= _tables(rng, cols)
    stores = {"group": group, "banks": rng.randint(1, 4)}
    return MacroConfig(
        **stores | more,
        rows=rng.choice([1, *rng.sample(range(1, 20), 3)]),
        cols=cols,
        weight_bits=weight_bits,
        slice_bits=slice_bits,
        input_bits=input_bits,
        bits_per_cycle=k,
        tree=tree,
        multiply="booth" if digits else "plain",
    )


def _tables(rng: random.Random, cols: int) -> dict[str, Any]:
    """Tables of any kind and group, in as many banks as always fit."""
    storage = rng.choice(["lutram", "bram", "hybrid"])
    group = rng.randint(1, 4) if storage == "lutram" else rng.randint(5, 8)
    told = {"storage": storage, "group": group, "banks": rng.randint(1, 2 if group > 7 else 4)}
    return told | ({"ram_cols": rng.randint(0, cols)} if storage == "hybrid" else {})


def random_patterns(rng: random.Random, bits: int, count: int) -> list[int]:
    """Patterns of ``bits`` bits; the extremes come up far more often than by chance."""
    corners = [0, 1, 2 ** (bits - 1), 2**bits - 1, 2 ** (bits - 1) - 1]
    return [
        rng.choice(corners) if rng.random() < 0.3 else rng.randrange(2**bits) for _ in range(count)
    ]


class Bank(NamedTuple):
    """Rows as last written, by number, with the bits of a weight; signs of all writes in order, and
    the bits of a weight in them."""

    rows: dict[int, tuple[Row, int]]
    signs: list[bool]
    bits: list[int]


class Ledger:
    """What was written to a macro, and what the reference loops make of it."""

    def __init__(self, config: MacroConfig):
        self.config = config
        self.banks = [Bank({}, [], []) for _ in range(config.banks)]

    def write(
        self, bank: int, row: int, patterns: list[int], signed: bool, bits: int | None = None
    ) -> None:
        """Note one write, of weights of ``bits`` (weight_bits if None); one to a missing row or
        bank leaves no trace."""
        if bank < self.config.banks and row < self.config.rows:
            width = bits or self.config.weight_bits
            self.banks[bank].rows[row] = (patterns, signed), width
            self.banks[bank].signs.append(signed)
            self.banks[bank].bits.append(width)

    def row(self, bank: int, row: int) -> Row:
        """A written row as the bank's mode finds it."""
        written, width = self.banks[bank].rows[row]
        bits = self.banks[bank].bits[-1]
        return written if width == bits else reference_turned(written, width, bits)

    def outputs(self, bank: int) -> int:
        """Weights of a row in the bank's mode; of a missing bank in that of full weights."""
        bits = self.banks[bank].bits if bank < self.config.banks else []
        return self.config.cols * self.config.weight_bits // (bits or [self.config.weight_bits])[-1]

    def steps(self, weight_bits: int) -> list[tuple[int, int]]:
        """Bits of weight and result, from one slice up to a weight of ``weight_bits``: below each
        the widest that divides it."""
        y_bits = {mode.weight_bits: mode.y_bits for mode in self.config.modes}
        steps = [(weight_bits, y_bits[weight_bits])]
        while steps[0][0] > min(y_bits):
            below = max(w for w in y_bits if w < steps[0][0] and steps[0][0] % w == 0)
            steps.insert(0, (below, y_bits[below]))
        return steps

    def defined(self, bank: int) -> bool:
        """Whether every row of the bank has been written, or there is no such bank."""
        return bank >= self.config.banks or len(self.banks[bank].rows) == self.config.rows

    def mvm(
        self, vectors: list[list[int]], x_bits: int, x_signed: bool, bank: int
    ) -> list[list[int]]:
        """Results of a defined bank, by the reference loops."""
        if bank >= self.config.banks:
            return [[0] * self.config.cols for _ in vectors]
        _, signs, bits = self.banks[bank]
        written = [self.row(bank, row) for row in range(self.config.rows)]
        told = {
            "weight_bits": bits[-1],
            "input_bits": self.config.input_bits,
            "x_bits": x_bits,
            "x_signed": x_signed,
            "bank_signed": signs[-1],
        }
        pairings = self.config.tree_traits.pairings
        if self.config.multiply == "booth":
            del told["weight_bits"]
            told |= {"pairings": pairings, "steps": self.steps(bits[-1])}
            return reference_sliced_digit_mvm(vectors, written, **told)
        if pairings:
            return reference_approximate_mvm(vectors, written, **told, pairings=pairings)
        return reference_mvm(vectors, written, **told)

    def read(self, bank: int, row: int) -> list[int]:
        """Read-back of a written or missing row, by the reference."""
        if bank >= self.config.banks or row >= self.config.rows:
            return [0] * self.outputs(bank)
        _, signs, bits = self.banks[bank]
        return reference_read(self.row(bank, row), bits[-1], signs[-1])
