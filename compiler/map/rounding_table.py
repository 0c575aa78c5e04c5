"""Of how many drawn layers an engine requantises every sum as their framework does, as a table:
``python -m cimforge.compiler.map.rounding_table``. Of a network's: ``cimforge requantise``.
"""

from collections.abc import Iterator

import click

from cimforge.compiler.graph.graph import Graph
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
def main() -> None:
    """Print the table of drawn fully connected layers."""
    for row in (HEADS, ("---",) * len(HEADS), *drawn_rows()):
        click.echo(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
