"""A plain Verilog testbench beside the macro, for users without Python."""

from collections.abc import Sequence
from typing import NamedTuple

from cimforge.hdl.emit.templates import render
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig

__all__ = ["SEED", "TestVector", "render_testbench", "words_per_beat"]

SEED = 0xC1F0
CYCLES_A_BEAT = 1000  # of patience: no style takes so long for a row or a pass


class TestVector(NamedTuple):
    """One pass of the testbench: its precision and sign, and y_data as it must appear."""

    bits: int
    signed: bool
    expected: int


def words_per_beat(width: int) -> int:
    """32-bit random words drawn for a payload of ``width`` bits."""
    return (width + 31) // 32


def render_testbench(config: MacroConfig, vectors: Sequence[TestVector]) -> str:
    """Verilog-2005 of a testbench that writes bank 0 (signed) and checks ``vectors`` in order.

    Weights, row by row, and then each vector are drawn from one xorshift32 stream that starts at
    SEED: each beat takes words_per_beat words, lowest first.
    """
    widths = {port.name: port.width for port in macro_ports(config)}
    w_words, x_words = words_per_beat(widths["w_data"]), words_per_beat(widths["x_data"])
    return render(
        "testbench.v.j2",
        name=config.module,
        models=config.models,
        ports=macro_ports(config),
        rows=config.rows,
        has_row=config.row_bits > 0,
        fill=config.grouped,
        seed=SEED,
        words=max(w_words, x_words),
        w_words=w_words,
        x_words=x_words,
        w_width=widths["w_data"],
        x_width=widths["x_data"],
        y_width=widths["y_data"],
        vectors=vectors,
        limit=CYCLES_A_BEAT * (config.rows + len(vectors)),
    )
