"""Files that lie: each is read or refused in one line that says where and what to do."""

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.tests.onnx_writer import Net, helper, node, onnx, saved
from cimforge.compiler.map.product_trace import trace_products
from cimforge.compiler.reference.execution import execute

FILES = int(os.environ.get("CIMFORGE_FILES", "200"))  # of each change; make soak sets it


def varied() -> Any:
    """A network of many operators, with an open batch."""
    net = Net(1)
    x = net.quantised(net.feed(net.draw.normal(size=(1, 3, 6, 6)).astype(np.float32)))
    w, _ = net.weights((4, 3, 3, 3), axis=0)
    y = net.add("Relu", net.add("Conv", x, w, pads=[1] * 4, strides=[2, 2], kernel_shape=[3, 3]))
    y = net.add("MaxPool", net.quantised(y), kernel_shape=[2, 2], ceil_mode=1)
    y = net.add("Pad", y, net.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])))
    y = net.add("Transpose", y, perm=[0, 2, 3, 1])
    y = net.add("Concat", *net.add("Split", y, outputs=2, axis=-1, num_outputs=2), axis=-1)
    y = net.add("Slice", y, *(net.constant(np.array([value])) for value in (0, 3, 1, 1)))
    y = net.add("Reshape", y, net.constant(np.array([0, -1])))
    z = net.add("ConstantOfShape", net.add("Shape", y))
    y = net.add("Expand", net.add("Add", y, z), net.add("Shape", y))
    y = net.add("Tile", y, net.constant(np.array([1, 2])))
    y = net.add("Gather", y, net.constant(np.array([0, 5, 9])), axis=1)
    mean = net.add("ReduceMean", y, net.constant(np.array([1])))
    w, _ = net.weights((3, 5))
    model = net.model(net.add("Softmax", net.add("MatMul", net.quantised(y), w)), mean)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    return model


def refusal(path: Path) -> str:
    """Why a file is refused; empty where it is read, and computes with zeros."""
    try:
        trace_products(import_onnx(path))
    except GraphError as error:
        return str(error)
    return ""


def damaged(rng: random.Random, whole: bytes) -> bytes:
    """Cut off, with other bytes, without some, or with some twice."""
    data = bytearray(whole)
    if rng.random() < 0.25:
        del data[rng.randrange(len(data)) :]
    for _ in range(rng.choice((1, 3, 30))):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    if data and rng.random() < 0.3:
        first = rng.randrange(len(data))
        size = rng.randrange(40)
        data[first : first + size] = data[first : first + size] * rng.choice((0, 2))
    return bytes(data)


NUMBERS = (-(1 << 63), -1, 0, 1, 2, 3, 1 << 31, (1 << 63) - 1)


def contradicted(rng: random.Random, whole: bytes) -> bytes:
    """A file that is none the less one, with other numbers, names, and operators."""
    model = onnx.ModelProto()
    model.ParseFromString(whole)
    graph = model.graph
    for _ in range(rng.choice((1, 1, 3))):
        each, held = rng.choice(graph.node), rng.choice(graph.initializer)
        names = [name for other in graph.node for name in (*other.input, *other.output)]
        match rng.randrange(8):
            case 0 if each.input:
                each.input[rng.randrange(len(each.input))] = rng.choice([*names, "", "none"])
            case 1 if each.input:
                del each.input[rng.randrange(len(each.input)) :]
            case 2 if each.attribute:
                told = rng.choice(each.attribute)
                told.i = rng.choice(NUMBERS)
                told.ints[:] = [rng.choice(NUMBERS) for _ in range(rng.randrange(6))]
                told.type = rng.choice((told.type, 0, 1, 2, 3, 4, 5, 7, 8))
            case 3:
                held.dims[:] = [rng.choice(NUMBERS) for _ in range(rng.randrange(4))]
            case 4:
                held.data_type = rng.randrange(28)
            case 5:
                each.op_type = rng.choice(graph.node).op_type
            case 6:
                size = rng.choice(graph.input[0].type.tensor_type.shape.dim)
                size.dim_value = rng.choice(NUMBERS)
            case _:
                each.output[0] = rng.choice(names)
    return model.SerializeToString()


@pytest.mark.parametrize("change", [damaged, contradicted])
def test_files_that_were_changed_are_read_or_refused_in_one_line(change, tmp_path):
    whole, path = varied().SerializeToString(), tmp_path / "net.onnx"
    for seed in range(FILES):
        path.write_bytes(change(random.Random(seed), whole))
        told = refusal(path)
        assert "\n" not in told, seed
        assert told.startswith(str(path)) or not told, (seed, told)


def test_an_open_batch_is_one(tmp_path):
    graph = import_onnx(saved(varied(), tmp_path))
    assert graph.tensors[graph.inputs[0]].shape == (1, 3, 6, 6)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no .onnx file, or is cut off"),
        (b"\xff" * 99, "is no .onnx file, or is cut off"),
        (b"\x08\x0a", "is no .onnx file, or is cut off"),
    ],
)
def test_files_that_are_none(data, message, tmp_path):
    (tmp_path / "net.onnx").write_bytes(data)
    assert message in refusal(tmp_path / "net.onnx")
    assert "No such file" in refusal(tmp_path / "none.onnx")


def plain(nodes: list[Any], constants: list[Any] = [], shape: Any = (1, 4)) -> Any:  # noqa: B006
    """A network of floats ``x`` to ``y``."""
    ends = [helper.make_tensor_value_info(name, 1, shape) for name in "xy"]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


WAY = "; leave it out, or export the network without it"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("Det", ["x"], ["y"], name="d")], f"node 'd' (Det): is not computed here{WAY}"),
        (
            [node("Lion", ["x"], ["y"], name="l", domain="zoo")],
            f"node 'l' (zoo::Lion): is not computed here{WAY}",
        ),
        (
            [node("Relu", ["x"], ["y"], name="r", teeth=3)],
            f"node 'r' (Relu): attribute 'teeth' is not computed here{WAY}",
        ),
        (
            [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])],
            "Add 'a': waits for itself, in a circle of nodes",
        ),
        (
            [node("Relu", ["x"], ["y"], name="r"), node("Abs", ["x"], ["y"], name="s")],
            "Abs 's': makes 'y', which is there already",
        ),
        ([node("Relu", ["z"], ["y"], name="r")], "node 'r' (Relu): there is no tensor 'z'"),
        ([node("Relu", ["x"], ["z"], name="r")], "output 'y' is made by no node"),
    ],
)
def test_nodes_that_are_not_computed(nodes, message, tmp_path):
    path = saved(plain(nodes), tmp_path)
    assert refusal(path).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (("N", "height"), "input 'x': axis 1 (height) must have a size; fix it with onnx.tools"),
        (None, "input 'x': must have a shape"),
        ((1, 1 << 40), "tensor 'x': shape must have at most 268435456 elements"),
        ((1,) * 9, "tensor 'x': shape must have at most 8 sizes"),
    ],
)
def test_inputs_of_no_size(shape, message, tmp_path):
    assert message in refusal(saved(plain([node("Relu", ["x"], ["y"])], shape=shape), tmp_path))


def test_small_files_make_no_great_arrays(tmp_path):
    many = helper.make_tensor("s", 7, [3], [1 << 20, 1 << 20, 4])
    for kind in ("Expand", "ConstantOfShape", "Tile"):
        reads = ["s"] if kind == "ConstantOfShape" else ["c", "s"]
        one = helper.make_tensor("c", 1, [1, 1, 1], [1.0])
        path = saved(plain([node(kind, reads, ["y"])], [many, one]), tmp_path)
        assert "must have at most" in refusal(path) or "of at most" in refusal(path), kind


def outside(location: str, **told: str) -> Any:
    """A network whose constant lies in another file."""
    w = onnx.TensorProto(name="w", data_type=1, dims=[4])
    w.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **told}.items():
        w.external_data.add(key=key, value=value)
    return plain([node("Add", ["x", "w"], ["y"])], [w])


def test_data_beside_a_file_are_read(tmp_path):
    (tmp_path / "w.bin").write_bytes(b"....." + np.arange(4, dtype=np.float32).tobytes())
    graph = import_onnx(saved(outside("w.bin", offset="5", length="16"), tmp_path))
    x = np.ones((1, 4), np.float32)
    assert execute(graph, {"x": x})["y"].tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("location", "told", "message"),
    [
        ("../w.bin", {}, "its data must lie in the model's folder, not '../w.bin'"),
        ("/etc/passwd", {}, "its data must lie in the model's folder, not '/etc/passwd'"),
        ("link.bin", {}, "its data must lie in the model's folder, not 'link.bin'"),
        ("", {}, "its data must lie in the model's folder, not ''"),
        ("none.bin", {}, "there is no file 'none.bin' beside the model"),
        ("w.bin", {"offset": "99"}, "bytes 99 to 36 must lie in 'w.bin' of 36 bytes"),
        ("w.bin", {"length": "99"}, "bytes 0 to 99 must lie in 'w.bin' of 36 bytes"),
        ("w.bin", {"offset": "x"}, "'w.bin': invalid literal for int"),
        ("w.bin", {}, r"its data do not fit its shape (4,)"),
    ],
)
def test_data_elsewhere_are_refused(location, told, message, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(b"secret")
    (folder / "w.bin").write_bytes(bytes(36))
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    told = refusal(saved(outside(location, **told), folder))
    assert told.startswith(f"{folder / 'net.onnx'}: constant 'w': {message}")


def test_weights_that_are_quantised_alone_are_refused(tmp_path):
    net = Net()
    x = net.feed(np.zeros((2, 1, 3), np.float32))
    names = [net.weights((1, 8, depth))[0] for depth in (3, 2)]
    y, _, _ = net.add("LSTM", x, *names, outputs=3, hidden_size=2)
    told = refusal(saved(net.model(y), tmp_path))
    assert "its weights are quantised, and x is not with one scale: quantise it as" in told
