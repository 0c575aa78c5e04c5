"""How long an engine takes for a layer, by formula."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES
from cimforge.host.engine_schedule import LEAST_PIECE
from cimforge.host.engine_shape import Choice, Part, Tiling

__all__ = ["COMMAND_CYCLES", "RUN_CYCLES", "STORE_CYCLES", "computing", "copy_area", "predicted"]

COMMAND_CYCLES = 10  # of a LOAD or COPY beside its words: handed over, asked for, answered, ended
RUN_CYCLES = 18  # from a RUN's descriptor to its first vector
STORE_CYCLES = 36  # of a STORE beside its vectors
CHANNEL_BITS = 128


class _Work(NamedTuple):
    """What a part's steps do: ``vectors`` each, ``copied`` words meanwhile by all of them together,
    whether they load their weights and their channels."""

    vectors: int
    copied: float
    loads: bool
    channels: bool


def predicted(tiling: Tiling, choice: Choice, batch: int) -> int:
    """Cycles from start to interrupt of a batch, with memory that answers a word in each cycle:

    ``start + sum over parts of ((R - 1) C step + C max(step', store)) + tail``

    of R tiles of rows and C of columns, where for a part of V vectors, with words of the bus and
    cycles both counted as cycles,

    - ``run = V interval``: the macro's passes;
    - ``fetch = load + copy / (R C) + descriptors + COMMAND_CYCLES of each``: a tile's weights, its
      share of the activations that the steps behind need, and what asks for them;
    - ``step = max(run, fetch)``; with one bank ``load + RUN_CYCLES + max(run, fetch - load)``, and
      copies count apart where the activation buffer does not hold two of them; ``step'`` with the
      channels of a tile of columns, where the table does not hold them; of tables, whose rows are
      written in slots between passes, see _step_with_slots;
    - ``store = V (results / lanes max(1, lanes bytes / bus_bytes) + 1) + STORE_CYCLES`` of one
      tile's results of so many bytes each, with weight_zeros a cycle more for each vector;
    - ``start``: the first copy and load, and the first vector's way to its sum; ``tail``: the last
      tile's store, without STORE_CYCLES.

    Where the banks hold all tiles, only the first part loads. zero_skip is left out: at most.
    """
    macro, shape = tiling.config.macro, tiling.shape
    loads = tiling.load_cycles
    area, total, vectors = copy_area(tiling, choice, batch), 0.0, 0
    steps = tiling.row_tiles * tiling.column_tiles
    for work, count in _work(tiling, choice, batch).items():
        load = sum(loads) / len(loads) if work.loads else 0.0
        if steps <= macro.banks:  # one of so few was loaded at the start
            load *= (steps - 1) / steps
        step = _step_cycles(tiling, work, load, 2 * area)
        channels = tiling.width * CHANNEL_BITS / tiling.config.bus_bits
        last = _step_cycles(tiling, work, load, 2 * area, channels if work.channels else 0.0)
        last = max(last, _store_cycles(tiling, work.vectors))
        total += count * tiling.column_tiles * ((tiling.row_tiles - 1) * step + last)
        vectors = work.vectors
    first = next(tiling.parts(choice, batch))
    start = _first_copy(tiling, choice, first) + loads[0] + 2.0 * COMMAND_CYCLES + RUN_CYCLES
    start += 3 * DESCRIPTOR_BYTES / tiling.config.bus_bytes
    way = macro.latency(shape.bits, shape.signed) + COMMAND_CYCLES
    # the last RUN hides no LOAD any more
    spare = min(0.0, vectors * macro.pass_interval(shape.bits, shape.signed) - step)
    tail = _store_cycles(tiling, vectors) - STORE_CYCLES
    return ceil(start + total + spare + way + tail)


def _work(tiling: Tiling, choice: Choice, batch: int) -> Counter[_Work]:
    """Of each part: its own copies but the first, and the first of the next."""
    held = tiling.row_tiles * tiling.column_tiles <= tiling.config.macro.banks
    kept = tiling.shape.outputs <= tiling.config.channels
    told: Counter[_Work] = Counter()
    for number, (part, after, count) in enumerate(_neighbours(tiling, choice, batch)):
        copied = _copied(tiling, choice, part) - _first_copy(tiling, choice, part)
        copied += _first_copy(tiling, choice, after) if after else 0
        channels = not tiling.shape.raw and (number == 0 or not kept)
        told[_Work(part.vectors, copied, number == 0 or not held, channels)] += count
    return told


def _neighbours(
    tiling: Tiling, choice: Choice, batch: int
) -> Iterator[tuple[Part, Part | None, int]]:
    """Each part with the next, and how often in a row; of vectors all but the last are alike."""
    if tiling.shape.window:
        for part, after in pairwise([*tiling.parts(choice, batch), None]):
            assert part
            yield part, after, 1
        return
    full, rest = divmod(batch - 1, choice.vectors)
    part, last = Part(0, choice.vectors), Part(0, rest + 1)
    for count in (min(1, full - 1), full - 2):
        if count > 0:
            yield part, part, count
    if full:
        yield part, last, 1
    yield last, None, 1


def _step_cycles(
    tiling: Tiling, work: _Work, load: float, areas: int, channels: float = 0.0
) -> float:
    """Cycles of a RUN and what is fetched meanwhile, or where that cannot be after it."""
    config, shape = tiling.config, tiling.shape
    run = work.vectors * config.macro.pass_interval(shape.bits, shape.signed)
    share = work.copied / (tiling.row_tiles * tiling.column_tiles)
    pieces, asked = min(1.0, share / LEAST_PIECE), DESCRIPTOR_BYTES / config.bus_bytes
    commands = (load > 0) + (channels > 0) + pieces
    apart = share if areas > config.act_bytes else 0.0
    fetch = share - apart + channels + COMMAND_CYCLES * commands + asked * (1 + commands)
    if not load:
        return apart + max(run, fetch)
    if config.macro.banks == 1:
        return apart + load + RUN_CYCLES + max(run, fetch)
    if config.macro.tables:
        return apart + _step_with_slots(tiling, work.vectors, load, fetch)
    return apart + max(run, load + fetch)


def _step_with_slots(tiling: Tiling, vectors: int, load: float, fetch: float) -> float:
    """Cycles of a RUN beside a LOAD into tables: a row is written in slots of the array, of which
    there is one between two passes, and all that are wanted behind the RUN."""
    shape, macro = tiling.shape, tiling.config.macro
    interval = macro.pass_interval(shape.bits, shape.signed)
    beside = load + tiling.slots * interval  # cycles of the LOAD if passes go on all the time
    shared = vectors * (interval + 1)
    if fetch + beside <= shared:
        return vectors * interval + tiling.slots
    done = max(0.0, shared - fetch) / beside
    return max(shared, fetch) + (1 - done) * load


def computing(tiling: Tiling, batch: int) -> int:
    """Cycles in which the macro computes: all passes of a batch."""
    shape = tiling.shape
    vectors = batch * (shape.window.vectors if shape.window else 1)
    passes = vectors * tiling.row_tiles * tiling.column_tiles
    return passes * tiling.config.macro.cycles_per_pass(shape.bits, shape.signed)


def copy_area(tiling: Tiling, choice: Choice, batch: int) -> int:
    """Most bytes that the activation buffer holds of one copy."""
    if choice.kind == "window":
        return max((tiling.stretch(part)[1] for part in tiling.parts(choice, batch)), default=0)
    each = tiling.pitch if choice.kind == "whole" else max(tiling.slices)
    return min(choice.vectors, batch) * each


def _copied(tiling: Tiling, choice: Choice, part: Part) -> int:
    """Words of activations that a part copies."""
    if choice.kind != "tiles":
        return _first_copy(tiling, choice, part)
    groups = ceil(tiling.column_tiles / choice.columns)
    return groups * part.vectors * sum(tiling.slices) // tiling.config.bus_bytes


def _first_copy(tiling: Tiling, choice: Choice, part: Part) -> int:
    """Those of them that its first step needs."""
    if choice.kind == "window":
        return tiling.stretch(part)[1] // tiling.config.bus_bytes
    each = tiling.pitch if choice.kind == "whole" else tiling.slices[0]
    return part.vectors * each // tiling.config.bus_bytes


def _store_cycles(tiling: Tiling, vectors: int) -> int:
    """Cycles of a STORE of a whole tile's results."""
    config, shape = tiling.config, tiling.shape
    groups = ceil(len(tiling.results(0)) / config.lanes)
    words = max(1.0, config.lanes * shape.result_bytes / config.bus_bytes)
    return ceil(vectors * (words * groups + 1 + config.weight_zeros)) + STORE_CYCLES
