"""cimforge draw: a picture of a column's adder tree."""

from dataclasses import replace
from pathlib import Path

import click

from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.planners import word_operands
from cimforge.hdl.emit.dot_diagram import draw_plan
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.macro.pipeline import tree_staging
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.scripts.options import (
    OutputPath,
    config_epilog,
    print_json,
    set_option,
    show_table,
)

__all__ = ["draw"]


def _operands(macro: MacroConfig) -> list[Operand]:
    """The operands of a tree: of one plane, or of all planes of a cycle."""
    planes = macro.bits_per_cycle if macro.carry_save else 1
    words = word_operands(macro.operand_widths * planes)
    size = len(macro.operand_widths)
    return [replace(word, shift=index // size) for index, word in enumerate(words)]


@click.command(epilog=config_epilog, short_help="Draw the adder tree of a column.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option(
    "-o",
    "--output",
    type=OutputPath(".svg"),
    default=Path("build/tree.svg"),
    show_default=True,
    help="Picture to write.",
)
@set_option
@click.argument("config", metavar="CONFIG")
def draw(config: str, overrides: tuple[str, ...], output: Path, as_json: bool) -> None:
    """Draw the adder tree of a column of CONFIG as a dot diagram (SVG): a dot a bit, a band a
    level, an outline an adder, a square a bit that goes through registers."""
    macro = load_config(config, overrides)
    if len(macro.parts) > 1:
        kinds = " or ".join(part.storage for part in macro.parts)
        rule = f"columns of storage {macro.storage} have two kinds of trees"
        raise InputError(f"draw: {rule} (nearest legal value: --set storage={kinds})")
    macro = macro.parts[0]
    staging, operands = tree_staging(macro), _operands(macro)
    plan = staging.plan
    title = f"{macro.module}: {macro.tree} tree of {len(operands)} operands"
    write_file(output, draw_plan(staging, operands, title))
    counts = dict(sorted(plan.counts().items()))
    ranks, crossing = staging.ranks, [staging.crossing(r + 1) for r in range(staging.ranks)]
    facts = {"levels": plan.levels, "ranks": ranks, "registers": crossing, "cells": counts}
    if as_json:
        print_json({"picture": str(output), **facts})
        return
    rows = [("levels", str(plan.levels)), ("register ranks", str(ranks))]
    rows += [(f"registers of rank {rank}", str(bits)) for rank, bits in enumerate(crossing, 1)]
    rows += [(kind, str(count)) for kind, count in counts.items()]
    show_table(macro.module, rows, below=[("picture", output)])
