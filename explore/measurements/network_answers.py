"""The measurement of a network's answers on a macro: how many are right, how many as exact ones."""

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.network.arrays import load_arrays
from cimforge.compiler.network.feeds import Feeds, fitted_feeds
from cimforge.compiler.network.network_run import NetworkRun
from cimforge.compiler.npy import load_array
from cimforge.explore.measurements.measurement import Measurement, Task
from cimforge.explore.needs import NETWORK_FILES
from cimforge.explore.network_plans import load_network
from cimforge.explore.source_digest import content_key, source_digest
from cimforge.hdl.params.config import MacroConfig

if TYPE_CHECKING:
    from cimforge.explore.points import Point
    from cimforge.explore.sweep import Sweep

__all__ = ["NETWORK_ANSWERS", "answer", "load_inputs", "load_labels"]

DECIDING = (
    *("compiler", "compiler.graph", "compiler.importers", "compiler.reference", "compiler.map"),
    *("compiler.network", "golden", "hdl.params", "explore.measurements"),
)
# Parameters that change no result, of approximate trees neither.
WITHOUT_EFFECT = (
    *("name", "cols", "banks", "storage", "sram_words", "sram_bits", "sram_ports", "ram"),
    *("ram_cols", "tree_stages", "final_adder", "accumulate", "final_stages", "features"),
)


def answer(
    network: Path, inputs: Path, labels: Path | None, config: MacroConfig
) -> dict[str, float] | str:
    """``agreement``: the share of items whose answer, the place of the output's largest element, is
    that of exact products; with ``labels`` (an integer an item) ``accuracy``, the share of answers
    that are those. Products are the golden model's. An output of one element is itself the answer.
    """
    try:
        wanted = _exact_answers(network, inputs)
        found = wanted if config.tree_traits.exact else _answers(network, inputs, config, None)
    except (GraphError, ValueError) as error:
        return str(error)
    told = {"agreement": float(np.mean(found == wanted))}
    if labels:
        told["accuracy"] = float(np.mean(found == load_labels(labels, len(found))))
    return told


def load_inputs(network: Path, inputs: Path) -> Feeds:
    """The network's inputs in a .npy file, or by name in an .npz. Raises ValueError."""
    named = inputs.suffix.lower() == ".npz"
    return fitted_feeds(load_network(network).graph, load_arrays(inputs), str(inputs), named=named)


def load_labels(labels: Path, items: int) -> NDArray[np.int64]:
    """The labels in a .npy file, one an item. Raises ValueError."""
    array = load_array(labels)
    if array.dtype.kind not in "iu" or array.size != items:
        told = f"an array {array.shape} of {array.dtype}"
        raise ValueError(f"{labels}: must hold an integer for each of {items} items, not {told}")
    return array.reshape(-1).astype(np.int64)


@cache
def _exact_answers(network: Path, inputs: Path) -> NDArray:
    """Answers of exact products, once a process."""
    return _answers(network, inputs, MacroConfig(), frozenset())


def _answers(
    network: Path, inputs: Path, config: MacroConfig, chosen: frozenset[str] | None
) -> NDArray:
    """Answers where the products of the nodes ``chosen`` (None: all) are a macro's."""
    graph, feeds = load_network(network).graph, load_inputs(network, inputs)
    worker = MacroProducts(config, chosen=chosen)
    run = NetworkRun(graph, config, worker, compare=False, announce=lambda text: None)
    run.run(feeds)
    told = run.outputs[graph.outputs[0]].reshape(feeds.items, -1)
    return told.argmax(axis=1) if told.shape[1] > 1 else told[:, 0]


def _key(sweep: "Sweep", point: "Point") -> str:
    assert sweep.network
    assert sweep.inputs
    files = [path for path in (sweep.inputs, sweep.labels) if path]
    told = [_digest(path) for path in files]
    return content_key(
        *(load_network(sweep.network).digest, *told, _results_of(point.config)),
        source_digest(*DECIDING),
    )


def _results_of(config: MacroConfig) -> str:
    """What of a macro decides results: nothing where they are exact."""
    if config.tree_traits.exact:
        return "exact"
    return repr([(k, v) for k, v in config.parameters().items() if k not in WITHOUT_EFFECT])


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _task(sweep: "Sweep", point: "Point", folder: Path) -> Task:
    return answer, (sweep.network, sweep.inputs, sweep.labels, point.config)


NETWORK_ANSWERS = Measurement(_key, _task, 1, (NETWORK_FILES,))
