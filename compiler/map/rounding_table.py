"""Whose layers an engine requantises as their framework does, as a table:
``python -m cimforge.compiler.map.rounding_table MODEL.onnx`` (or .tflite), or of drawn layers.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from cimforge.compiler.graph.graph import Graph, GraphError
from cimforge.compiler.importers.model_file import import_model
from cimforge.compiler.map.accumulator_rule import PRODUCTS
from cimforge.compiler.map.drawn_layer import drawn_layer
from cimforge.compiler.map.engine_rounding import proves_equal

__all__ = ["drawn_rows", "proof_rows"]

RULES = ("onnx", "tflite", "litert")
SIZES, SEEDS = ((16, 64), (128, 64), (640, 128)), 4
HEADS = ("layer", "rounding", "channels equal", "sums that differ")


def proof_rows(graph: Graph) -> Iterator[dict[str, str]]:
    """The proof of each product of a network, or why there is none."""
    for node in graph.nodes:
        if not isinstance(node.operator, PRODUCTS):
            continue
        try:
            yield proves_equal(graph, node).row()
        except ValueError as error:
            why = str(error).removeprefix(f"{node}: ")
            yield dict(zip(HEADS, (str(node), "none", "none", why), strict=True))


def drawn_rows() -> Iterator[tuple[str, ...]]:
    """The proofs of drawn layers, by framework."""
    for rule in RULES:
        for inputs, outputs in SIZES:
            for seed in range(SEEDS):
                (row,) = proof_rows(drawn_layer(rule, inputs, outputs, seed))
                yield f"{rule} {inputs} x {outputs}, seed {seed}", *list(row.values())[1:]


@click.command()
@click.argument("model", type=click.Path(path_type=Path), required=False)
def main(model: Path | None) -> None:
    """Print the table of MODEL, a file of TensorFlow Lite or ONNX; without it that of drawn fully
    connected layers."""
    try:
        rows = _rows(model)
    except GraphError as error:
        click.echo(f"rounding_table: {error}", err=True)
        sys.exit(2)
    for row in (HEADS, ("---",) * len(HEADS), *rows):
        click.echo(f"| {' | '.join(row)} |")


def _rows(model: Path | None) -> list[tuple[str, ...]]:
    if model is None:
        return list(drawn_rows())
    return [tuple(row[head] for head in HEADS) for row in proof_rows(import_model(model))]


if __name__ == "__main__":
    main()
