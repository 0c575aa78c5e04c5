"""How long an engine takes for a layer, by formula."""

from collections import Counter
from math import ceil

from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES
from cimforge.host.engine_shape import Choice, Part, Tiling

__all__ = ["COMMAND_CYCLES", "VECTOR_WORDS", "computing", "copy_area", "predicted"]

COMMAND_CYCLES = 12  # of a LOAD or COPY beside its words: handed over, asked for, answered, ended
VECTOR_WORDS = 1  # words that a STORE writes for a vector beside those its results fill


def predicted(tiling: Tiling, choice: Choice, batch: int) -> int:
    """Cycles from start to interrupt of a batch, with memory that answers a word in each cycle:

    ``start + sum over parts of ((R - 1) C step + C max(step, store)) + tail``

    of R tiles of rows and C of columns, where for a part of V vectors, with words of the bus and
    cycles both counted as cycles,

    - ``run = V interval``: the macro's passes;
    - ``fetch = load + copy / (R C) + 2 COMMAND_CYCLES + 3 descriptors``: a tile's weights, its
      share of the activations of the next tile or part, and the descriptors of all three;
    - ``step = max(run, fetch)``; with one bank ``load + max(run, fetch - load)``, and copies count
      apart where the activation buffer does not hold two of them;
    - ``store = V max(results / lanes, words + VECTOR_WORDS)`` of one tile's results;
    - ``start``: the first copy and load, and the first vector's way to its sum; ``tail``: the last
      tile's store and the last commands' own cycles.

    Where the banks hold all tiles, only the first part loads. zero_skip is left out: at most.
    """
    macro, shape = tiling.config.macro, tiling.shape
    steps = tiling.row_tiles * tiling.column_tiles
    loads = [_load_cycles(tiling, row) for row in range(tiling.row_tiles)]
    held, total, first = steps <= macro.banks, 0.0, 1
    area = copy_area(tiling, choice, batch)
    parts = tiling.parts(choice, batch)
    kinds = Counter((part.vectors, _copied(tiling, choice, part)) for part in parts)
    for (vectors, copied), count in kinds.items():
        again = count - first if held else 0
        for times, load in ((count - again, sum(loads) / len(loads)), (again, 0.0)):
            step = _step_cycles(tiling, vectors, load, copied / steps, 2 * area)
            last = max(step, _store_cycles(tiling, vectors))
            total += times * tiling.column_tiles * ((tiling.row_tiles - 1) * step + last)
        first = 0
    start = area / tiling.config.bus_bytes + loads[0] + 4 * COMMAND_CYCLES
    start += 3 * DESCRIPTOR_BYTES / tiling.config.bus_bytes + macro.latency(shape.bits, shape.signed)
    return ceil(start + total + _store_cycles(tiling, min(vectors for vectors, _ in kinds)))


def _step_cycles(tiling: Tiling, vectors: int, load: float, share: float, areas: int) -> float:
    """Cycles of a RUN and what is fetched meanwhile, or where that cannot be after it."""
    config, shape = tiling.config, tiling.shape
    run = vectors * config.macro.pass_interval(shape.bits, shape.signed)
    apart = share if areas > config.act_bytes else 0
    fetch = share - apart + 2 * COMMAND_CYCLES + 3 * DESCRIPTOR_BYTES / config.bus_bytes
    if config.macro.banks > 1:
        return apart + max(run, load + fetch)
    return apart + load + max(run, fetch)


def computing(tiling: Tiling, batch: int) -> int:
    """Cycles in which the macro computes: all passes of a batch."""
    shape = tiling.shape
    vectors = batch * (shape.window.vectors if shape.window else 1)
    passes = vectors * tiling.row_tiles * tiling.column_tiles
    return passes * tiling.config.macro.cycles_per_pass(shape.bits, shape.signed)


def _copied(tiling: Tiling, choice: Choice, part: Part) -> int:
    """Words of activations that a part copies."""
    if choice.kind == "window":
        return tiling.stretch(part)[1] // tiling.config.bus_bytes
    if choice.kind == "whole":
        return part.vectors * tiling.pitch // tiling.config.bus_bytes
    groups = ceil(tiling.column_tiles / choice.columns)
    return groups * part.vectors * sum(tiling.slices) // tiling.config.bus_bytes


def copy_area(tiling: Tiling, choice: Choice, batch: int) -> int:
    """Most bytes that the activation buffer holds of one copy."""
    if choice.kind == "window":
        return max((tiling.stretch(part)[1] for part in tiling.parts(choice, batch)), default=0)
    each = tiling.pitch if choice.kind == "whole" else max(tiling.slices)
    return min(choice.vectors, batch) * each


def _load_cycles(tiling: Tiling, row: int) -> int:
    """Cycles of a LOAD: words of the bus, or of the macro's rows where these take longer."""
    config, macro = tiling.config, tiling.config.macro
    cycles = macro.fill_cycles if macro.grouped else macro.write_cycles
    return sum(max(config.row_words, cycles(number)) for number in range(tiling.loaded(row)))


def _store_cycles(tiling: Tiling, vectors: int) -> int:
    """Cycles of a STORE of a whole tile's results."""
    config, shape = tiling.config, tiling.shape
    results = len(tiling.results(0))
    words = ceil(results * shape.result_bytes / config.bus_bytes) + VECTOR_WORDS
    return vectors * max(ceil(results / config.lanes), words)
