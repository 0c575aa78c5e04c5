"""Networks as data: what does not fit together is refused in one line."""

import numpy as np
import pytest

from cimforge.compiler.graph.graph import Graph, GraphError, Node, ordered
from cimforge.compiler.graph.operator import Function
from cimforge.compiler.graph.tensor import Quantisation, Tensor


def node(name: str, reads: str, makes: str) -> Node:
    return Node(name, Function("relu"), tuple(reads.split()), (makes,))


def test_constants_have_real_numbers_by_axis():
    told = Quantisation((0.5, 2.0), (1, -1), axis=1)
    tensor = Tensor("w", (1, 2), "int8", told, np.array([[3, 4]], np.int8))
    assert tensor.real().tolist() == [[1.0, 10.0]]
    assert (tensor.size, tensor.limits, tensor.is_constant) == (2, (-128, 127), True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", (2, -1), "int8"), r"shape must have at most 8 sizes, none below 0, not \(2, -1\)"),
        (("x", (1 << 20, 1 << 20), "int8"), "must have at most 268435456 elements"),
        (("x", (2,), "int17"), "kind must be one of int1, .*, not 'int17'"),
        (("x", (3,), "int8", Quantisation((1, 1), (0, 0))), "must have 3 scales on axis 0, not 2"),
        (("x", (3,), "int8", Quantisation((1, 1), (0, 0), 4)), "axis must be one of 1, not 4"),
        (("x", (3,), "int8", Quantisation((1,), (200,))), "zero points must lie in -128..127, not"),
        (("x", (1,), "int4", None, np.array([9])), r"data must lie in -8..7 \(int4\), not 9"),
        (("x", (1,), "int4", None, np.array([9, 9])), r"must have shape \(1,\), not \(2,\)"),
    ],
)
def test_tensors_that_lie_are_refused(arguments, message):
    with pytest.raises(ValueError, match=rf"^tensor 'x': .*{message}"):
        Tensor(*arguments)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scales_are_positive_numbers(scale):
    with pytest.raises(ValueError, match="scale must be above 0 and finite"):
        Quantisation((scale,), (0,))


def test_a_scale_a_channel_is_no_scale():
    tensor = Tensor("x", (2,), "int8", Quantisation((1.0, 2.0), (0, 0)))
    with pytest.raises(ValueError, match="'x': must have one scale, not one a channel"):
        _ = tensor.scale
    with pytest.raises(ValueError, match="must hold integers, not float32"):
        _ = Tensor("y", (2,), "float32").limits


def test_nodes_are_ordered_and_circles_found():
    nodes = [node("c", "b", "c"), node("a", "x", "a"), node("b", "a", "b")]
    assert [each.name for each in ordered(nodes, {"x"})] == ["a", "b", "c"]
    circle = [node("a", "b", "a"), node("b", "a", "b")]
    with pytest.raises(GraphError, match="Function 'a': waits for itself, in a circle of nodes"):
        ordered(circle, {"x"})


def test_graphs_that_are_none_are_refused():
    tensors = {name: Tensor(name, (1,), "int8") for name in "xyz"}

    def graph(*nodes: Node, outputs: str = "y") -> Graph:
        return Graph("f", "tflite", tensors, nodes, ("x",), (outputs,))

    good = graph(node("n", "x", "y"))
    read, made = good.of(good.nodes[0])
    assert (read, made) == ([tensors["x"]], [tensors["y"]])
    for nodes, message in (
        ((node("n", "z", "y"),), "reads 'z', which nothing before it makes"),
        ((node("n", "q", "y"),), "there is no tensor 'q'"),
        ((node("n", "x", "x"),), "makes 'x', which is there already"),
        ((node("n", "x", "z"),), "output 'y' is made by no node"),
    ):
        with pytest.raises(GraphError, match=message):
            graph(*nodes)
