"""How a node's products go onto macros, from sizes alone: what fits side by side, digits, tiles,
shares of several macros. The plan is data; map.macro_products runs it and map.layer_plan tells what
it costs.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from cimforge.compiler.map.operand_digits import Digit, digits_of
from cimforge.compiler.map.product_trace import PartSize
from cimforge.compiler.precision import Precision, check_integers
from cimforge.compiler.tiling import Tile, TilePlan
from cimforge.hdl.params.config import MacroConfig

__all__ = ["JobPlan", "NodePlan", "Pack", "parts_together", "plan_node"]

MOST_RESULTS = 1 << 23  # of a job: what a simulation hands over at once, 64 MB


@dataclass(frozen=True)
class Pack:
    """Parts ``first`` .. ``first + parts - 1``, each (vectors, k) x (k, n), side by side in one
    matrix with their weights on its diagonal; ``row`` and ``col`` are where it begins in the
    product of all packs."""

    first: int
    parts: int
    k: int
    n: int
    row: int
    col: int

    @property
    def depth(self) -> int:
        """Rows of its matrix."""
        return self.parts * self.k

    @property
    def width(self) -> int:
        """Columns of its matrix."""
        return self.parts * self.n


@dataclass(frozen=True)
class JobPlan:
    """What one of ``macros`` does: ``tiles`` of vectors ``first`` .. ``last - 1``, digit ``x`` of
    the inputs, digit ``w`` of the weights, in mode ``fuse``."""

    macro: int
    first: int
    last: int
    x: Digit
    w: Digit
    fuse: int
    tiles: TilePlan


@dataclass(frozen=True)
class NodePlan:
    """All jobs of one product of a node: ``packs`` of parts of ``vectors`` each."""

    vectors: int
    packs: tuple[Pack, ...]
    jobs: tuple[JobPlan, ...]

    @property
    def tiles(self) -> int:
        """Sets of weights written, of all macros."""
        return sum(len(job.tiles.tiles) for job in self.jobs)

    def cells(self, tile: Tile) -> int:
        """Cells of a tile that hold a weight: of parts side by side those on the diagonal."""
        place = bisect_right(self.packs, tile.k0, key=lambda pack: pack.row) - 1
        pack = self.packs[place]
        if pack.parts > 1:
            return pack.parts * pack.k * pack.n
        return (tile.k1 - tile.k0) * (tile.n1 - tile.n0)


def parts_together(rows: int, outputs: int, parts: Sequence[PartSize]) -> int:
    """How many equal parts one macro of ``rows`` x ``outputs`` takes at once: 1 where one part
    alone fills its rows or its columns by more than half."""
    return max(1, min(rows // parts[0].k, outputs // parts[0].n, len(parts)))


def plan_node(
    config: MacroConfig,
    x: Precision,
    w: Precision,
    parts: Sequence[PartSize],
    macros: int = 1,
) -> tuple[NodePlan, ...]:
    """The plan of the parts on ``macros`` macros of ``config``: one for each run of parts of one
    size.

    A part that leaves most of a macro idle shares it with its neighbours (``Pack``). Operands wider
    than the macro holds are cut into digits. Columns of tiles are shared among the macros, as
    evenly as they go; where there are fewer columns than macros, each is held by several, which
    share its vectors.

    Raises ValueError for a macro of -1 and 1.
    """
    check_integers(config, "a network")
    plans, first = [], 0
    for _, same in groupby(parts, key=lambda part: part):
        run = list(same)
        plans.append(_plan_run(config, (x, w), run, first, macros))
        first += len(run)
    return tuple(plans)


def _plan_run(
    config: MacroConfig,
    held: tuple[Precision, Precision],
    parts: Sequence[PartSize],
    first: int,
    macros: int,
) -> NodePlan:
    widest = max(mode.weight_bits for mode in config.modes)
    inputs, weights = digits_of(held[0], config.input_bits), digits_of(held[1], widest)
    vectors = parts[0].vectors
    # The widest digit decides the mode of all, so that all digits' tiles are cut alike.
    fuse = _mode(config, max(digit.held.bits for digit in weights))
    outputs = config.modes[fuse].outputs
    packs = tuple(_packs(config.rows, outputs, parts, first))
    strips = [strip for pack in packs for strip in _strips(config.rows, outputs, pack)]
    jobs = []
    for macro, own, begin, end in _jobs(strips, vectors, macros, outputs):
        corners = [corner for strip in own for corner in strip]
        tiles = tuple(
            Tile(*corner, bank=place % config.banks) for place, corner in enumerate(corners)
        )
        last = packs[-1]
        depth = last.row + ceil(last.depth / config.rows) * config.rows
        cut = TilePlan(end - begin, depth, last.col + last.width, config.rows, outputs, tiles)
        jobs += [JobPlan(macro, begin, end, x, w, fuse, cut) for w in weights for x in inputs]
    return NodePlan(vectors, packs, tuple(jobs))


def _mode(config: MacroConfig, bits: int) -> int:
    """The number of the mode of fewest slices that holds so many bits."""
    holding = [
        (mode.fused, number) for number, mode in enumerate(config.modes) if mode.weight_bits >= bits
    ]
    return min(holding)[1]


def _packs(rows: int, outputs: int, parts: Sequence[PartSize], first: int) -> Iterator[Pack]:
    together = parts_together(rows, outputs, parts)
    row = col = 0
    for begin in range(0, len(parts), together):
        many = min(together, len(parts) - begin)
        pack = Pack(first + begin, many, parts[0].k, parts[0].n, row, col)
        yield pack
        row += ceil(pack.depth / rows) * rows  # a block of rows of its own: inputs are not shared
        col += pack.width


Corner = tuple[int, int, int, int]


def _strips(rows: int, outputs: int, pack: Pack) -> Iterator[list[Corner]]:
    """For each block of columns of a pack, its tiles (k0, k1, n0, n1)."""
    end_k, end_n = pack.row + pack.depth, pack.col + pack.width
    for n0 in range(pack.col, end_n, outputs):
        n1 = min(n0 + outputs, end_n)
        yield [(k0, min(k0 + rows, end_k), n0, n1) for k0 in range(pack.row, end_k, rows)]


def _jobs(
    strips: Sequence[list[Corner]], vectors: int, macros: int, outputs: int
) -> Iterator[tuple[int, Sequence[list[Corner]], int, int]]:
    """The shares of macros, cut further where a job's results would leave MOST_RESULTS: between
    strips, which costs nothing, then between vectors, which loads a strip again."""
    for macro, own, first, last in _shares(strips, vectors, macros):
        each = max(map(len, own)) * outputs  # results of a vector on a strip
        together = max(1, MOST_RESULTS // max(1, each * (last - first)))
        most = max(1, min(last - first, MOST_RESULTS // each))
        for begin in range(0, len(own), together):
            for start in range(first, max(last, first + 1), most):
                end = min(start + most, last)
                yield macro, own[begin : begin + together], start, end


def _shares(
    strips: Sequence[list[Corner]], vectors: int, macros: int
) -> Iterator[tuple[int, Sequence[list[Corner]], int, int]]:
    """(macro, its strips, its first vector, the one behind its last)."""
    groups = min(macros, len(strips))
    copies = min(macros // groups, max(1, vectors))
    macro = 0
    for group in range(groups):
        own = strips[group * len(strips) // groups : (group + 1) * len(strips) // groups]
        for copy in range(copies):
            yield macro, own, copy * vectors // copies, (copy + 1) * vectors // copies
            macro += 1
