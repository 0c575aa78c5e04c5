"""Products of nodes on macros: the network's numbers stay what they are, and use is counted."""

import numpy as np
import pytest

from cimforge.compiler.graph.graph import Graph, GraphError, Node
from cimforge.compiler.graph.operator import Convolution, FullyConnected, Reshape
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.map.layer_plan import macros_that_halve, plan_network
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.reference.execution import execute
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

CONFIG = MacroConfig(rows=20, cols=3, weight_bits=8, input_bits=8, banks=2)


def constant(name: str, data: np.ndarray, scales: tuple[float, ...]) -> Tensor:
    kind = str(data.dtype)
    return Tensor(name, data.shape, kind, Quantisation(scales, (0,) * len(scales)), data)


def network() -> Graph:
    """x (1, 6, 5, 4) → depthwise 3 x 3 of stride 2 → 1 x 1 with a scale an output → 10 classes."""
    draw = np.random.default_rng(9)
    tensors = {
        "x": Tensor("x", (1, 6, 5, 4), "int8", Quantisation((0.1,), (-3,))),
        "w0": constant("w0", draw.integers(-128, 128, (4, 3, 3, 1)).astype(np.int8), (0.02,) * 4),
        "b0": constant("b0", draw.integers(-900, 900, 4).astype(np.int32), (0.002,) * 4),
        "a": Tensor("a", (1, 3, 3, 4), "int8", Quantisation((0.3,), (5,))),
        "w1": constant(
            "w1",
            draw.integers(-128, 128, (7, 1, 1, 4)).astype(np.int8),
            (0.01, 0.02, 0.03) * 2 + (1,),
        ),
        "b": Tensor("b", (1, 3, 3, 7), "int8", Quantisation((0.4,), (-20,))),
        "c": Tensor("c", (1, 63), "int8", Quantisation((0.4,), (-20,))),
        "w2": constant("w2", draw.integers(-128, 128, (10, 63)).astype(np.int8), (0.05,)),
        "y": Tensor("y", (1, 10), "int8", Quantisation((2.0,), (0,))),
    }
    depthwise = Convolution((2, 2), (1, 1), ((1, 1), (1, 1)), 4, "relu")
    nodes = (
        Node("deep", depthwise, ("x", "w0", "b0"), ("a",)),
        Node("point", Convolution(activation="relu6"), ("a", "w1", None), ("b",)),
        Node("flat", Reshape(), ("b",), ("c",)),
        Node("full", FullyConnected(), ("c", "w2"), ("y",)),
    )
    return Graph("network", "tflite", tensors, nodes, ("x",), ("y",))


def test_a_macro_gives_numpys_numbers_in_every_tensor():
    graph, x = network(), np.random.default_rng(3).integers(-128, 128, (5, 6, 5, 4))
    products = MacroProducts(CONFIG)
    told, wanted = execute(graph, {"x": x}, products), execute(graph, {"x": x})
    for name, array in wanted.items():
        assert (told[name] == array).all(), name
    assert len(np.unique(wanted["y"])) > 10
    deep, point, full = products.uses.values()
    # two channels of 9 inputs side by side in 20 rows: 2 tiles of 45 positions of 5 images' 9
    assert (deep.tiles, deep.passes, deep.macs) == (2, 90, 45 * 4 * 9)
    assert (point.tiles, point.passes) == (3, 135)
    assert (full.tiles, full.passes, full.pass_cycles) == (16, 80, 80 * CONFIG.cycles_per_pass(8))


@pytest.mark.parametrize("macros", [1, 3])
@pytest.mark.parametrize("config", [CONFIG, load_config("tiny")])
def test_the_plan_tells_what_execution_takes(config, macros):
    graph, items = network(), 3
    plan = plan_network(graph, config, macros, items)
    products = MacroProducts(config, macros=macros)
    execute(graph, {"x": np.zeros((items, 6, 5, 4), int)}, products)
    for layer, use in zip(plan, products.uses.values(), strict=True):
        told = (layer.name, layer.operator, layer.macs, layer.tiles, layer.passes)
        assert told == (use.name, use.operator, use.macs, use.tiles, use.passes)


def test_how_many_macros_halve_the_cycles():
    graph = network()
    macros, cycles = macros_that_halve(graph, CONFIG, 3)
    one = sum(layer.cycles for layer in plan_network(graph, CONFIG, 1, 3))
    assert cycles == sum(layer.cycles for layer in plan_network(graph, CONFIG, macros, 3))
    assert 2 * cycles <= one
    fewer = plan_network(graph, CONFIG, macros - 1, 3)
    assert 2 * sum(layer.cycles for layer in fewer) > one
    assert (
        macros_that_halve(graph, load_config("base"), 1, {"full"}) is None
    )  # one tile, one vector


def test_what_a_layer_moves_is_told():
    deep, point, full = plan_network(network(), CONFIG, items=2)
    assert (deep.k, deep.n, deep.vectors, deep.parts, deep.together) == (9, 1, 18, 4, 2)
    assert (deep.weight_bytes, deep.input_bytes) == (36, 4 * 9 * 18)
    assert (deep.cells, deep.room, deep.utilisation) == (36, 120, 0.3)
    assert (deep.x_bytes, deep.y_bytes, deep.sum_bytes) == (2 * 120, 2 * 36, 0)
    assert (point.weight_bytes, point.input_bytes) == (28, 4 * 18 * 3)  # of three column blocks
    assert (full.weight_bytes, full.input_bytes) == (630, 63 * 2 * 4)
    assert full.sum_bytes == 2 * 3 * 4  # four blocks of rows: two items, three columns


def test_layers_that_are_not_chosen_are_numpys():
    graph, x = network(), np.zeros((1, 6, 5, 4), int)
    products = MacroProducts(CONFIG, chosen={"full"})
    execute(graph, {"x": x}, products)
    assert list(products.uses) == ["full"]


def test_items_of_other_shapes_are_refused():
    with pytest.raises(
        GraphError, match=r"input 'x' must have shape \(1, 6, 5, 4\), or a multiple"
    ):
        execute(network(), {"x": np.zeros((1, 5, 6, 4), int)})
