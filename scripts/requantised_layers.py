"""cimforge requantise: which layers an engine scales exactly as the network's framework does."""

from pathlib import Path
from typing import Any

import click

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.importers.model_file import import_model
from cimforge.compiler.map.engine_rounding import Proof, proves_equal
from cimforge.compiler.map.product_trace import trace_products
from cimforge.compiler.network.layer_names import short_names_of
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import print_json, show_table, steps

__all__ = ["requantise"]


@click.command(short_help="Which layers of a network an engine scales exactly.")
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path), metavar="MODEL")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def requantise(model: Path, as_json: bool) -> None:
    """For each layer of MODEL (.tflite, .onnx) the rounding of an engine's requantiser that gives
    its framework's result for every sum that can occur, by proof; or the sums for which none
    does, so that the host scales it."""
    try:
        graph = import_model(model)
        names = list(dict.fromkeys(product.node.name for product in trace_products(graph)))
    except GraphError as error:
        raise InputError(str(error)) from None
    except ModuleNotFoundError as error:
        raise InputError(f"{model}: needs {error.name}; run {install_hint('models')}") from None
    nodes = {node.name: node for node in graph.nodes}
    found: list[tuple[str, Proof | str]] = []
    with steps(f"proving {model.name}") as announce:
        for place, (name, short) in enumerate(zip(names, short_names_of(names), strict=True)):
            announce(f"layer {place} of {len(names)}, {short}")
            try:
                found.append((name, proves_equal(graph, nodes[name])))
            except ValueError as error:
                found.append((name, str(error)))
    if as_json:
        print_json({"model": model.name, "layers": [_told(*pair) for pair in found]})
        return
    rows = []
    for (_, proof), short in zip(found, short_names_of(names), strict=True):
        if isinstance(proof, str):
            rows.append((short, "host", "", proof.partition(": ")[2] or proof))
            continue
        by = proof.rounding if proof.equal else "host"
        rows.append((short, by, f"{proof.proven} of {proof.channels}", _differs(proof)))
    show_table(
        f"{model.name}: who scales", rows, ("layer", "engine's", "channels equal", "differs")
    )


def _differs(proof: Proof) -> str:
    if proof.worst is None:
        return "no sum"
    channel, value, wanted, made = proof.worst
    share = f"{proof.differing:,} of {proof.accumulators:,} sums of channel {channel}"
    return f"{share}: {value:,} is {wanted}, the engine's {made}"


def _told(name: str, proof: Proof | str) -> dict[str, Any]:
    if isinstance(proof, str):
        return {"name": name, "equal": False, "reason": proof}
    told = {"name": name, "equal": proof.equal, "rounding": proof.rounding}
    told |= {"channels": proof.channels, "proven": proof.proven}
    return told | ({"worst": proof.worst._asdict()} if proof.worst else {})
