"""Plans: a layer as an engine's descriptors and the memory that they need. Data, nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import NamedTuple

from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, pack_descriptor
from cimforge.hdl.params.engine_config import ADDRESS_BITS, EngineConfig
from cimforge.host.engine_choice import best_choice, fits
from cimforge.host.engine_commands import Addresses, layer_commands, tile_offsets
from cimforge.host.engine_fences import Command, with_fences
from cimforge.host.engine_image import LayerImage
from cimforge.host.engine_layer import Layer
from cimforge.host.engine_shape import Choice, aligned
from cimforge.host.engine_timeline import timeline

__all__ = ["ALIGNMENT", "Area", "EnginePlan", "plan_layer", "predicted_cycles"]

ALIGNMENT = 64  # of areas in memory: a descriptor's, and the widest bus's


class Area(NamedTuple):
    """Bytes of memory."""

    address: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it that another may begin at."""
        return self.address + _up(self.size)


@dataclass(frozen=True)
class EnginePlan:
    """What an engine must do for ``batch`` inputs of a layer: ``commands``, in memory in ``queue``,
    with the areas that they name. Inputs are ``inputs``, results come to ``outputs``, each vector's
    ``output_pitch`` bytes behind the last's, as the ``choice`` cuts them.
    """

    image: LayerImage
    batch: int
    choice: Choice
    commands: tuple[Command, ...]
    weights: Area
    channels: Area
    queue: Area
    inputs: Area
    outputs: Area
    output_pitch: int

    @property
    def config(self) -> EngineConfig:
        """The engine."""
        return self.image.config

    @property
    def run(self) -> int:
        """What the schedule counts: vectors, or images; of an unfolded convolution patches."""
        return schedule_batch(self.image, self.batch)

    @property
    def end(self) -> int:
        """The first byte of memory behind all areas that is free."""
        return max(area.end for area in (self.queue, self.inputs, self.outputs))

    @cached_property
    def cycles(self) -> int:
        """Predicted cycles from start to interrupt (engine_timeline), of memory that answers a word
        in each cycle; with zero_skip at most."""
        return timeline(self.config, self.commands)

    @cached_property
    def descriptors(self) -> bytes:
        """The queue, as memory holds it."""
        return b"".join(
            word.to_bytes(4, "little")
            for name, fields in self.commands
            for word in pack_descriptor(self.config, name, fields)
        )

    def segments(self) -> Iterator[tuple[int, bytes]]:
        """What memory must hold before the queue runs, inputs left out: addresses and bytes of
        weights, channels and descriptors."""
        tiling = self.image.tiling
        tiles = (
            self.image.tile_bytes(row, column)
            for row in range(tiling.row_tiles)
            for column in range(tiling.column_tiles)
        )
        yield self.weights.address, b"".join(tiles)
        if self.channels.size:
            yield self.channels.address, self.image.channels()
        yield self.queue.address, self.descriptors


def plan_layer(
    config: EngineConfig,
    layer: Layer,
    batch: int = 1,
    *,
    base: int = 0,
    choice: Choice | None = None,
    inputs: int | None = None,
    output_pitch: int | None = None,
) -> EnginePlan:
    """The plan of ``batch`` inputs of a layer, cut as ``choice`` says, by default as takes least
    predicted cycles, in memory from ``base`` on.

    ``inputs`` is the address of inputs that are in memory already, as the results of the layer
    before are: of a linear layer a vector's in whole words of the bus each, of images without a
    gap. ``output_pitch`` are bytes from vector to vector of the results; by default those of its N
    results, of a linear layer whole words of the bus. ``base`` and ``inputs`` are multiples of
    ALIGNMENT.

    Raises ValueError where an argument is illegal or the engine does not compute the layer.
    """
    image = LayerImage(config, layer)
    tiling, run = image.tiling, schedule_batch(image, batch)
    for name, value in (("base", base), ("inputs", inputs or 0)):
        if value % ALIGNMENT or not 0 <= value < 1 << ADDRESS_BITS:
            rule = f"must be a multiple of {ALIGNMENT} in {ADDRESS_BITS} bits"
            raise ValueError(f"{name} {rule}, not {value}")
    if choice is None:
        choice = best_choice(tiling, run)[0]
    elif not fits(tiling, choice, run):
        raise ValueError(f"{choice} does not fit the kept sums or the activation buffer")
    row = tiling.shape.outputs * tiling.shape.result_bytes
    pitch = output_pitch or (row if layer.window else aligned(config, row))
    if pitch < row:
        raise ValueError(f"output_pitch must be at least {row}, not {pitch}")

    weights = Area(base, tile_offsets(image)[-1, -1])
    channels = Area(weights.end, len(image.channels()))
    positions = run * (tiling.shape.window.vectors if tiling.shape.window else 1)
    taken = Area(channels.end if inputs is None else inputs, _input_bytes(image, run))
    given = Area(taken.end if inputs is None else channels.end, positions * pitch)
    at = Addresses(weights.address, channels.address, taken.address, given.address, pitch)
    commands = with_fences(config, layer_commands(image, choice, run, at))
    last = commands[-1]
    commands[-1] = Command(last.name, {**last.fields, "interrupt": 1})
    queue = Area(given.end, DESCRIPTOR_BYTES * len(commands))
    areas = weights, channels, queue, taken, given
    plan = EnginePlan(image, batch, choice, tuple(commands), *areas, pitch)
    if plan.end > 1 << ADDRESS_BITS:
        raise ValueError(f"the layer must fit {ADDRESS_BITS} bits of addresses, not {plan.end}")
    return plan


def predicted_cycles(config: EngineConfig, layer: Layer, batch: int = 1) -> int:
    """Cycles from start to interrupt of the plan that plan_layer makes."""
    return plan_layer(config, layer, batch).cycles


def schedule_batch(image: LayerImage, batch: int) -> int:
    """What the schedule counts: vectors, or images; of an unfolded convolution patches."""
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    window = image.layer.window
    return batch * (window.vectors if window and image.unfolded else 1)


def _input_bytes(image: LayerImage, run: int) -> int:
    return run * (image.tiling.image_bytes or image.tiling.pitch)


def _up(size: int) -> int:
    return ceil(size / ALIGNMENT) * ALIGNMENT
