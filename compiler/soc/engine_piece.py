"""Products cut into pieces that an engine computes from one filling of memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.map.node_plan import parts_together
from cimforge.compiler.map.operand_digits import Digit, digit_values, digits_of
from cimforge.compiler.map.product_trace import PartSize
from cimforge.compiler.precision import Precision
from cimforge.compiler.reference.lowering import Part
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_commands import tile_offsets
from cimforge.host.engine_image import LayerImage
from cimforge.host.engine_layer import LinearLayer
from cimforge.host.engine_shape import aligned

__all__ = ["Block", "Piece", "blocks", "pieces"]

Ints = NDArray[np.int64]
Held = tuple[Precision, Precision]
TILE_COMMANDS = 4  # LOAD, COPY, RUN, STORE: as many as a tile takes at most


class Block(NamedTuple):
    """Equal parts ``first`` .. ``first + parts - 1`` as one product x (V, K) times w (K, N): their
    inputs side by side, their weights on the diagonal."""

    first: int
    parts: int
    x: Ints
    w: Ints


@dataclass(frozen=True, eq=False)
class Piece:
    """Vectors ``x`` (v, k) times a ``layer`` (n, k), of block number ``block``: its sums, times
    2^shift, belong to vectors from ``vector`` and outputs from ``output`` on."""

    block: int
    layer: LinearLayer
    x: Ints
    vector: int
    output: int
    shift: int

    def halves(self) -> tuple["Piece", "Piece"]:
        """The same with half of the vectors each. Raises ValueError for a single one."""
        middle = len(self.x) // 2
        if not middle:
            raise ValueError("one vector cannot be halved")
        first, second = self.x[:middle], self.x[middle:]
        place = self.vector + middle
        return (
            Piece(self.block, self.layer, first, self.vector, self.output, self.shift),
            Piece(self.block, self.layer, second, place, self.output, self.shift),
        )


def blocks(config: EngineConfig, parts: Sequence[Part]) -> Iterator[Block]:
    """Parts in the order that they have; those of one size that leave most of a pass idle share
    it."""
    first = 0
    while first < len(parts):
        size = PartSize(len(parts[first].x), *parts[first].w.shape)
        same = [size]
        while first + len(same) < len(parts) and _size(parts[first + len(same)]) == size:
            same.append(size)
        outputs = min(mode.outputs for mode in config.modes)
        many = parts_together(config.macro.rows, outputs, same) if size.k and size.n else 1
        own = parts[first : first + many]
        w = np.zeros((many * size.k, many * size.n), np.int64)
        for n, part in enumerate(own):
            w[n * size.k : (n + 1) * size.k, n * size.n : (n + 1) * size.n] = part.w
        yield Block(first, many, np.concatenate([part.x for part in own], axis=1), w)
        first += many


def _size(part: Part) -> PartSize:
    return PartSize(len(part.x), *part.w.shape)


def pieces(
    config: EngineConfig, number: int, block: Block, held: Held, room: int
) -> Iterator[Piece]:
    """The pieces of a block, each pair of digits of inputs and weights by itself: columns and
    inputs so many that weights and their commands take half of ``room`` bytes at most and no sum
    can leave the engine's bits, vectors so many that all of it is about full."""
    x, w = block.x.astype(np.int64), block.w.astype(np.int64)
    if not (x.size and w.size):
        return
    widest = max(mode.weight_bits for mode in config.modes)
    for own_w in digits_of(held[1], widest):
        weights = digit_values(w, own_w, held[1])
        for own_x in digits_of(held[0], config.macro.input_bits):
            inputs = digit_values(x, own_x, held[0])
            shift = own_w.shift + own_x.shift
            depth, width = _extent(config, (own_x, own_w), w.shape, room)
            for k in range(0, w.shape[0], depth):
                for n in range(0, w.shape[1], width):
                    layer = LinearLayer(
                        weights=weights[k : k + depth, n : n + width].T,
                        input_bits=own_x.held.bits,
                        input_signed=own_x.held.signed,
                    )
                    many = _vectors(config, layer, room)
                    for v in range(0, len(x), many):
                        own = inputs[v : v + many, k : k + depth]
                        yield Piece(number, layer, own, v, n, shift)


def _extent(
    config: EngineConfig, digits: tuple[Digit, Digit], shape: tuple[int, int], room: int
) -> tuple[int, int]:
    """How many inputs and outputs of a matrix of ``shape`` a piece has, whole tiles."""
    rows, outputs = config.macro.rows, min(mode.outputs for mode in config.modes)
    most_x, most_w = (max(-digit.held.low, digit.held.high) for digit in digits)
    summed = ((1 << config.acc_bits - 1) - 1) // (most_x * most_w)
    tile = rows * config.row_words * config.bus_bytes + TILE_COMMANDS * DESCRIPTOR_BYTES
    tiles = max(1, room // 2 // tile)
    depth = max(1, min(summed, tiles * rows) // rows) * rows
    across = max(1, tiles // -(-min(depth, shape[0]) // rows))
    return depth, across * outputs


def _vectors(config: EngineConfig, layer: LinearLayer, room: int) -> int:
    """About how many vectors fit beside the weights."""
    image = LayerImage(config, layer)
    results = aligned(config, image.tiling.shape.outputs * image.tiling.shape.result_bytes)
    free = room - tile_offsets(image)[-1, -1]
    return max(1, free * 7 // 8 // (image.tiling.pitch + results))
