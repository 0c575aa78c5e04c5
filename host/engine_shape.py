"""What of a layer decides its schedule, and how an engine's macros tile it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, lcm
from typing import NamedTuple

from cimforge.hdl.params.descriptors import operations
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig
from cimforge.hdl.params.mode import Mode
from cimforge.host.engine_layer import Window

__all__ = ["Choice", "Part", "Shape", "Tiling", "aligned", "gathers"]


class Shape(NamedTuple):
    """A layer of ``inputs`` (K) and ``outputs`` (N), its numbers left out: mode ``fuse``, ``bits``
    and ``signed`` of inputs, whether a column of ``ones`` goes with each tile, ``result_bytes`` in
    memory, ``raw`` or requantised, and the ``window`` where images are scanned by the engine."""

    inputs: int
    outputs: int
    fuse: int = 0
    bits: int = 0
    signed: bool = True
    ones: bool = False
    result_bytes: int = 1
    raw: bool = False
    window: Window | None = None


class Choice(NamedTuple):
    """How a schedule cuts a layer: ``kind`` of what the activation buffer holds ("tiles": the
    elements of a tile of rows, "whole": all elements, of as many vectors; "window": lines of
    images), at most so many ``vectors`` in a part and tiles of ``columns`` in a group, whose sums
    are kept together."""

    kind: str
    vectors: int
    columns: int


class Part(NamedTuple):
    """Vectors ``first`` .. ``first + vectors - 1``; of images ``images`` from ``image`` on, their
    output lines ``lines`` from ``y`` and columns ``across`` from ``x``."""

    first: int
    vectors: int
    image: int = 0
    images: int = 1
    y: int = 0
    lines: int = 1
    x: int = 0
    across: int = 1


@dataclass(frozen=True)
class Tiling:
    """A shape on an engine: ``depth`` elements make a tile of rows, ``width`` results one of
    columns."""

    config: EngineConfig
    shape: Shape

    @cached_property
    def mode(self) -> Mode:
        """The mode of all banks."""
        return self.config.modes[self.shape.fuse]

    @cached_property
    def width(self) -> int:
        """Results of a pass that are the layer's: all, or all but a column of ones."""
        return self.mode.outputs - self.shape.ones

    @cached_property
    def column_tiles(self) -> int:
        """ceil(N / width)."""
        return ceil(self.shape.outputs / self.width)

    @cached_property
    def depth(self) -> int:
        """Elements of a tile of rows: as even as whole words of the bus make them, no more than the
        macro has rows, or than half the activation buffer holds."""
        config, size = self.config, self.config.element_bytes
        rows = config.macro.rows
        if not self.shape.window:
            rows = min(rows, config.act_bytes // 2 // size)
        even = aligned(config, ceil(self.shape.inputs / ceil(self.shape.inputs / rows)) * size)
        return min(rows, even // size)

    @cached_property
    def row_tiles(self) -> int:
        """ceil(K / depth)."""
        return ceil(self.shape.inputs / self.depth)

    def elements(self, row: int) -> range:
        """Elements of tile ``row``."""
        return range(row * self.depth, min((row + 1) * self.depth, self.shape.inputs))

    def results(self, column: int) -> range:
        """Results of tile ``column``."""
        return range(column * self.width, min((column + 1) * self.width, self.shape.outputs))

    def loaded(self, row: int) -> int:
        """Rows of weights that tile ``row`` loads: its own, made up to whole groups of rows."""
        used = len(self.elements(row))
        return min(self.config.macro.rows, ceil(used / self.group) * self.group)

    @cached_property
    def group(self) -> int:
        """Rows that are filled together: with two kinds of tables whole groups of both."""
        macro = self.config.macro
        return lcm(*(part.group for part in macro.parts)) if macro.grouped else 1

    @cached_property
    def load_cycles(self) -> tuple[int, ...]:
        """Cycles of each row tile's LOAD: words of the bus, or the macro's writes where these take
        longer."""
        macro, words = self.config.macro, self.config.row_words
        cycles = macro.fill_cycles if macro.grouped else macro.write_cycles
        each = [max(words, cycles(row)) for row in range(macro.rows)]
        return tuple(sum(each[: self.loaded(row)]) for row in range(self.row_tiles))

    @cached_property
    def slots(self) -> float:
        """Slots of the array that a tile's LOAD into tables takes, on average."""
        macro = self.config.macro
        own = macro.storage_traits.slot_cycles + macro.result_ranks
        each = [macro.fill_cycles(row) - own for row in range(macro.rows)]
        return sum(sum(each[: self.loaded(row)]) for row in range(self.row_tiles)) / self.row_tiles

    # memory

    @property
    def channel_pitch(self) -> int:
        """Bytes from tile to tile of columns of their channels, in whole words of the bus."""
        return aligned(self.config, 4 * CHANNEL_WORDS * self.width)

    @property
    def pitch(self) -> int:
        """Bytes from vector to vector in memory; of images 0: they follow without a gap."""
        size = self.shape.inputs * self.config.element_bytes
        return 0 if self.shape.window else aligned(self.config, size)

    def slice(self, row: int) -> tuple[int, int]:
        """Of tile ``row``: the byte, whole words of the bus, from which a vector's elements are
        copied, and how many, whole words too."""
        size, elements = self.config.element_bytes, self.elements(row)
        low = elements.start * size // self.config.bus_bytes * self.config.bus_bytes
        return low, aligned(self.config, elements.stop * size - low)

    @cached_property
    def slices(self) -> tuple[int, ...]:
        """Bytes that are copied of a vector for each tile of rows."""
        return tuple(self.slice(row)[1] for row in range(self.row_tiles))

    @property
    def image_bytes(self) -> int:
        """Bytes of an image in memory."""
        window = self.shape.window
        return window.height * self.line_bytes if window else 0

    @property
    def line_bytes(self) -> int:
        """Bytes of a line of an image."""
        window = self.shape.window
        return window.width * window.channels * self.config.element_bytes if window else 0

    def band(self, part: Part) -> range:
        """Lines of its image that a part needs, at least one; all where it needs several images."""
        window = self.shape.window
        if not window:
            return range(0)
        if part.images > 1:
            return range(window.height)
        first = part.y * window.stride_y - window.pad_y
        reach = (part.lines - 1) * window.stride_y + (window.kernel_y - 1) * window.dilation_y
        low = min(max(first, 0), window.height - 1)
        return range(low, max(min(first + reach + 1, window.height), low + 1))

    def stretch(self, part: Part) -> tuple[int, int]:
        """The bytes of memory, from the first image on, that hold a part's lines, whole words of
        the bus: the first and how many."""
        band = self.band(part)
        begins = part.image * self.image_bytes + band.start * self.line_bytes
        ends = begins + (part.images - 1) * self.image_bytes + len(band) * self.line_bytes
        low = begins // self.config.bus_bytes * self.config.bus_bytes
        return low, aligned(self.config, ends - low)

    # parts

    def parts(self, choice: Choice, batch: int) -> Iterator[Part]:
        """The batch, cut: of images into several, one, lines of one, or pieces of a line."""
        window, most = self.shape.window, choice.vectors
        if not window:
            for first in range(0, batch, most):
                yield Part(first, min(most, batch - first))
            return
        whole, across = window.vectors, window.count_x
        if most >= whole:
            for image in range(0, batch, most // whole):
                images = min(most // whole, batch - image)
                sizes = (image, images, 0, window.count_y, 0, across)
                yield Part(image * whole, images * whole, *sizes)
            return
        lines, piece = max(1, most // across), min(most, across)
        for image in range(batch):
            for y in range(0, window.count_y, lines):
                count = min(lines, window.count_y - y)
                for x in range(0, across, piece):
                    long = min(piece, across - x)
                    first = image * whole + y * across + x
                    yield Part(first, count * long, image, 1, y, count, x, long)


def aligned(config: EngineConfig, size: int) -> int:
    """``size`` bytes made up to whole words of the bus."""
    return ceil(size / config.bus_bytes) * config.bus_bytes


def gathers(config: EngineConfig, window: Window) -> bool:
    """Whether the engine can scan images so: its descriptors hold the numbers, and its activation
    buffer the lines that a line of outputs needs."""
    size, fields = window.channels * config.element_bytes, operations(config)[3]
    line, reach = window.width * size, (window.kernel_y - 1) * window.dilation_y + 1
    told = {
        "line_bytes": line,
        "lines": window.height,
        "segment": (window.kernel_x if window.dilation_x == 1 else 1) * size,
        "segments_x": 1 if window.dilation_x == 1 else window.kernel_x,
        "segments_y": window.kernel_y,
        "step_x": 0 if window.dilation_x == 1 else window.dilation_x * size,
        "stride_x": window.stride_x * size,
        "origin_x": (window.count_x * window.stride_x) * size,
        "pad": 0,
    }
    held = all(value <= fields.field(name).most for name, value in told.items())
    band = min(reach, window.height) * line + 2 * config.bus_bytes
    return held and window.pad_x * size < 1 << 15 and band <= config.act_bytes
