"""Cycles that a job takes on one macro, from its plan alone."""

from cimforge.compiler.map.pass_intervals import PassIntervals
from cimforge.compiler.map.row_stream import RowStream
from cimforge.compiler.map.table_loading import cycles_of_tables
from cimforge.compiler.precision import Ints
from cimforge.compiler.tiling import TilePlan
from cimforge.hdl.params.config import MacroConfig

__all__ = ["job_cycles"]


def job_cycles(
    config: MacroConfig,
    plan: TilePlan,
    x_bits: int,
    x_signed: bool,
    fuse: int = 0,
    inputs: Ints | None = None,
) -> int:
    """Cycles from the reset before a job to its last result, as the player and the simulators count
    them: every stream at full rate.

    A tile's rows are written, on the fast path, once the vectors of the tile before it in its bank
    have passed; its own vectors go once all its rows have landed. With several banks that is while
    others pass, so that a tile takes about ``max(load_cycles(fill), batch * pass_interval)``; with
    one bank their sum. Rows of tables take turns with passes (table_loading).

    With zero_skip the number is the most that any inputs take; of ``inputs`` (k_tiles, batch,
    rows), values, it is that of their own passes. ``fuse``, the mode, changes nothing: a bank has
    as many rows, a pass as many planes. An empty batch takes no cycles.

    Exact, but for tables of several banks: there within 2 %.
    """
    if plan.batch == 0:
        return 0
    intervals = PassIntervals(config, plan.batch, x_bits, x_signed, inputs)
    if config.tables and config.banks > 1:
        return cycles_of_tables(config, plan, intervals)
    return _rows_beside_passes(config, plan, intervals)


def _rows_beside_passes(config: MacroConfig, plan: TilePlan, intervals: PassIntervals) -> int:
    """Where a row in another bank holds up no pass, nor a pass that row, but for a cycle now and
    then."""
    load = sum(map(config.fill_cycles, range(config.rows)))
    rows = RowStream(plan, load, config.reset_cycles)
    late = config.storage_traits.write_cycles > 1
    next_vector = config.reset_cycles
    for number, tile in enumerate(plan.tiles):
        block = tile.k0 // plan.rows
        landed = rows.landed(number)
        if late and next_vector < landed:
            rows.wait(landed + 1)  # a vector that waits for a row goes before the next one
        first = max(landed, next_vector)
        next_vector = first + intervals.span(block)
        if config.shared_port and rows.accepts(first):
            # the pass reads its bank's words in the next cycle, in which nothing else moves
            rows.wait(first + 2)
            next_vector += intervals.span(block, vectors=1) == 1
        rows.passed(next_vector)
    return next_vector + config.result_ranks + 2
