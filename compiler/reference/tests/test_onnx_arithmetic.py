"""ONNX's arithmetic by hand, and numbers that onnxruntime 1.32 made on x86 with AVX2, so that it is
held even where that is not installed."""

import numpy as np
import pytest

from cimforge.compiler.graph.graph import Graph, GraphError, Node
from cimforge.compiler.graph.operator import (
    Convolution,
    Elementwise,
    FullyConnected,
    Function,
    HostOperator,
    Operator,
    Pool,
    Reduce,
    Softmax,
)
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.reference.execution import execute, keeps_items
from cimforge.compiler.reference.onnx_dynamic import dynamically_quantised
from cimforge.compiler.reference.onnx_scaling import quantised, requantised, wrapped

BYTE, SIGNED = (0, 255), (-128, 127)


def one(operator: Operator, y: Tensor, *reads: tuple[Tensor, list]) -> list:
    """What one node makes of integers or floats."""
    tensors = {tensor.name: tensor for tensor, _ in reads} | {y.name: y}
    names = tuple(tensor.name for tensor, _ in reads)
    given = tuple(name for name in names if not tensors[name].is_constant)
    graph = Graph(
        "one", "onnx", tensors, (Node("n", operator, names, (y.name,)),), given, (y.name,)
    )
    return execute(graph, {tensor.name: np.array(value) for tensor, value in reads})["y"].tolist()


def integers(name: str, shape: tuple, kind: str, scale: float, zero: int) -> Tensor:
    return Tensor(name, shape, kind, Quantisation((float(np.float32(scale)),), (zero,)))


def test_halves_go_to_even_and_ends_saturate():
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, np.inf, -np.inf, np.nan], np.float32)
    told = quantised(x, np.ones(1, np.float32), np.zeros(1, np.int64), SIGNED)
    assert told.tolist() == [0, 2, 2, 0, -2, 127, -128, 127, -128, -128]
    sums = np.array([[5, 7, -5, 1 << 30]])
    told = requantised(sums, np.float32([0.5]), 10, 9, 200, BYTE)
    assert told.tolist() == [[12, 14, 9, 200]]  # 2.5, 3.5, -2.5 → 8, which is held to 9


def test_sums_are_float32_before_they_are_scaled():
    """16777217 is none: as onnxruntime has it, it becomes 16777216 first."""
    sums = np.array([(1 << 24) + 1])
    exact, told = (1 << 24) + 1, requantised(sums, np.float32([2.0**-25]), 0, 0, 255, BYTE)
    assert exact * 2.0**-25 > 0.5
    assert told.tolist() == [0]


@pytest.mark.parametrize(
    ("x", "w", "y", "total", "wanted"),
    [
        (0.00688695115968585, 0.0386962816119194, 0.043547630310058594, 18710, 115),
        (0.04657517746090889, 0.05123951658606529, 0.07917691022157669, -2903, -88),
        (0.056217011064291, 0.0022025061771273613, 0.07158637046813965, 33244, 58),
    ],
)
def test_scales_are_multiplied_in_float32_one_by_one(x, w, y, total, wanted):
    """Where the exact factor would round the other way."""
    held = np.array([[1]], np.int8)
    weights = Tensor("w", (1, 1), "int8", Quantisation((w,), (0,)), held)
    bias = Tensor("b", (1,), "int32", None, np.array([total]))
    told = one(
        *(FullyConnected(), integers("y", (1, 1), "int8", y, 0)),
        *((integers("x", (1, 1), "int8", x, 0), [[0]]), (weights, []), (bias, [])),
    )
    assert told == [[wanted]]
    assert np.rint(np.float32(x * w / y) * np.float32(total)) != wanted


def test_sums_wrap():
    assert wrapped(np.array([(1 << 31) + 5, -(1 << 31) - 1])).tolist() == [5 - (1 << 31), 2**31 - 1]


@pytest.mark.parametrize(
    ("x", "wanted"),
    [
        ([0, 2, -3, -2.5, 1.34, 0.5], ([153, 255, 0, 26, 221, 179], 0.0196078438, 153)),
        ([-1.0, -2.1, -1.3, -2.5, -3.34, -4.0], ([191, 121, 172, 96, 42, 0], 0.0156862754, 255)),
        ([1, 2.1, 1.3, 2.5, 3.34, 4.0], ([64, 134, 83, 159, 213, 255], 0.0156862754, 0)),
        ([0, 0], ([0, 0], 1.0, 0)),
    ],
)
def test_dynamic_quantisation_as_onnx_documents_it(x, wanted):
    told, scale, zero = dynamically_quantised(np.array(x, np.float32))
    assert (told.tolist(), zero) == (wanted[0], wanted[2])
    assert scale == np.float32(wanted[1])


def test_sums_of_integers_as_onnxruntime_has_them():
    a = integers("a", (2, 4), "uint8", 0.03, 120), [[34, 32, 204, 127], [151, 153, 182, 7]]
    b = integers("b", (2, 4), "uint8", 0.05, 140), [[124, 37, 102, 237], [140, 18, 138, 33]]
    told = one(Elementwise("add"), integers("y", (2, 4), "uint8", 0.06, 128), a, b)
    assert told == [[72, 0, 138, 212], [144, 43, 157, 0]]
    a = integers("a", (2, 4), "int8", 0.03, -7), [[65, 114, 122, 31], [94, -34, -91, 2]]
    b = integers("b", (2, 1), "int8", 0.05, 9), [[-15], [41]]
    told = one(Elementwise("add"), integers("y", (2, 4), "int8", 0.06, -1), a, b)
    assert told == [[15, 40, 44, -2], [76, 12, -16, 30]]


@pytest.mark.parametrize(
    ("a", "b", "scales", "zeros", "wanted"),
    [
        ([37, 196, 31, 237], [230], (0.03, 0.06, 0.1), (118, 179, 70), [76, 124, 75, 136]),
        ([227, 161, 232, 63], [228], (0.04, 0.015, 0.05), (157, 179, 133), [204, 151, 208, 73]),
        ([212, 199, 234, 138], [76], (0.015, 0.025, 0.07), (174, 109, 61), [57, 55, 62, 41]),
        ([226], [206, 157, 223, 163], (0.015, 0.05, 0.03), (65, 139, 91), [255, 201, 255, 212]),
        ([148], [148, 212, 226, 185], (0.07, 0.01, 0.06), (156, 159, 48), [37, 47, 50, 43]),
    ],
)
def test_each_step_of_a_sum_rounds_once(a, b, scales, zeros, wanted):
    """Products and sums of float32 in two steps would give 74, 72 and 42; b first 202 and 48."""
    tensors = [
        integers(name, (size,), "uint8", scale, zero)
        for name, size, scale, zero in zip(
            *("aby", (len(a), len(b), 4), scales, zeros), strict=True
        )
    ]
    assert one(Elementwise("add"), tensors[2], (tensors[0], a), (tensors[1], b)) == wanted


def test_products_of_integers_as_onnxruntime_has_them():
    a = integers("a", (2, 4), "int8", 0.03, -7), [[126, -58, 91, -93], [-39, 73, -65, 43]]
    b = integers("b", (4,), "int8", 0.05, 9), [-11, 3, 112, 81]
    told = one(Elementwise("multiply"), integers("y", (2, 4), "int8", 0.12, -1), a, b)
    assert told == [[-34, 3, 125, -78], [7, -7, -76, 44]]


def test_means_and_softmax_as_onnxruntime_has_them():
    x = [[[[214, 140], [251, 251]], [[34, 52], [78, 141]], [[210, 123], [251, 90]]]]
    a = integers("a", (1, 3, 2, 2), "uint8", 0.03, 120), x
    told = one(Reduce("mean", (2, 3), True), integers("y", (1, 3, 1, 1), "uint8", 0.02, 100), a)
    assert told == [[[[241]], [[34]], [[173]]]]
    a = integers("a", (2, 5), "int8", 0.03, 10), [[109, 23, 56, -68, 23], [77, 98, 94, 119, -96]]
    told = one(Softmax(-1), integers("y", (2, 5), "int8", 1 / 256, -128), a)
    assert told == [[60, -114, -90, -127, -114], [-96, -68, -75, -16, -128]]


def test_a_convolution_as_onnxruntime_has_it():
    """Padded with the zero point, a bias in units of x and w."""
    w = np.array([[[[5], [-3]], [[127], [-128]]]], np.int8)
    weights = Tensor("w", w.shape, "int8", Quantisation((float(np.float32(0.01)),), (0,)), w)
    bias = Tensor("b", (1,), "int32", None, np.array([321], np.int32))
    x = integers("x", (1, 2, 2, 1), "uint8", 0.02, 100), [[[[0], [255]], [[99], [130]]]]
    y = integers("y", (1, 3, 3, 1), "uint8", 0.1, 99)
    operator = Convolution(padding=((1, 1), (1, 1)))
    told = one(operator, y, x, (weights, w.tolist()), (bias, [321]))
    assert np.array(told)[0, :, :, 0].tolist() == [[125, 35, 139], [100, 90, 109], [100, 99, 100]]


def test_pools_count_what_they_are_told():
    x = Tensor("x", (1, 2, 2, 1), "float32"), [[[[1.0], [2.0]], [[3.0], [6.0]]]]
    y = Tensor("y", (1, 2, 2, 1), "float32")
    told = Pool("average", (2, 2), (1, 1), ((0, 1), (0, 1)))
    assert np.ravel(one(told, y, x)).tolist() == [3, 4, 4.5, 6]
    told = Pool("average", (2, 2), (1, 1), ((0, 1), (0, 1)), counted=(1, 1))
    assert np.ravel(one(told, y, x)).tolist() == [3, 2, 2.25, 1.5]


def test_what_has_no_rule_is_told():
    x, y = integers("x", (2,), "int8", 1, 0), integers("y", (2,), "int8", 1, 0)
    with pytest.raises(GraphError, match="n': divide of integers with a scale is not computed"):
        one(Elementwise("divide"), y, (x, [1, 2]), (x, [1, 2]))
    w = Tensor("w", (1, 1, 1, 1), "int8", None, np.ones((1, 1, 1, 1), np.int8))
    x, y = Tensor("x", (1, 1, 1, 1), "int8"), Tensor("y", (1, 1, 1, 1), "float32")
    with pytest.raises(GraphError, match="'x' and 'w' must be quantised"):
        one(Convolution(), y, (x, [[[[1]]]]), (w, []))
    indices = Tensor("i", (2,), "int64", None, np.array([0, 5]))
    gather = HostOperator("Gather", (("axis", 0),))
    x, y = Tensor("x", (2,), "float32"), Tensor("y", (2,), "float32")
    with pytest.raises(GraphError, match=r"indices must lie in -2\.\.1, not 0\.\.5"):
        one(gather, y, (x, [1, 2]), (indices, []))


def test_operators_of_the_host_that_keep_items_are_named():
    def keeps(operator: Operator) -> bool:
        tensors = {name: Tensor(name, (1, 4, 2, 2), "float32") for name in "xy"}
        nodes = (Node("n", operator, ("x",), ("y",)),)
        return keeps_items(Graph("f", "onnx", tensors, nodes, ("x",), ("y",)))

    assert keeps(Function("tanh"))
    assert keeps(HostOperator("Cast", (("to", "float32"),)))
    assert not keeps(HostOperator("Gather", (("axis", 0),)))
