"""Layers as a user has them: weights, quantisation, and how an input is scanned."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.hdl.params.descriptors import ROUNDINGS

__all__ = ["ConvolutionLayer", "Layer", "LinearLayer", "Requantisation", "Window"]

Ints = NDArray[np.int64]
HALF = 1 << 15  # zero points and clamps are in -HALF .. HALF - 1
Pair = int | tuple[int, int]


class Window(NamedTuple):
    """How a convolution scans images of ``height`` lines of ``width`` pixels of ``channels``.

    Output (oy, ox) of count_y x count_x takes the pixels (oy stride_y - pad_y + ky dilation_y,
    ox stride_x - pad_x + kx dilation_x) for ky < kernel_y, kx < kernel_x; those outside the image
    are padding.
    """

    height: int
    width: int
    channels: int
    kernel_y: int
    kernel_x: int
    stride_y: int
    stride_x: int
    pad_y: int
    pad_x: int
    dilation_y: int
    dilation_x: int
    count_y: int
    count_x: int

    @property
    def vectors(self) -> int:
        """Output positions of an image."""
        return self.count_y * self.count_x

    def places(self) -> tuple[Ints, Ints]:
        """Lines (count_y, kernel_y) and columns (count_x, kernel_x) of the pixels that outputs
        take; those below 0 or beyond the image are padding."""
        y = np.arange(self.count_y)[:, None] * self.stride_y - self.pad_y
        x = np.arange(self.count_x)[:, None] * self.stride_x - self.pad_x
        across = np.arange(self.kernel_x) * self.dilation_x
        return y + np.arange(self.kernel_y) * self.dilation_y, x + across


@dataclass(frozen=True, eq=False, kw_only=True)
class Requantisation:
    """How a sum becomes an element: with its output's ``multiplier`` m (Q31) and ``shift`` s
    (positive: left), about sum * m / 2^31 * 2^s in the ``rounding`` of that name, then ``zero`` is
    added and the result held in lowest..highest. Elements are bytes, two's complement in -128..127
    or unsigned in 0..255, or ``wide``: two bytes, two's complement.

    ``multiplier`` and ``shift`` are integers or one for each output. Raises ValueError with the
    name, the rule and the value where one is illegal.
    """

    multiplier: ArrayLike
    shift: ArrayLike = 0
    zero: int = 0
    lowest: int = -128
    highest: int = 127
    rounding: str = "double"
    wide: bool = False

    def __post_init__(self) -> None:
        if self.rounding not in ROUNDINGS:
            legal = ", ".join(ROUNDINGS)
            raise ValueError(f"rounding must be one of {legal}, not {self.rounding!r}")
        _integers("multiplier", self.multiplier, 0, (1 << 31) - 1)
        _integers("shift", self.shift, -31, 31)
        for name in ("zero", "lowest", "highest"):
            _integers(name, getattr(self, name), -HALF, HALF - 1)
        if self.lowest > self.highest:
            rule = f"must be at least lowest = {self.lowest}"
            raise ValueError(f"highest {rule}, not {self.highest}")
        low, high = (0, 255) if self.lowest >= 0 else (-128, 127)
        if not self.wide and not low <= self.lowest <= self.highest <= high:
            rule = f"must lie in {low}..{high} where wide is False"
            raise ValueError(f"lowest..highest {rule}, not {self.lowest}..{self.highest}")


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearLayer:
    """``y[n] = requantise(bias[n] + sum over k of (x[k] - input_zero) (w[n][k] - zeros[n]))``

    with zeros for ``weight_zeros``.

    ``weights`` (N, K) are integers, the least precision and sign that hold them are taken; of an
    engine of -1 and 1 they are these. ``input_bits`` is the precision of inputs (0: the engine's),
    ``input_signed`` their sign. Without ``requantise`` results are the sums themselves, bias and
    input_zero applied, in 64 bits; weight_zeros must then be 0.

    Raises ValueError with the name, the rule and the value where an argument is illegal.
    """

    weights: ArrayLike
    bias: ArrayLike = 0
    requantise: Requantisation | None = None
    input_bits: int = 0
    input_signed: bool = True
    input_zero: int = 0
    weight_zeros: ArrayLike = 0

    def __post_init__(self) -> None:
        axes = self._axes
        weights = np.asarray(self.weights)
        if weights.ndim != len(axes) or 0 in weights.shape:
            rule = f"must have shape ({', '.join(axes)}), none of them 0"
            raise ValueError(f"weights {rule}, not {weights.shape}")
        _integers("weights", weights, -(1 << 15), (1 << 16) - 1)
        _integers("input_bits", self.input_bits, 0, 16)
        _integers("input_zero", self.input_zero, -(1 << 16), 1 << 16)
        _integers("weight_zeros", self.weight_zeros, -HALF, HALF - 1)
        _integers("bias", self.bias, -(1 << 31), (1 << 31) - 1)
        for name in ("bias", "weight_zeros"):
            self.each(name, getattr(self, name))
        if self.requantise:
            self.each("multiplier", self.requantise.multiplier)
            self.each("shift", self.requantise.shift)
        elif np.any(self.weight_zeros):
            raise ValueError("weight_zeros must be 0 where results are sums, without requantise")

    @property
    def _axes(self) -> tuple[str, ...]:
        return ("N", "K")

    @property
    def matrix(self) -> Ints:
        """Weights (N, K), int64."""
        weights = np.asarray(self.weights)
        return weights.reshape(len(weights), -1).astype(np.int64)

    @property
    def window(self) -> Window | None:
        """How images are scanned; None of vectors."""
        return None

    @property
    def outputs(self) -> int:
        """N."""
        return len(np.asarray(self.weights))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return np.asarray(self.weights).shape[1:]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one output."""
        return (self.outputs,)

    @property
    def padding_value(self) -> int:
        """The input that padding carries."""
        return self.input_zero

    def each(self, name: str, values: ArrayLike) -> Ints:
        """``values`` (N,), int64, of one for all outputs or one for each."""
        given = np.asarray(values, np.int64)
        if given.shape not in ((), (1,), (self.outputs,)):
            rule = f"must be an integer or have shape ({self.outputs},), one for each output"
            raise ValueError(f"{name} {rule}, not {given.shape}")
        return np.broadcast_to(given, (self.outputs,))


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionLayer(LinearLayer):
    """A LinearLayer of each patch of images (height, width, channels): weights (N, kernel_y,
    kernel_x, channels), results (count_y, count_x, N).

    ``stride``, ``padding`` and ``dilation`` are an integer or a pair (y, x); of ``padding`` each
    may be a pair (before, behind). What padding carries is input_zero, so that it counts as 0; of
    an engine of -1 and 1 it is ``pad``, which says so of any layer where it is given.
    """

    height: int
    width: int
    stride: Pair = 1
    padding: int | tuple[Pair, Pair] = 0
    dilation: Pair = 1
    pad: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("height", "width"):
            _integers(name, getattr(self, name), 1, (1 << 16) - 1)
        for name, least in (("stride", 1), ("dilation", 1), ("padding", 0)):
            given = getattr(self, name)
            if isinstance(given, (tuple, list)) and len(given) != 2:
                raise ValueError(f"{name} must be an integer or a pair, not {given!r}")
            for value in _flat(given):
                _integers(name, value, least, (1 << 15) - 1)
        window = self.window
        if window.count_y < 1 or window.count_x < 1:
            reach = (window.kernel_y - 1) * window.dilation_y + 1
            across = (window.kernel_x - 1) * window.dilation_x + 1
            rule = f"must hold the kernel, {reach} x {across} pixels, padding included"
            raise ValueError(f"height x width {rule}, not {self.height} x {self.width}")

    @property
    def _axes(self) -> tuple[str, ...]:
        return ("N", "kernel_y", "kernel_x", "channels")

    @property
    def window(self) -> Window:
        """How images are scanned."""
        _, kernel_y, kernel_x, channels = np.asarray(self.weights).shape
        (stride_y, stride_x), (down, across) = _pair(self.stride), _pair(self.dilation)
        (top, bottom), (left, right) = (_pair(each) for each in _pair(self.padding))
        free_y = self.height + top + bottom - (kernel_y - 1) * down - 1
        free_x = self.width + left + right - (kernel_x - 1) * across - 1
        return Window(
            *(self.height, self.width, channels, kernel_y, kernel_x, stride_y, stride_x),
            *(top, left, down, across, free_y // stride_y + 1, free_x // stride_x + 1),
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return (self.height, self.width, self.window.channels)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the outputs of one image."""
        return (self.window.count_y, self.window.count_x, self.outputs)

    @property
    def padding_value(self) -> int:
        """The input that padding carries."""
        return self.input_zero if self.pad is None else self.pad


Layer = LinearLayer | ConvolutionLayer


def _pair(value: Any) -> tuple[Any, Any]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _flat(value: Any) -> Sequence[Any]:
    if isinstance(value, (tuple, list)):
        return [each for part in value for each in _flat(part)]
    return [value]


def _integers(name: str, values: Any, least: int, most: int) -> None:
    """Raise ValueError where one of ``values`` is no integer in least..most."""
    given = np.asarray(values)
    rule = f"must be an integer in {least}..{most}"
    if given.dtype.kind not in "iu":
        raise ValueError(f"{name} {rule}, not {values!r:.40}")
    outside = (given < least) | (given > most)
    if prod(given.shape) and outside.any():
        place = tuple(np.argwhere(outside)[0].tolist())
        where = f"[{', '.join(map(str, place))}]" if place else ""
        raise ValueError(f"{name}{where} {rule}, not {given[place]}")
