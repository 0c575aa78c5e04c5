"""MacroModel: the weights a macro holds and the results it must deliver."""

from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.golden.approximation import approximate_products, approximate_sum
from cimforge.golden.cycles import fill_group
from cimforge.golden.numerics import (
    Ints,
    binary_patterns,
    binary_values,
    check_exact,
    check_flag,
    check_number,
    check_shape,
    code_values,
    flip_sign_bit,
    input_values,
    to_patterns,
)
from cimforge.golden.radix4 import fused_digit_products
from cimforge.hdl.params.config import MacroConfig

__all__ = ["MacroModel"]


class MacroModel:
    """What a macro of ``config`` holds and computes, without time.

    ``y[c] = sum over r of x[r] * w[r][c]``, exact (README.md, R1..R12); with an approximate tree,
    what its pairs make of that (R17).

    Inputs and weights enter as patterns, unsigned integers as the ports carry them: ``x_patterns``
    (..., rows) of input_bits, weight ``patterns`` (outputs,) of weight_bits. Results are signed
    int64 values (..., outputs) in every sign mode, and fit y_bits bits of two's complement; outputs
    and widths are those of the bank's mode, cols, ``config.weight_bits`` and ``config.y_bits`` in
    mode 0 (R25). Inputs have a precision and a sign per pass; weights have a sign and a mode per
    bank, those of the bank's last write, which gives the bank's *whole* contents a new meaning when
    they change. A macro of
    multiply style xnor has neither: its bits stand for -1 and 1, and all signs and precisions are
    ignored.

    A bank is undefined until all its rows are written. The numbers returned for an undefined bank
    mean nothing; ``defined`` tells. A row or bank that does not exist is legal: a write to it
    changes nothing, a read or a pass gives zeros, and these zeros are defined.

    Every method raises ValueError with one line (what, the rule, the nearest legal value) for an
    argument that makes no sense: a negative number, a pattern too wide for its port, a value out
    of range, a wrong shape, anything but integers.
    """

    def __init__(self, config: MacroConfig):
        check_exact(config.rows, config.input_bits, config.weight_bits)
        self._binary = config.binary
        self._config = config
        # 16 bits hold any code, and 2^24 one-bit weights then take 32 MiB, not 128.
        self._codes = np.zeros((config.banks, config.rows, config.cols), np.uint16)
        self._signed = np.zeros(config.banks, np.bool_)
        self._fuse = np.zeros(config.banks, np.int64)
        self._sign_known = np.zeros(config.banks, np.bool_)
        self._written = np.zeros((config.banks, config.rows), np.bool_)
        self._group = fill_group(config)
        self._due: tuple[int, int] | None = None  # bank and row that go on filling a group
        self._float_weights: dict[int, NDArray[np.float64]] = {}

    @property
    def config(self) -> MacroConfig:
        """The parameters of the macro."""
        return self._config

    @property
    def written(self) -> NDArray[np.bool_]:
        """(banks, rows) copy: which rows hold a defined code."""
        return self._written.copy()

    @property
    def bank_signed(self) -> NDArray[np.bool_]:
        """(banks,) copy: the sign of each bank's last write, True for signed."""
        return self._signed.copy()

    def write(
        self,
        bank: SupportsIndex,
        row: SupportsIndex,
        patterns: ArrayLike,
        signed: bool,
        fill: bool = False,
        fuse: SupportsIndex = 0,
    ) -> None:
        """Write one row: ``code = pattern xor (signed << weight_bits-1)``; sets the bank's sign and
        its mode, number ``fuse``.

        ``patterns`` (the mode's outputs,) are as wide as its weights and unsigned. A missing bank
        or row changes nothing, the bank's sign and mode included. ``fill`` promises the rows of a
        group in order, first to last, with no other write or reset between them: their whole group
        is undefined from its first row to its last, and where the promise is broken until all its
        rows are written again.
        """
        place, sign = self._locate(bank, row), check_flag("signed", signed)
        filled = check_flag("fill", fill) and self._group > 1
        sign, number = sign and not self._binary, self._mode_number(fuse)
        mode = self._config.modes[number]
        check_shape("w_patterns", patterns, (mode.outputs,))
        codes = flip_sign_bit(patterns, mode.weight_bits, sign)
        due, self._due = self._due, None
        if place:
            self._store(place[0], slice(place[1], place[1] + 1), codes, sign, number)
            if filled:
                self._fill(place, place == due)

    def interrupt(self) -> None:
        """A reset: a group that is being filled stays undefined."""
        self._due = None

    def _fill(self, place: tuple[int, int], kept: bool) -> None:
        """Account for a filled row; ``kept`` says that it follows the one filled before."""
        bank, row = place
        size, rows = self._group, self._config.rows
        group = slice(row - row % size, min(row - row % size + size, rows))
        whole = (kept or row == group.start) and row + 1 == group.stop
        self._written[bank, group] = whole
        if not whole and (kept or row == group.start):
            self._due = bank, row + 1

    def load(
        self,
        values: ArrayLike,
        *,
        bank: SupportsIndex = 0,
        signed: bool,
        fuse: SupportsIndex = 0,
    ) -> None:
        """Write a whole bank from weight values (rows, the mode's outputs), signed or unsigned, or
        -1 and 1.

        The same as writing the pattern of every row in turn; a missing bank changes nothing.
        """
        config, place = self._config, self._locate(bank)
        sign = check_flag("signed", signed)
        number = self._mode_number(fuse)
        mode = config.modes[number]
        check_shape("values", values, (config.rows, mode.outputs))
        if self._binary:
            codes, sign = binary_patterns(values), False
        else:
            patterns = to_patterns(values, mode.weight_bits, sign)
            codes = flip_sign_bit(patterns, mode.weight_bits, sign)
        self._due = None
        if place:
            self._store(place[0], slice(config.rows), codes, sign, number)

    def forget(self, bank: SupportsIndex, row: SupportsIndex) -> None:
        """A reset cut off the write of this row: its codes and the bank's sign and mode are
        undefined.

        The next write to the bank settles sign and mode, only a write of the row itself its codes.
        """
        place = self._locate(bank, row)
        if place:
            self._written[place] = False
            self._sign_known[place[0]] = False

    def defined(self, bank: SupportsIndex = 0, row: SupportsIndex | None = None) -> bool:
        """Whether a pass through ``bank``, or the read-back of its ``row``, is defined."""
        place = self._locate(bank, 0 if row is None else row)
        if not place:
            return True
        written = self._written[place[0]] if row is None else self._written[place]
        return bool(self._sign_known[place[0]] and written.all())

    def read(self, bank: SupportsIndex, row: SupportsIndex) -> Ints:
        """Read back one row: patterns (outputs of the bank's mode,), ``code xor (bank's sign <<
        weight_bits-1)``.

        That is the pattern as written unless the bank's sign or mode has changed since. A missing
        bank or row reads as zeros.
        """
        mode, place = self._config.modes[self.fuse(bank)], self._locate(bank, row)
        if not place:
            return np.zeros(mode.outputs, np.int64)
        sign = bool(self._signed[place[0]])
        return flip_sign_bit(self._split(*place), mode.weight_bits, sign)

    def weights(self, bank: SupportsIndex = 0) -> Ints:
        """Weight values (rows, outputs of the bank's mode), ``code - (bank's sign <<
        weight_bits-1)``, or -1 and 1.

        A missing bank has zeros.
        """
        mode, place = self._config.modes[self.fuse(bank)], self._locate(bank)
        if not place:
            return np.zeros((self._config.rows, mode.outputs), np.int64)
        if self._binary:
            return binary_values(self._codes[place[0]])
        sign = bool(self._signed[place[0]])
        return code_values(self._split(place[0]), mode.weight_bits, sign)

    def fuse(self, bank: SupportsIndex = 0) -> int:
        """R25: the number of the mode of a bank's last write; 0 of a missing bank or one never
        written."""
        place = self._locate(bank)
        return int(self._fuse[place[0]]) if place else 0

    def _mode_number(self, fuse: SupportsIndex) -> int:
        """R25: the mode that ``fuse`` names, 0 where there is none of that number."""
        number = check_number("fuse", fuse)
        return number if number < len(self._config.modes) else 0

    def _split(self, bank: int, row: int | slice = slice(None), *, mode: int | None = None) -> Ints:
        """R25: the codes (..., outputs) of the bank's mode, or that of this number, from the bits
        of each column, the least significant weight of a column first."""
        bits = self._config.modes[self._fuse[bank] if mode is None else mode].weight_bits
        words = self._codes[bank, row].astype(np.int64)
        codes = words[..., None] >> np.arange(0, self._config.weight_bits, bits)
        return (codes & ((1 << bits) - 1)).reshape(*words.shape[:-1], -1)

    def mvm(
        self,
        x_patterns: ArrayLike,
        *,
        x_bits: SupportsIndex = 0,
        x_signed: bool = False,
        bank: SupportsIndex = 0,
        x_rows: SupportsIndex = 0,
    ) -> Ints:
        """Matrix-vector products: x_patterns (..., rows) to results (..., outputs of the bank's
        mode), int64.

        ``x_bits`` and ``x_signed`` are those of the ports: 0 or above input_bits means input_bits,
        and element bits >= x_bits are ignored. A missing bank gives zeros. ``x_rows`` is that of a
        macro of style xnor, in which the first x_rows rows count; 0 or above rows means all rows.
        """
        config, place = self._config, self._locate(bank)
        check_shape("x_patterns", x_patterns, (config.rows,), stack=True)
        signed, counted = check_flag("x_signed", x_signed), check_number("x_rows", x_rows)
        if self._binary:
            check_number("x_bits", x_bits)
            x = binary_values(x_patterns)
            x[..., counted if 1 <= counted <= config.rows else config.rows :] = 0
        else:
            check_number("x_rows", x_rows, 0, 0)
            x = input_values(x_patterns, config.input_bits, x_bits, signed)
        shape = (*x.shape[:-1], self._config.modes[self.fuse(bank)].outputs)
        if not place:
            return np.zeros(shape, np.int64)
        if config.tree_traits.pairings and self._binary:
            return self._approximate_matches(x.reshape(-1, config.rows), place[0]).reshape(shape)
        if config.tree_traits.pairings:
            patterns = np.asarray(x_patterns, np.int64).reshape(-1, config.rows)
            return self._approximate(patterns, x, x_bits, x_signed, place[0]).reshape(shape)
        # Float64 is exact here: inputs, weights, products and partial sums, in whatever order BLAS
        # adds them and fused or not, are integers of at most 1024 * 2^16 * 2^16 = 2^42 < 2^53
        # (check_exact holds every config to that). NumPy's integer `@` has no BLAS behind it.
        vectors = x.reshape(-1, config.rows).astype(np.float64)
        sums = vectors @ self._weights_for_blas(place[0])
        return sums.astype(np.int64).reshape(shape)

    def _approximate_matches(self, x: Ints, bank: int) -> Ints:
        """R17, R22: an approximate tree's count of matches, twice, less the rows that count: those
        whose ``x`` is not 0."""
        same = x.T[:, :, None] == self.weights(bank)[:, None]
        matches = approximate_sum(same, self._config.tree_traits.pairings)
        return 2 * matches - np.abs(x).sum(axis=1)[:, None]

    def _approximate(
        self, patterns: Ints, x: Ints, x_bits: SupportsIndex, x_signed: bool, bank: int
    ) -> Ints:
        """R17: trees add products of codes; a signed bank's excess over its weights is taken off
        exactly, ``2^(w-1) * sum of x``. R24: operands of digits."""
        config, mode = self._config, self._config.modes[self.fuse(bank)]
        if config.multiply_traits.digit_bits == 2:
            slices, number = self._split(bank, mode=-1), self.fuse(bank)
            signed, vectors = bool(self._signed[bank]), x.reshape(-1, config.rows)
            return fused_digit_products(config, vectors, slices, number=number, signed=signed)
        excess = int(self._signed[bank]) << (mode.weight_bits - 1)
        excess = excess * x.reshape(-1, config.rows).sum(axis=1, keepdims=True)
        sums = approximate_products(
            patterns,
            self._split(bank),
            x_bits=x_bits,
            x_signed=x_signed,
            input_bits=config.input_bits,
            weight_bits=mode.weight_bits,
            pairings=config.tree_traits.pairings,
        )
        return sums - excess

    def _locate(self, bank: SupportsIndex, row: SupportsIndex = 0) -> tuple[int, int] | None:
        """(bank, row) as checked ints, or None where the macro has no such bank or row."""
        place = check_number("bank", bank), check_number("row", row)
        return place if place[0] < self._config.banks and place[1] < self._config.rows else None

    def _store(self, bank: int, rows: slice, codes: Ints, signed: bool, fuse: int) -> None:
        """Keep codes (..., outputs of the mode) as the bits of each column (R25)."""
        each = codes.reshape(*codes.shape[:-1], self._config.cols, -1)
        places = self._config.modes[fuse].weight_bits * np.arange(each.shape[-1])
        self._codes[bank, rows] = (each.astype(np.int64) << places).sum(axis=-1)
        self._fuse[bank] = fuse
        self._signed[bank] = signed
        self._sign_known[bank] = True
        self._written[bank, rows] = True
        self._float_weights.pop(bank, None)

    def _weights_for_blas(self, bank: int) -> NDArray[np.float64]:
        """``weights(bank)`` as float64, kept until the bank's next write."""
        if bank not in self._float_weights:
            self._float_weights[bank] = self.weights(bank).astype(np.float64)
        return self._float_weights[bank]
