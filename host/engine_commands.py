"""A schedule as commands of an engine: loads, copies, runs and stores in an order that overlaps."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from cimforge.hdl.params.descriptors import ROUNDINGS
from cimforge.host.engine_fences import Command
from cimforge.host.engine_image import LayerImage
from cimforge.host.engine_schedule import Block, Copy, Step, blocks, pieces
from cimforge.host.engine_shape import Choice

__all__ = ["Addresses", "layer_commands", "tile_offsets"]


class Addresses(NamedTuple):
    """First bytes in memory, and bytes from vector to vector of the results."""

    weights: int
    channels: int
    inputs: int
    outputs: int
    output_pitch: int


def tile_offsets(image: LayerImage) -> dict[tuple[int, int], int]:
    """Bytes from the first weight to each tile's (row, column), and under (-1, -1) their sum."""
    tiling, offsets, total = image.tiling, {}, 0
    size = image.config.row_words * image.config.bus_bytes
    for row in range(tiling.row_tiles):
        for column in range(tiling.column_tiles):
            offsets[row, column] = total
            total += tiling.loaded(row) * size
    return {**offsets, (-1, -1): total}


def layer_commands(
    image: LayerImage, choice: Choice, batch: int, addresses: Addresses
) -> list[Command]:
    """The commands, their ``beside`` left out.

    Behind each RUN come a piece of the next block's copy, the next RUN's LOAD into the next bank,
    and the STORE of what the RUN before has finished, so that the run unit is not kept waiting;
    then the channels of the next STORE. With one bank STOREs go before LOADs, which wait.
    """
    return list(_Emitter(image, choice, batch, addresses).commands())


class _Emitter:
    """What is where while the commands are made: tiles in banks, columns in the channel table, and
    the STOREs that are due."""

    def __init__(self, image: LayerImage, choice: Choice, batch: int, addresses: Addresses):
        self._image, self._at = image, addresses
        self._config, self._tiling = image.config, image.tiling
        self._kind = choice.kind
        self._blocks = list(blocks(self._tiling, choice, batch))
        self._offsets = tile_offsets(image)
        self._banks: dict[int, tuple[int, int]] = {}
        self._next_bank = 0
        self._channels: dict[int, int] = {}  # by place in the table: the column that it holds
        self._due: deque[Step] = deque()

    def commands(self) -> Iterator[Command]:
        """All of them."""
        first, one_bank = self._blocks[0], self._config.macro.banks == 1
        yield from map(self._copy, pieces(self._tiling, first.copy, 1))
        yield from self._load(first.steps[0])
        for block, later in pairwise([*self._blocks, None]):
            assert block
            cut = self._cut(block, later)
            for number, step in enumerate(block.steps):
                if step.row == 0:
                    yield from self._stores(step.sums)
                yield self._run(block, step)
                if one_bank:  # its LOAD keeps what is behind it waiting
                    yield from self._finish(step)
                yield from cut.get(number, ())
                if number + 1 < len(block.steps):
                    yield from self._load(block.steps[number + 1])
                elif later:
                    yield from self._load(later.steps[0])
                if not one_bank:
                    yield from self._finish(step)
        yield from self._stores()

    def _cut(self, block: Block, later: Block | None) -> dict[int, list[Command]]:
        """The next block's copy in pieces, by the number of the step behind which each goes: all
        behind the last where the buffer does not hold both."""
        if not later:
            return {}
        last = len(block.steps) - 1
        if block.copy.size + later.copy.size > self._config.act_bytes:
            return {last: [self._copy(piece) for piece in pieces(self._tiling, later.copy, 1)]}
        cut = pieces(self._tiling, later.copy, last + 1)
        return {n * (last + 1) // len(cut): [self._copy(piece)] for n, piece in enumerate(cut)}

    def _finish(self, step: Step) -> Iterator[Command]:
        """The STOREs that are due, and the channels for that of this step, if it has one."""
        yield from self._stores()
        if step.row == self._tiling.row_tiles - 1:
            yield from self._requantisation(step)
            self._due.append(step)

    def _stores(self, sums: int | None = None) -> Iterator[Command]:
        """The STOREs that are due: all, or up to that of the kept ``sums``."""
        if sums is None or any(step.sums == sums for step in self._due):
            while self._due:
                step = self._due.popleft()
                yield self._store(step)
                if step.sums == sums:
                    return

    def _load(self, step: Step) -> Iterator[Command]:
        """The LOAD of a step's tile, unless a bank holds it."""
        macro, tile = self._config.macro, (step.row, step.column)
        if tile in self._banks.values():
            return
        bank, self._next_bank = self._next_bank, (self._next_bank + 1) % macro.banks
        self._banks[bank] = tile
        fields = {
            "source": self._at.weights + self._offsets[tile],
            "rows": self._tiling.loaded(step.row),
            "bank": bank,
            "signed": int(self._image.signed),
        }
        fields |= {"fuse": self._tiling.shape.fuse} if macro.w_fuse_width else {}
        fields |= {"fill": 1} if macro.grouped else {}
        yield Command("load", fields)

    def _copy(self, copy: Copy) -> Command:
        fields = {"source": self._at.inputs + copy.source, "target": copy.target}
        fields |= {"count": copy.length, "lines": copy.lines}
        if copy.lines > 1:
            fields |= {"source_pitch": copy.pitch, "target_pitch": copy.length}
        return Command("copy", fields)

    def _channel(self, column: int) -> int:
        """The first channel of a column: its own where the table holds all, else one of as many
        places as there are."""
        tiling, most = self._tiling, self._config.channels
        if tiling.shape.outputs <= most:
            return tiling.results(column).start
        return column % (most // tiling.width) * tiling.width

    def _requantisation(self, step: Step) -> Iterator[Command]:
        """The channels of a step's column, unless the table holds them."""
        results, place = self._tiling.results(step.column), self._channel(step.column)
        if self._tiling.shape.raw or self._channels.get(place) == step.column:
            return
        self._channels[place] = step.column
        source = self._at.channels + step.column * self._tiling.channel_pitch
        fields = {"source": source, "target": place, "count": len(results), "channels": 1}
        yield Command("copy", fields)

    def _run(self, block: Block, step: Step) -> Command:
        shape, tile = self._tiling.shape, (step.row, step.column)
        bank = next(bank for bank, held in self._banks.items() if held == tile)
        elements = self._tiling.elements(step.row)
        fields = {
            **{"bank": bank, "signed": int(shape.signed), "accumulate": int(step.row > 0)},
            **{"bits": shape.bits, "vectors": step.part.vectors, "sums": step.sums},
            "length": len(elements) * self._config.element_bytes,
        }
        if self._config.macro.binary:
            fields |= {"rows": len(elements)}
        scan = self._scan if shape.window else self._vectors
        return Command("run", fields | scan(block, step))

    def _vectors(self, block: Block, step: Step) -> dict[str, int]:
        """Where the vectors of a linear layer are in the activation buffer."""
        size, elements = self._config.element_bytes, self._tiling.elements(step.row)
        length, pitch = len(elements) * size, self._tiling.pitch
        first = elements.start * size
        low, count = self._tiling.slice(step.row)
        if self._kind == "tiles":
            first, pitch = first - low, count
        return {
            "source": (block.copy.target + first) % self._config.act_bytes,
            "image_pitch": pitch if step.part.vectors > 1 else 0,
            **{"line_bytes": length, "segment": length},
        }

    def _scan(self, block: Block, step: Step) -> dict[str, int]:
        """How the patches of images are gathered from the activation buffer."""
        window, part, tiling = self._tiling.shape.window, step.part, self._tiling
        assert window
        pixel = window.channels * self._config.element_bytes
        merged = window.dilation_x == 1  # pixels of a line then lie side by side
        segment, across = (window.kernel_x * pixel, 1) if merged else (pixel, window.kernel_x)
        skipped = tiling.elements(step.row).start * self._config.element_bytes
        band = tiling.band(part)
        begins = part.image * tiling.image_bytes + band.start * tiling.line_bytes
        return {
            "source": (block.copy.target + begins - block.copy.source) % self._config.act_bytes,
            "image_pitch": tiling.image_bytes if part.images > 1 else 0,
            **{"line_bytes": tiling.line_bytes, "lines": len(band)},
            **{"segment": segment, "segments_x": across, "segments_y": window.kernel_y},
            **{"step_x": 0 if merged else window.dilation_x * pixel, "step_y": window.dilation_y},
            **{"stride_x": window.stride_x * pixel, "stride_y": window.stride_y},
            **{"count_x": part.across, "count_y": part.lines, "pad": self._image.pad},
            "origin_x": (part.x * window.stride_x - window.pad_x) * pixel,
            "origin_y": part.y * window.stride_y - window.pad_y - band.start,
            **{"skip_x": skipped // segment % across, "skip_y": skipped // segment // across},
            "skip": skipped % segment,
        }

    def _store(self, step: Step) -> Command:
        shape, results = self._tiling.shape, self._tiling.results(step.column)
        pitch, offset = self._at.output_pitch, results.start * shape.result_bytes
        fields = {
            "target": self._at.outputs + step.part.first * pitch + offset,
            "target_pitch": pitch,
            **{"vectors": step.part.vectors, "sums": step.sums, "outputs": len(results)},
        }
        told = self._image.layer.requantise
        if not told:
            return Command("store", {**fields, "raw": 1})
        fields |= {
            "channel": self._channel(step.column),
            "rounding": ROUNDINGS.index(told.rounding),
        }
        fields |= {"wide": int(told.wide), "zero": told.zero}
        fields |= {"lowest": told.lowest, "highest": told.highest}
        if self._image.ones:
            fields |= {"ones": self._tiling.mode.outputs - 1}
        return Command("store", fields)
