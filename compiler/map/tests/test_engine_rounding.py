"""Rounding on an engine and in a framework: every sum is tried where ranges are small, and what is
known to differ differs."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.operator import (
    Convolution,
    FullyConnected,
    MatrixProduct,
    Operator,
    Reshape,
    TransposedConvolution,
)
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.map import rounding_table
from cimforge.compiler.map.accumulator_rule import accumulator_rule
from cimforge.compiler.map.drawn_layer import drawn_layer
from cimforge.compiler.map.engine_rounding import (
    Difference,
    Proof,
    _Search,
    _thresholds,
    proves_equal,
)
from cimforge.compiler.map.rounding_table import main, proof_rows
from cimforge.compiler.reference.call import exact_products
from cimforge.compiler.reference.execution import execute
from cimforge.compiler.reference.lowering import convolution_shape
from cimforge.golden.requantise import requantise

RULES = ("onnx", "tflite", "litert")
ONE = Quantisation((1.0,), (0,))


def layer(
    rule: str,
    weights: np.ndarray,
    scales: tuple[float, float, float],
    *,
    bias: np.ndarray | None = None,
    zeros: tuple[int, int] = (0, 0),
    kinds: tuple[str, str, str] = ("int8", "int8", "int8"),
    bias_kind: str = "int32",
    operator: Operator | None = None,
) -> Graph:
    """One fully connected layer, or another operator of weights (N, ...)."""
    operator = operator or FullyConnected()
    (x_scale, w_scale, y_scale), (x_zero, y_zero) = scales, zeros
    inputs, outputs = sizes(operator, weights)
    tensors = [
        Tensor("x", inputs, kinds[0], Quantisation((x_scale,), (x_zero,))),
        Tensor("w", weights.shape, kinds[1], Quantisation((w_scale,), (0,)), weights),
        Tensor("y", outputs, kinds[2], Quantisation((y_scale,), (y_zero,))),
    ]
    reads = ["x", "w"]
    if bias is not None:
        tensors.append(Tensor("b", bias.shape, bias_kind, ONE, bias))
        reads.append("b")
    told = {tensor.name: tensor for tensor in tensors}
    return Graph("file", rule, told, (Node("n", operator, tuple(reads), ("y",)),), ("x",), ("y",))


def sizes(operator: Operator, weights: np.ndarray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of x and y: images of 4 x 5 x 3, or 2 vectors."""
    channels = len(weights)
    match operator:
        case Convolution():
            positions = convolution_shape(operator, (4, 5), weights.shape[1:3])
            return (1, 4, 5, 3), (1, *positions, channels)
        case TransposedConvolution():
            return (1, 4, 5, 3), (1, *operator.output, channels)
        case MatrixProduct(_, False):
            return (2, channels), (2, weights.shape[1])
    return (2, weights.shape[1]), (2, channels)


def engine(proof: Proof, sums: np.ndarray) -> np.ndarray:
    """Results of sums (rows, N) as an engine computes them."""
    told = proof.requantise
    return requantise(
        *(sums, 0, told.multiplier, told.shift),
        rounding=told.rounding,
        zero=told.zero,
        lowest=told.lowest,
        highest=told.highest,
    )


def check(graph: Graph, rounding: str = "") -> Proof:
    """The proof, of one rounding where it is named, held against every sum of each channel."""
    node, rule = graph.nodes[0], accumulator_rule(graph, graph.nodes[0])
    if rounding:
        proof = _Search(node, rule, _thresholds(rule), rounding).proof()
    else:
        proof = proves_equal(graph, node)
    rows = int((rule.highest - rule.lowest).max()) + 1
    sums = np.minimum(rule.lowest + np.arange(rows)[:, None], rule.highest)
    wanted, found = rule.results(sums), engine(proof, sums)
    same = (wanted == found).all(axis=0)
    assert (proof.equal, proof.proven) == (bool(same.all()), int(same.sum()))
    if not proof.equal:
        worst = proof.worst
        place = worst.accumulator - rule.lowest[worst.channel], worst.channel
        assert (wanted[place], found[place]) == (worst.reference, worst.engine)
        assert worst.reference != worst.engine
        # of a range that is cut off behind its highest sum, that is repeated
        each = np.abs(wanted - found)[: proof.accumulators].sum(axis=0)
        assert proof.differing == each[worst.channel] == each.max()
    return proof


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(8))
def test_every_sum_of_small_layers(rule, seed):
    """Drawn weights, scales, zero points, kinds and biases."""
    draw = np.random.default_rng(seed)
    channels, inputs = int(draw.integers(1, 6)), int(draw.integers(1, 5))
    weights = draw.integers(-128, 128, (channels, inputs))
    y_zero = int(draw.integers(-128, 128))
    scales = tuple(float(np.float32(each)) for each in draw.uniform(0.001, 0.1, 2))
    span = np.abs(weights).sum() / channels * 128 * scales[0] * scales[1]
    scale = float(np.float32(span / draw.uniform(20, 300)))
    check(
        layer(
            *(rule, weights, (*scales, scale)),
            bias=draw.integers(-3000, 3000, channels),
            zeros=(int(draw.integers(-128, 128)), y_zero),
            operator=FullyConnected(str(draw.choice(["none", "relu", "relu6"]))),
        )
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("factor", [0.5, 0.25, 0.75, 1.5, 3 / 8, 1.0, 2.0, 1 / 3, 1 / 255])
def test_ties(rule, factor):
    """Factors that make halves: each framework's ties are another's."""
    weights = np.array([[1], [-3], [100], [2]])
    proof = check(layer(rule, weights, (0.5, 2.0, 1 / factor)))
    assert proof.equal
    if factor in (0.5, 0.25, 0.75, 1.5, 3 / 8):
        assert proof.rounding == {"onnx": "half_even", "tflite": "double"}.get(rule, proof.rounding)


@pytest.mark.parametrize("kind", ["uint8", "int8", "int16", "int4"])
def test_kinds_of_results(kind):
    weights = np.array([[100, -3], [7, 127]])
    scale = {"int16": 0.003, "int4": 20.0}.get(kind, 1.3)
    proof = check(layer("onnx", weights, (0.03, 0.2, scale), kinds=("uint8", "int8", kind)))
    assert proof.requantise.wide == (kind == "int16")


def test_sums_of_64_bits_round_once():
    """TensorFlow Lite's 16-bit layers with a wide bias, or none: 15 bits of the multiplier."""
    weights = np.array([[7], [-3], [1]])
    kinds = ("int16", "int8", "int16")
    for bias in (np.array([9, -7, 70000]), None):
        told = {"bias": bias, "bias_kind": "int64", "kinds": kinds}
        proof = check(layer("tflite", weights, (0.001, 0.03, 0.00031), **told))
        assert (proof.equal, proof.rounding, proof.requantise.wide) == (True, "single", True)


def test_a_float_that_no_multiplier_makes():
    """float32 rounds products of large sums to halves, where ties go to even: no exact product
    does, whatever its multiplier."""
    weights = np.random.default_rng(1).integers(-128, 128, (8, 200))
    graph = layer("onnx", weights, (0.05, 0.01, 3.1), kinds=("uint8", "int8", "int8"))
    proof = proves_equal(graph, "n")
    assert not proof.equal
    rule, worst = accumulator_rule(graph, graph.nodes[0]), proof.worst
    sums = np.full((1, 8), worst.accumulator)
    assert rule.results(sums)[0, worst.channel] == worst.reference
    assert engine(proof, sums)[0, worst.channel] == worst.engine
    # Not one multiplier near by meets every threshold of that channel.
    lowest, highest = rule.lowest[worst.channel], rule.highest[worst.channel]
    every = np.arange(lowest, highest + 1)
    results = rule.results(np.repeat(every[:, None], 8, axis=1))[:, worst.channel]
    steps = np.flatnonzero(np.diff(results))
    some = np.concatenate([steps, steps + 1])
    told = proof.requantise
    near = told.multiplier[worst.channel] + np.arange(-300, 301)
    found = requantise(
        *(every[some][:, None], 0, near, told.shift[worst.channel]),
        **{"rounding": told.rounding, "zero": told.zero},
        **{"lowest": told.lowest, "highest": told.highest},
    )
    assert not (found == results[some][:, None]).all(axis=0).any()


def test_a_neighbour_where_the_nearest_multiplier_fails():
    """Halves away from zero by a rounding with ties up: a multiplier just above one half."""
    graph = layer("litert", np.array([[1]]), (0.5, 2.0, 2.0))
    proof = check(graph)
    assert proof.equal
    assert int(proof.requantise.multiplier[0]) > 1 << 30
    assert int(proof.requantise.shift[0]) == 0


@pytest.mark.parametrize(("rounding", "factor"), [("single", 0.5), ("double", 0.25)])
def test_a_range_that_ends_at_a_tie(rounding, factor):
    """The first channel's sums are -2..1, and no clamp holds its results at the last of them."""
    weights = np.array([[1], [40]])
    graph = layer("onnx", weights, (0.5, 2.0, 1 / factor), kinds=("int2", "int8", "int8"))
    proof = check(graph, rounding)
    assert proof.proven >= 1
    assert int(proof.requantise.multiplier[0]) != 1 << 30


@pytest.mark.parametrize("rounding", ["single", "double", "half_even"])
def test_other_roundings_are_seen_to_differ(rounding):
    """Of a layer whose factor is one half, of either framework."""
    for rule in RULES:
        proof = check(layer(rule, np.array([[3, 1], [5, 2]]), (0.5, 2.0, 4.0)), rounding)
        own = {"onnx": "half_even", "tflite": "double"}.get(rule)
        assert proof.equal >= (rounding == own)


SHAPES = [
    (Convolution((2, 1), (1, 2), ((1, 1), (0, 0)), 1, "relu"), (5, 2, 2, 3)),
    (Convolution(groups=3), (3, 3, 3, 1)),
    (TransposedConvolution((2, 2), output=(8, 10)), (4, 2, 2, 3)),
    (MatrixProduct(), (6, 4)),
    (MatrixProduct(turn_b=True), (4, 6)),
]


@pytest.mark.parametrize("rule", ["onnx", "tflite"])
@pytest.mark.parametrize(("operator", "shape"), SHAPES)
def test_the_rule_is_the_networks(rule, operator, shape):
    """Of each operator: sums that its products make are in range, and become what the whole node
    makes of them."""
    draw = np.random.default_rng(5)
    weights = draw.integers(-128, 128, shape)
    told = {"zeros": (-7, 3), "operator": operator}
    graph = layer(rule, weights, (0.05, 0.02, 1.7), **told)
    rule_of = accumulator_rule(graph, graph.nodes[0])
    seen = []

    def note(call, parts):
        found = exact_products(call, parts)
        for part, sums in zip(parts, found, strict=True):
            whole = sums + 7 * part.w.sum(axis=0)
            seen.append(whole)
            own = slice(part.first, part.first + part.w.shape[1])
            assert (whole >= rule_of.lowest[own]).all()
            assert (whole <= rule_of.highest[own]).all()
        return found

    x = draw.integers(-128, 128, graph.tensors["x"].shape)
    found = execute(graph, {"x": x}, note)["y"]
    sums = np.concatenate(seen, axis=1)
    assert (rule_of.results(sums) == found.reshape(sums.shape)).all()
    assert len(np.unique(found)) > 5
    check(graph)


def test_both_ends_are_reached():
    graph = layer("onnx", np.array([[3, -2]]), (1.0, 1.0, 9.0), zeros=(5, 0))
    rule = accumulator_rule(graph, graph.nodes[0])
    assert rule.lowest.tolist() == [3 * -133 - 2 * 122]
    assert rule.highest.tolist() == [3 * 122 + 2 * 133]
    assert rule.folded.tolist() == [-5]


def test_a_table_has_the_products_of_a_network():
    """Two layers of which one differs, one whose results are no integers, and a reshape."""
    graph = layer("tflite", np.array([[3, -2]]), (0.1, 0.1, 0.3))
    told = graph.tensors
    tensors = {**told, "z": replace(told["y"], name="z", kind="float32"), "v": told["y"]}
    tensors["v"] = Tensor("v", (2,), "int8", ONE)
    nodes = (
        *graph.nodes,
        replace(graph.nodes[0], name="m", outputs=("z",)),
        Node("flat", Reshape(), ("y",), ("v",)),
    )
    first, second = proof_rows(replace(graph, tensors=tensors, nodes=nodes, outputs=("v",)))
    assert first == {
        **{"layer": "FullyConnected 'n'", "rounding": "double"},
        **{"channels equal": "1 of 1", "sums that differ": "none"},
    }
    assert second == {
        **{"layer": "FullyConnected 'm'", "rounding": "none"},
        **{"channels equal": "none", "sums that differ": "results 'z' are not requantised"},
    }


def test_a_difference_is_told_in_a_row():
    proof = proves_equal(layer("onnx", np.full((2, 9), 127), (0.05, 0.01, 0.37)), "n")
    other = replace(
        *(proof,),
        **{"equal": False, "proven": 1, "worst": Difference(1, -4321, -7, -8)},
        **{"differing": 2, "accumulators": 1234567},
    )
    told = other.row()
    assert told["channels equal"] == "1 of 2"
    assert told["sums that differ"] == "2 of 1,234,567 of channel 1: -4,321 is -7, not -8"


def test_the_table_of_drawn_layers(monkeypatch):
    monkeypatch.setattr(rounding_table, "SIZES", ((6, 3),))
    monkeypatch.setattr(rounding_table, "SEEDS", 2)
    ran = CliRunner().invoke(main)
    assert ran.exit_code == 0
    heads, _, *rows = [line.strip("| ").split(" | ") for line in ran.stdout.splitlines()]
    assert heads == ["layer", "rounding", "channels equal", "sums that differ"]
    assert [row[0] for row in rows[:2]] == ["onnx 6 x 3, seed 0", "onnx 6 x 3, seed 1"]
    assert rows[2:] == [
        [f"{rule} 6 x 3, seed {seed}", rounding, "3 of 3", "none"]
        for rule, rounding in (("tflite", "double"), ("litert", "single"))
        for seed in (0, 1)
    ]
    graph = drawn_layer("onnx", 6, 3, 1)
    assert rows[1][2].startswith(str(check(graph).proven))


WIDE = {"kinds": ("int16", "int8", "int16")}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"operator": Reshape()}, "Reshape 'n': is no product"),
        ({"kinds": ("int8", "int8", "uint16")}, "FullyConnected 'n': results must fit 16 bits"),
        (
            {"bias": np.array([1 << 31]), "bias_kind": "int64"},
            "must fit 32 bits, and those of FullyConnected 'n'",
        ),
        (
            {"bias": np.array([1 << 31]), "bias_kind": "int64", "rule": "tflite", **WIDE},
            r"'n': bias\[0\] leaves 32 bits with the zero point folded in: 2147483648",
        ),
    ],
)
def test_what_no_engine_requantises_is_refused(change, rule):
    told = {"rule": "onnx", "weights": np.array([[3]]), "scales": (1.0, 1.0, 9.0)} | change
    with pytest.raises(ValueError, match=rule):
        proves_equal(layer(**told), "n")


def test_unknown_numbers_are_refused():
    graph = layer("onnx", np.array([[3]]), (1.0, 1.0, 9.0), bias=np.array([4]))
    with pytest.raises(ValueError, match="there is no node 'm'"):
        proves_equal(graph, "m")
    for name, change, rule in (
        ("w", {"data": None}, "weights 'w' come at run time"),
        ("b", {"data": None}, "bias 'b' must be constant integers"),
        ("y", {"kind": "float32"}, "results 'y' are not requantised"),
    ):
        tensors = {**graph.tensors, name: replace(graph.tensors[name], **change)}
        inputs = ("x", name) if name != "y" else ("x",)
        with pytest.raises(ValueError, match=f"FullyConnected 'n': {rule}"):
            proves_equal(replace(graph, tensors=tensors, inputs=inputs), "n")
