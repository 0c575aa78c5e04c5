"""What is not computed bit for bit is refused in one line that names file, operator and rule."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError

pytest.importorskip("tflite", reason="package tflite is not installed: no file to write")

from cimforge.compiler.importers.tests.tflite_cases import computed, drawn
from cimforge.compiler.importers.tests.tflite_writer import Model
from cimforge.compiler.importers.tflite_import import import_tflite

Change = Callable[[Model], None]
Q = (0.05,)


def fields(**told: Any) -> Change:
    """Other options of the first operator."""
    return lambda model: model.nodes[0][4].update(told)


def tensor(place: int, **told: Any) -> Change:
    """Another tensor in place of one."""

    def change(model: Model) -> None:
        model.tensors[place] = model.tensors[place]._replace(**told)

    return change


def numbers(place: int, *told: int) -> Change:
    """Other constants of int32."""
    octets = np.array(told, "<i4").tobytes()
    return tensor(place, octets=octets, shape=(len(told),))


def node(place: int, told: Any) -> Change:
    """The first operator's code (0), inputs (1), outputs (2) or options' class (3)."""

    def change(model: Model) -> None:
        parts = list(model.nodes[0])
        parts[place] = told
        model.nodes[0] = tuple(parts)

    return change


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(model: Model) -> None:
        for each in changes:
            each(model)

    return change


READ = [  # case, change, what is told when the file is read
    ("connected", fields(FusedActivationFunction=5), "fused activation 5 is not computed here"),
    ("connected", node(0, "SVDF"), r"operator SVDF \(27\) is not computed here"),
    ("mean", both(node(0, "SUM")), r"SUM \(74\) .* LiteRT's own kernels disagree.*; take a mean"),
    ("relu_int8", node(0, "NEG"), r"NEG \(59\) .*leaves zero points out; subtract from zeros"),
    ("connected", node(3, ""), "FullyConnectedOptions are missing"),
    ("connected", node(1, [0, -1]), "input 1 is missing"),
    ("connected", node(1, []), "has no input or no output"),
    ("relu_int8", node(1, [-1]), "input 0 is missing"),
    (
        "relu_int8",
        tensor(1, kind="int16", zeros=(0,)),
        "of int8 and output of int16 must be of one",
    ),
    (
        "relu_int8",
        tensor(0, kind="int32", zeros=(0,)),
        "'t0' must hold int8 or uint8 or int16, not",
    ),
    ("relu_int8", tensor(0, scales=()), "'t0' must be quantised"),
    ("relu_int16", tensor(0, zeros=(3,)), "'t0' of int16 must have a zero point of 0"),
    ("relu_int8", tensor(1, shape=(1, 4, 5, 2)), r"'t1' must have shape \(1, 4, 5, 3\), and the f"),
    ("convolution", tensor(0, shape=(6, 5, 4)), r"'t0' must have 4 axes, not shape \(6, 5, 4\)"),
    ("convolution", fields(StrideH=0), "stride_h must be at least 1, not 0"),
    ("convolution", fields(DilationWFactor=-1), "dilation_w must be at least 1, not -1"),
    ("convolution", tensor(0, shape=(1, 6, 5, 3)), r"weights \(7, 3, 3, 4\) do not divide 3"),
    ("convolution", node(1, [0, 1]), "must have a bias, if only of zeros"),
    ("convolution", tensor(1, scales=()), "weights 't1' must be quantised"),
    ("convolution_groups", tensor(1, axis=3, scales=Q * 2, zeros=(0, 0)), "scales on axis 0"),
    ("convolution_one_scale", tensor(1, zeros=(1,)), "weights 't1' must have zero points of 0"),
    ("connected", tensor(1, zeros=(1,) * 11), "weights 't1' must have zero points of 0"),
    (
        "connected_uint8",
        tensor(1, scales=Q * 11, zeros=(0,) * 11),
        "weights 't1' of uint8 must have one scale",
    ),
    (
        "connected",
        tensor(2, shape=(10,), octets=b"\0" * 40, scales=Q, zeros=(0,)),
        "hold 11 integers of int32,",
    ),
    ("connected_int16_narrow", fields(QuantizedBiasType=0), "of int64, not 11 of int32"),
    ("connected", fields(WeightsFormat=1), "weights must be in the default format, not shuffled"),
    ("connected", tensor(0, shape=(1, 36)), r"weights \(11, 37\) do not divide input \(1, 36\)"),
    ("depthwise", tensor(0, shape=(1, 6, 5, 3)), r"\(1, 3, 3, 4\) are none of 3 channels"),
    ("depthwise", tensor(1, octets=b""), "weights 't1' must be constants"),
    ("transposed_same", tensor(4, shape=(320, 5)), r"'t4' must have 4 axes, not shape \(320, 5\)"),
    ("transposed_same", tensor(4, shape=(1, 9, 10, 5)), "do not make size"),
    ("matrices", tensor(0, shape=(5,)), "'t0' must have at least 2 axes"),
    ("matrices", tensor(0, shape=(2, 5, 7)), "do not multiply"),
    ("matrices", tensor(0, shape=(3, 5, 8)), r"\(3,\) and \(2,\) do not fit element by element"),
    ("add", tensor(1, shape=(4,)), r"\(1, 4, 5, 3\) and \(4,\) do not fit element by element"),
    ("pool_max_same", fields(FilterHeight=0), "filter_height must be at least 1, not 0"),
    ("pool_average_same", fields(FilterHeight=1 << 24), "of padding around a side of 7 is more"),
    ("convolution", fields(DilationHFactor=1 << 30), "of padding around a side of 6 is more than"),
    ("concatenate", fields(Axis=4), "axis 4 is none of 4"),
    ("concatenate", tensor(1, shape=(1, 3, 5, 2)), "beside axis 3 do not lie side by side"),
    ("pack", tensor(1, shape=(3, 36)), r"shapes \(3, 36\) and \(3, 37\) must be one"),
    ("reshape", tensor(2, shape=(4, 16)), r"\(1, 4, 5, 3\) does not become \(4, 16\)"),
    ("transpose", numbers(0, 0, 3, 1, 1), r"order \(0, 3, 1, 1\) is none of axes"),
    ("transpose", tensor(0, octets=b""), "'t0' must be a constant"),
    ("transpose", numbers(0, *range(65)), "'t0' must have at most 64 numbers, not 65"),
    ("pad", numbers(0, 0, 0, -1, 2, 0, 3, 0, 0), r"amounts .* are none of shape \(1, 4, 5, 3\)"),
    ("pad_with", tensor(2, scales=(0.04,)), "the constant must have the input's scale and zero"),
    ("slice", numbers(0, 0, 1, 0), "are none of shape"),
    ("slice", numbers(0, 0, 3, 0, 1), r"lead out of shape \(1, 4, 5, 3\)"),
    ("strided", fields(EllipsisMask=1), "ellipses, new axes and ends as offsets are not computed"),
    ("strided", numbers(2, 1, -1, 1, 1), "must be one an axis of .*, at least 1"),
    ("strided_masks", numbers(0, 9, 9, -3, 1), "begin .* leads out of shape"),
    ("split", numbers(0, 3, 2), r"axis must be one number, not \[3, 2\]"),
    ("split", tensor(2, shape=(1, 4, 5, 2)), r"sizes \[2, 3\] do not add up to axis 3 of"),
    ("unpack", node(2, [1, 2, 3]), "3 outputs are none of axis 1"),
    ("gather", fields(BatchDims=1), "batch axes are not computed here"),
    ("gather", tensor(0, kind="int16"), "places must be int32 or int64, not int16"),
    ("embedding", tensor(1, shape=(), octets=b"\0"), "the table must have an axis"),
    ("softmax", tensor(0, shape=()), "the input must have an axis"),
    ("resize_nearest", tensor(2, shape=(1, 0, 9, 3)), "does not become"),
    ("lstm", node(1, [0, 1]), "must have 24 inputs and 5 inner tensors of scales"),
    ("lstm", lambda model: model.nodes[0][1].__setitem__(9, 1), "peepholes are not computed here"),
    ("lstm", lambda model: model.nodes[0][1].__setitem__(16, 1), "a projection are not computed"),
    ("lstm", lambda model: model.nodes[0][1].__setitem__(20, 1), "layer norms are not computed"),
    ("lstm", lambda model: model.nodes[0][1].__setitem__(1, -1), "input 1 is missing"),
    ("lstm", fields(FusedActivationFunction=1), "must have tanh as its activation"),
    ("lstm", tensor(1, zeros=(1,)), "weights 't1' must have zero points of 0"),
    ("lstm", tensor(13, shape=(2, 7)), "'t13' must be int8 of shape .1, 7., known before the"),
    ("lstm", tensor(13, shape=(1 << 10, 1 << 11)), "state 't13' must hold at most 1048576"),
]
RUN = [  # case, change, what is told when the network is run
    ("pool_max_same", tensor(1, scales=(0.04,)), "input must have the output's scale and zero"),
    ("concatenate", tensor(1, zeros=(1,)), "inputs must have the output's scale and zero point"),
    ("concatenate", fields(FusedActivationFunction=1), "an activation behind it is not computed"),
    ("reduce_max", tensor(2, scales=(0.04,)), "input must have the output's scale and zero point"),
    ("hard_swish_int8", tensor(1, scales=(0.0003,)), "scale must be below 128 of the output's"),
    ("tanh_int16", tensor(1, scales=(0.1,)), "the output a scale of 1/32768"),
    ("tanh_int16", tensor(0, scales=(6.0,)), "the input's scale must be below 5.3, not 6"),
    ("rsqrt", tensor(0, zeros=(9,)), "rsqrt is only defined for positive values"),
    ("rsqrt", tensor(1, scales=(1e5,)), r"the output's scale must be below 2\^11 / sqrt"),
    ("exp", tensor(0, scales=(5.0,)), "tensor 't1': results leave 32 bits at a scale of 0.04"),
    ("exp", tensor(0, scales=(1e5,)), "tensor 't1': results leave 32 bits at a scale of 0.04"),
    ("mul", tensor(0, scales=(3e38,)), r"a factor between scales must lie in 0..2.30, not"),
    ("rsqrt_int16", tensor(1, scales=(1e-44,)), "a table from scale 0.001 to .* leaves the floats"),
    ("softmax", tensor(1, scales=(0.5,)), "the output must have a scale of 1/256"),
    ("softmax", fields(Beta=1e-9), r"beta times the input's scale must be above 2\^-26"),
    (
        "convolution_greatest_bias",
        lambda m: tensor(2, octets=b"\xff\xff\xff\x7f" * 40)(m),
        "leave 32",
    ),
    ("relu6_int8", tensor(1, scales=(1e-12,)), "a factor between scales must lie in 0..2.30, not"),
    ("convolution_even_kernel", tensor(3, scales=(1e-10,)), "leaves 32 bits at a scale of 1e-10"),
    ("quantise", tensor(1, scales=(1e-12,)), r"floats must be numbers below 2\^31 times the sc"),
    ("lstm", tensor(14, scales=(0.001,)), r"scale must be a power of two from 2\^-15 to 2\^-9, no"),
    ("convolution_int16", tensor(3, scales=(1e-9,)), r"at most 48 bits, and a factor below 2\^7"),
]


def line(name: str, change: Change, folder: Path) -> str:
    """What is told of a changed network."""
    model = drawn(name, 0)
    change(model)
    with pytest.raises(GraphError) as caught:
        computed(model, 0, folder)
    return str(caught.value)


@pytest.mark.parametrize(("name", "change", "message"), READ)
def test_what_is_not_computed_is_refused_when_read(name, change, message, tmp_path):
    told = line(name, change, tmp_path)
    assert "\n" not in told
    assert told.startswith(str(tmp_path / "network.tflite"))
    assert re.search(message, told), told
    assert "state" in message or "operator 0 ('" in told


@pytest.mark.parametrize(("name", "change", "message"), RUN)
def test_numbers_that_no_kernel_has_are_refused_when_run(name, change, message, tmp_path):
    told = line(name, change, tmp_path)
    assert "\n" not in told
    assert told.startswith(str(tmp_path / "network.tflite"))
    assert re.search(message, told), told
    assert re.search(r" '[^']+': ", told), told  # the node


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("concatenate", tensor(1, zeros=(1,))),
        ("softmax_image", tensor(1, scales=(0.5,))),
        ("pool_max_same", tensor(1, scales=(0.04,))),
        ("lstm", tensor(14, scales=(0.001,))),
        ("mul", tensor(0, scales=(3e38,))),
        ("convolution_int16", tensor(3, scales=(1e-9,))),
    ],
)
def test_scales_that_no_kernel_takes_are_refused_before_a_run(name, change, tmp_path):
    model = drawn(name, 0)
    change(model)
    (tmp_path / "m.tflite").write_bytes(model.octets())
    with pytest.raises(GraphError, match=r"m\.tflite: \w+ 't\d+': "):
        import_tflite(tmp_path / "m.tflite")


def test_places_outside_of_a_table_are_refused(tmp_path):
    model = drawn("gather", 0)
    model.ranges[0] = (6, 9)
    with pytest.raises(GraphError, match=r"Gather 't2': indices must lie in 0\.\.5"):
        computed(model, 0, tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no .tflite file"),
        (b"\x00" * 4 + b"TFL3", "must have one subgraph, not 0"),
        (b"\xff" * 4 + b"TFL3" + b"\xff" * 40, "is broken or cut off"),
    ],
)
def test_files_that_are_none_are_refused(data, message, tmp_path):
    (tmp_path / "m.tflite").write_bytes(data)
    with pytest.raises(GraphError, match=message):
        import_tflite(tmp_path / "m.tflite")
    with pytest.raises(GraphError, match="No such file"):
        import_tflite(tmp_path / "none.tflite")


def relus(*pairs: tuple[int, int], shape: tuple[int, ...] = (1, 3)) -> Model:
    """Nodes from tensor to tensor, of four."""
    model = Model()
    for _ in range(4):
        model.tensor(shape, "int8", 0.05, 0)
    for read, made in pairs:
        model.node("RELU", [read], [made])
    model.inputs, model.outputs = [0], [3]
    return model


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (((0, 1), (2, 3), (3, 2)), "Function 't3': waits for itself, in a circle of nodes"),
        (((1, 1), (1, 3)), "'t1': waits for itself"),
        (((0, 3), (0, 3)), "makes 't3', which is there already"),
        (((0, 0), (0, 3)), "makes 't0', which is there already"),
        (((0, 1), (2, 3)), "reads 't2', which nothing before it makes"),
        (((0, 1),), "output 't3' is made by no node"),
    ],
)
def test_networks_whose_nodes_do_not_follow_each_other_are_refused(pairs, message, tmp_path):
    with pytest.raises(GraphError, match=message):
        computed(relus(*pairs), 0, tmp_path)


def test_nodes_in_another_order_are_put_in_order(tmp_path):
    found = computed(relus((2, 3), (1, 2), (0, 1)), 0, tmp_path)
    assert (found["t3"] == np.maximum(found["t0"], 0)).all()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("is_sparse", True, "tensor 't1': is sparse; convert the network with whole weights"),
        ("buffer", 99, "tensor 't1' names buffer 99, which is none"),
        ("buffer", 0, "weights 't1' must be constants"),
        ("octets", b"\0" * 35, "tensor 't1': needs 36 bytes of data, has 35"),
        ("shape", (1, 3, 3, 1 << 30), "must have at most 268435456 elements"),
        ("shape", (1,) * 9, "shape must have at most 8 sizes, not 9"),
        ("shape", (-1, 3, 3, 4), "shape must have at most 8 sizes, none below 0"),
        ("scales", (0.0,) * 4, "scale must be above 0 and finite, not 0.0"),
        ("scales", (float("nan"),) * 4, "scale must be above 0 and finite, not nan"),
        ("zeros", (300,) * 4, "zero points must lie in -128..127, not 300"),
        ("axis", 2, "must have 3 scales on axis 2, not 4"),
        ("kind", "float16", "type 1 is none that is computed here"),
    ],
)
def test_tensors_that_lie_are_refused(field, value, message, tmp_path):
    model = drawn("depthwise", 0)
    model.tensors[1] = model.tensors[1]._replace(**{field: value})
    with pytest.raises(GraphError, match=message):
        computed(model, 0, tmp_path)


def test_int4_weights_are_counted_by_halves(tmp_path):
    model = drawn("connected_int4_odd", 0)
    model.tensors[1] = model.tensors[1]._replace(octets=b"\0" * 17)
    with pytest.raises(GraphError, match="tensor 't1': needs 18 bytes of data, has 17"):
        computed(model, 0, tmp_path)


def test_networks_of_nothing_make_nothing(tmp_path):
    for shape in ((0, 3), (1, 0), (2, 0, 3)):
        found = computed(relus((0, 1), (1, 3), shape=shape), 0, tmp_path)
        assert found["t3"].shape == shape


def test_several_networks_in_a_file_and_custom_operators_are_refused(tmp_path):
    model = drawn("relu_int8", 0)
    model.custom = "Sorcery"
    with pytest.raises(
        GraphError, match=r"operator 0 .*: custom operator 'Sorcery' is not computed"
    ):
        computed(model, 0, tmp_path)
    model = drawn("relu_int8", 0)
    model.graphs = 2
    with pytest.raises(GraphError, match="must have one subgraph, not 2: no branches"):
        computed(model, 0, tmp_path)


def test_long_names_are_cut_off_and_stay_apart(tmp_path):
    model = drawn("relu_int8", 0)
    for place in (0, 1):
        model.tensors[place] = model.tensors[place]._replace(name="n\n" * 999 + str(place))
    model.octets()
    (tmp_path / "m.tflite").write_bytes(model.octets())
    names = list(import_tflite(tmp_path / "m.tflite").tensors)
    assert [len(name) for name in names] == [400, 402]
    assert all(name.isprintable() or "\ufffd" in name for name in names)


def test_rules_are_two(tmp_path):
    with pytest.raises(ValueError, match="rule must be one of tflite, litert, not 'onnx'"):
        import_tflite(tmp_path / "m.tflite", "onnx")
