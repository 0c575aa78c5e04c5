"""A layer in the numbers of one engine: patterns of weights, channels and inputs, as bytes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig
from cimforge.hdl.params.fields import to_field_rows
from cimforge.host.engine_layer import Layer
from cimforge.host.engine_shape import Shape, Tiling, gathers
from cimforge.host.operands import checked_matrix, checked_signs

__all__ = ["LayerImage"]

Ints = NDArray[np.int64]
SUM_BYTES = {32: 4, 48: 8}  # of a sum as it is, by acc_bits


@dataclass(frozen=True)
class LayerImage:
    """A ``layer`` as an engine of ``config`` takes it.

    The mode is that of the fewest slices that hold the weights. Input zero points fold into the
    bias: ``sum of (x - zx)(w - zw) + b = sum of x w - zw sum of x + (b - zx sum of (w - zw))``,
    and padding carries zx. A convolution whose lines the activation buffer does not hold, or whose
    numbers descriptors do not, is ``unfolded``: its patches are made by software.

    Raises ValueError, with the name, the rule and the value, for a layer that the engine does not
    compute.
    """

    config: EngineConfig
    layer: Layer

    def __post_init__(self) -> None:
        config, layer = self.config, self.layer
        self._check_inputs()
        if config.macro.binary:
            self._check_binary()
        elif self.fuse is None:
            most = config.modes[0].weight_bits
            rule = f"must fit weight_bits = {most}, {'' if self.signed else 'un'}signed"
            told = f"{self._matrix.min()}..{self._matrix.max()}"
            raise ValueError(f"weights {rule}, not {told}")
        if self.ones:
            if not config.weight_zeros:
                raise ValueError("weight_zeros must be 0: the engine has none (weight_zeros=False)")
            if self.tiling.mode.outputs < 2:
                raise ValueError("weight_zeros need a column beside the weights, and there is one")
        outside = np.abs(self.bias * 2 + 1) > 1 << 32
        if layer.requantise and outside.any():
            place = int(np.argmax(outside))
            rule = f"leaves 32 bits with input_zero = {layer.input_zero} folded into it"
            raise ValueError(f"bias[{place}] {rule}: {self.bias[place]}")

    def _check_inputs(self) -> None:
        """Precision, zero point and padding of inputs."""
        layer, most = self.layer, self.config.macro.input_bits
        if layer.input_bits > most:
            raise ValueError(f"input_bits must be in 0..{most}, not {layer.input_bits}")
        window = layer.window
        if window and not self.config.macro.binary:
            low, high = self.input_range
            value = layer.padding_value
            if not low <= value <= high and self._pads:
                raise ValueError(f"padding must be an input, {low}..{high}, not {value}")

    def _check_binary(self) -> None:
        """What an engine of -1 and 1 takes."""
        checked_signs("weights", self._matrix, {"N": None, "K": None})
        layer = self.layer
        for name, value in (("input_zero", layer.input_zero), ("weight_zeros", layer.weight_zeros)):
            if np.any(value):
                raise ValueError(f"{name} must be 0: inputs and weights are -1 and 1")
        if layer.window and self._pads and layer.padding_value not in (-1, 1):
            raise ValueError(f"pad must be -1 or 1, not {layer.padding_value}")

    @property
    def _pads(self) -> bool:
        """Whether an output takes pixels outside its image."""
        window = self.layer.window
        if not window:
            return False
        sizes = zip(window.places(), (window.height, window.width), strict=True)
        return any(place.min() < 0 or place.max() >= size for place, size in sizes)

    @cached_property
    def _matrix(self) -> Ints:
        return self.layer.matrix

    @cached_property
    def signed(self) -> bool:
        """Whether weights are two's complement."""
        return not self.config.macro.binary and bool(self._matrix.min() < 0)

    @cached_property
    def ones(self) -> bool:
        """Whether a column of ones sums the inputs."""
        return bool(np.any(self.layer.weight_zeros))

    @cached_property
    def fuse(self) -> int | None:
        """The number of the mode, None where none holds the weights."""
        low, high = int(self._matrix.min()), int(self._matrix.max())
        least = 2 if self.ones and self.signed else 1  # one signed bit is not 1
        bits = (
            max(max(high, 0).bit_length(), (-low - 1).bit_length() if low < 0 else 0) + self.signed
        )
        modes = self.config.modes
        held = [n for n, mode in enumerate(modes) if mode.weight_bits >= max(bits, least)]
        return 0 if self.config.macro.binary else max(held, default=None)

    @property
    def unfolded(self) -> bool:
        """Whether software makes the patches of a convolution."""
        window = self.layer.window
        return window is not None and not gathers(self.config, window)

    @cached_property
    def tiling(self) -> Tiling:
        """Its tiles."""
        layer, fuse = self.layer, self.fuse
        assert fuse is not None
        size = SUM_BYTES[self.config.acc_bits]
        if layer.requantise:
            size = 1 + layer.requantise.wide
        raw, window = layer.requantise is None, None if self.unfolded else layer.window
        sizes = (self._matrix.shape[1], layer.outputs, fuse, layer.input_bits, layer.input_signed)
        return Tiling(self.config, Shape(*sizes, self.ones, size, raw, window))

    @cached_property
    def bias(self) -> Ints:
        """(N,) biases with the input zero point folded in."""
        layer = self.layer
        zeros = layer.each("weight_zeros", layer.weight_zeros)
        sums = self._matrix.sum(axis=1) - self._matrix.shape[1] * zeros
        return layer.each("bias", layer.bias) - layer.input_zero * sums

    # weights and channels

    def tile_bytes(self, row: int, column: int) -> bytes:
        """A tile's rows of weights as in memory, with the column of ones, if any, the last."""
        config, tiling = self.config, self.tiling
        elements, results = tiling.elements(row), tiling.results(column)
        values = np.zeros((tiling.loaded(row), tiling.mode.outputs), np.int64)
        part = self._matrix[results.start : results.stop, elements.start : elements.stop].T
        if config.macro.binary:
            part = (part + 1) // 2
        values[: len(elements), : len(results)] = part
        if self.ones:
            values[: len(elements), -1] = 1
        size = config.row_words * config.bus_bytes
        rows = to_field_rows(values, tiling.mode.weight_bits)
        return b"".join(row.to_bytes(size, "little") for row in rows)

    def channels(self) -> bytes:
        """The N channels, as in memory: those of each tile of columns from a multiple of
        channel_pitch on; none where results are sums."""
        layer, tiling = self.layer, self.tiling
        if not layer.requantise:
            return b""
        told = (layer.requantise.multiplier, layer.requantise.shift, layer.weight_zeros)
        multiplier, shift, zeros = (layer.each("", values) for values in told)
        words = np.stack([self.bias, multiplier, shift, zeros & 0xFFFF], axis=1)
        assert words.shape[1] == CHANNEL_WORDS
        tiles = np.zeros((tiling.column_tiles, tiling.channel_pitch), np.uint8)
        for tile, data in enumerate(tiles):
            results = tiling.results(tile)
            own = words[results.start : results.stop].astype("<u4").view(np.uint8).reshape(-1)
            data[: len(own)] = own
        return tiles.tobytes()

    # inputs and results

    @property
    def input_range(self) -> tuple[int, int]:
        """Least and greatest input."""
        bits = self.layer.input_bits or self.config.macro.input_bits
        half = 1 << bits - 1
        return (-half, half - 1) if self.layer.input_signed else (0, 2 * half - 1)

    @property
    def pad(self) -> int:
        """The element of padding."""
        value = self.layer.padding_value
        return int(value == 1) if self.config.macro.binary else value & self._element_mask

    @property
    def _element_mask(self) -> int:
        return (1 << 8 * self.config.element_bytes) - 1

    def inputs(self, x: ArrayLike) -> tuple[int, bytes]:
        """Inputs (batch, *input_shape) as in memory: the batch that the plan runs, vectors of which
        an unfolded convolution has one for each output position, and the bytes.

        Raises ValueError where a value or the shape is none of the layer's.
        """
        layer, given = self.layer, np.asarray(x)
        if given.shape[1:] != layer.input_shape or given.ndim != 1 + len(layer.input_shape):
            rule = f"must have shape (batch, {', '.join(map(str, layer.input_shape))})"
            raise ValueError(f"x {rule}, not {given.shape}")
        flat, axes = given.reshape(len(given), -1), {"batch": None, "inputs": None}
        if self.config.macro.binary:
            values = checked_signs("x", flat, axes)
        else:
            bits = layer.input_bits or self.config.macro.input_bits
            values = checked_matrix("x", flat, axes, bits, layer.input_signed)
        if self.unfolded:
            values = self._patches(values)
        octets = (values & self._element_mask).astype("<u2").view(np.uint8)
        octets = octets.reshape(len(values), -1, 2)[..., : self.config.element_bytes]
        lines = octets.reshape(len(values), -1)
        if self.tiling.pitch:
            lines = np.pad(lines, ((0, 0), (0, self.tiling.pitch - lines.shape[1])))
        return len(values), lines.tobytes()

    def _patches(self, values: Ints) -> Ints:
        """The patch of each output position: images (batch, pixels) as vectors (positions, K)."""
        window = self.layer.window
        assert window
        lines, columns = window.places()
        y, x = np.broadcast_arrays(lines[:, None, :, None], columns[None, :, None, :])
        inside = (y >= 0) & (y < window.height) & (x >= 0) & (x < window.width)
        images = values.reshape(-1, window.height, window.width, window.channels)
        taken = images[:, y.clip(0, window.height - 1), x.clip(0, window.width - 1)]
        value = self.pad if self.config.macro.binary else self.layer.padding_value
        return np.where(inside[..., None], taken, value).reshape(-1, self._matrix.shape[1])

    def results(self, data: bytes, batch: int, pitch: int) -> Ints:
        """Results (batch, *output_shape) from the memory that the plan wrote, ``pitch`` bytes from
        vector to vector. Elements of a byte are unsigned where their clamp begins at 0."""
        shape, layer = self.tiling.shape, self.layer
        size = shape.result_bytes
        octets = np.frombuffer(data, np.uint8).reshape(-1, pitch)[:, : shape.outputs * size]
        whole = np.zeros((len(octets), shape.outputs, 8), np.uint8)
        whole[..., 8 - size :] = octets.reshape(len(octets), shape.outputs, size)
        values = whole.view("<i8")[..., 0].astype(np.int64) >> 8 * (8 - size)
        if layer.requantise is None:
            values = values + self.bias
        elif size == 1 and layer.requantise.lowest >= 0:
            values &= 255
        return values.reshape(batch, *layer.output_shape)
