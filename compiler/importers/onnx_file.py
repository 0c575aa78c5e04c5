"""An .onnx file as constants and raw nodes. Nothing in a file is believed: every tensor's bytes are
counted before anything is made of them, and data beside the file stay in its folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.graph.tensor import MOST_ELEMENTS, MOST_RANK, Tensor
from cimforge.compiler.importers.onnx_kinds import kind_of
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["BROKEN", "Attributes", "OnnxFile", "RawNode", "array_of", "read_onnx"]

MOST_BYTES = (1 << 31) - 1  # protobuf holds no more
# What protobuf, onnx and NumPy raise where numbers contradict each other.
BROKEN = (
    *(IndexError, ValueError, TypeError, AttributeError, OverflowError, ArithmeticError),
    *(MemoryError, RuntimeError, KeyError, AssertionError),
)


class Attributes(dict[str, Any]):
    """A node's attributes, and which of them were asked for: another one would be passed over."""

    def __init__(self, values: Mapping[str, Any]):
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, otherwise: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, otherwise)

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


class RawNode(NamedTuple):
    """A node as the file has it: an operator of a domain in its ``version``, tensors by name
    (empty: left out), attributes by name: numbers, texts, arrays, and lists of these."""

    title: str
    kind: str
    domain: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Attributes

    @property
    def operator(self) -> str:
        """The operator with its domain, where that is not ONNX's own."""
        return f"{self.domain}::{self.kind}" if self.domain else self.kind


class OnnxFile(NamedTuple):
    """What a file holds: its one graph. Inputs are tensors without data."""

    source: str
    nodes: tuple[RawNode, ...]
    constants: Mapping[str, tuple[NDArray, str]]  # name: array, kind
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]


def read_onnx(path: Path) -> OnnxFile:
    """The network in the file ``path``; an input's first size, if it is open, is 1.

    Raises InputError where the package onnx is not installed, GraphError, one line with the file
    and the reason, where it is no such file, is cut off, or its numbers contradict each other.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ModuleNotFoundError:
        raise InputError(f"{path}: needs onnx; run {install_hint('models')}") from None
    data = _octets(path)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise GraphError(f"{path}: is no .onnx file, or is cut off") from None
    with _broken(path):
        return _file(path, model)


def _octets(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise GraphError(f"{path}: has {size} bytes, and an .onnx file at most {MOST_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise GraphError(f"{path}: {error.strerror or error}") from None


@contextmanager
def _broken(path: Path) -> Iterator[None]:
    """Turns what a broken file raises into one line."""
    try:
        yield
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None
    except BROKEN as error:
        told = str(error).split("\n")[0] or type(error).__name__
        raise GraphError(f"{path}: is broken: {told[:160]}") from None


def _file(path: Path, model: Any) -> OnnxFile:
    graph = model.graph
    if not graph.output:
        raise GraphError("is no .onnx file, or is cut off: it holds no network with outputs")
    if model.functions:
        name = model.functions[0].name
        rule = "functions of a model's own are not computed here"
        raise GraphError(f"{name}: {rule}; inline them with onnx.inliner")
    if graph.sparse_initializer:
        raise GraphError("sparse constants are not computed here; store them whole")
    versions = {_domain(each.domain): each.version for each in model.opset_import}
    folder = path.parent
    constants = {each.name: array_of(each, folder) for each in graph.initializer}
    nodes = tuple(_node(place, node, versions, folder) for place, node in enumerate(graph.node))
    inputs = tuple(_input(each) for each in graph.input if each.name not in constants)
    outputs = tuple(each.name for each in graph.output)
    return OnnxFile(str(path), nodes, constants, inputs, outputs)


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _node(place: int, node: Any, versions: Mapping[str, int], folder: Path) -> RawNode:
    domain = _domain(node.domain)
    title = node.name or (node.output[0] if node.output else "") or f"node {place}"
    if domain not in versions and not domain:
        raise GraphError(f"node {title!r}: the file names no version of ONNX's operators")
    attributes = Attributes({each.name: _attribute(each, folder) for each in node.attribute})
    version = versions.get(domain, 1)
    return RawNode(
        *(title, node.op_type, domain, version), tuple(node.input), tuple(node.output), attributes
    )


def _attribute(attribute: Any, folder: Path) -> Any:
    """Its value; None for what no operator here takes (graphs, sparse tensors, types)."""
    from onnx import AttributeProto

    match attribute.type:
        case AttributeProto.FLOAT:
            return attribute.f
        case AttributeProto.INT:
            return attribute.i
        case AttributeProto.STRING:
            return attribute.s.decode(errors="replace")
        case AttributeProto.TENSOR:
            return array_of(attribute.t, folder)
        case AttributeProto.FLOATS:
            return tuple(attribute.floats)
        case AttributeProto.INTS:
            return tuple(attribute.ints)
        case AttributeProto.STRINGS:
            return tuple(each.decode(errors="replace") for each in attribute.strings)
    return None


def _input(value: Any) -> Tensor:
    name, told = value.name, value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type":
        raise GraphError(f"input {name!r}: must be a tensor")
    kind = kind_of(told.elem_type, f"input {name!r}")
    if not told.HasField("shape"):
        raise GraphError(
            f"input {name!r}: must have a shape; give it one, all sizes but the first fixed"
        )
    shape = []
    for axis, size in enumerate(told.shape.dim):
        if size.HasField("dim_value") and size.dim_value >= 0:
            shape.append(size.dim_value)
        elif axis == 0:
            shape.append(1)  # an open batch: one item
        else:
            rule = f"axis {axis} ({size.dim_param or 'open'}) must have a size"
            way = "fix it with onnx.tools.update_model_dims"
            raise GraphError(f"input {name!r}: {rule}; {way}")
    return Tensor(name, tuple(shape), kind)


def array_of(tensor: Any, folder: Path) -> tuple[NDArray, str]:
    """The array of a TensorProto, integers of fewer than 8 bits a byte each, and its kind."""
    from onnx import numpy_helper

    where = f"constant {tensor.name!r}"
    kind = kind_of(tensor.data_type, where)
    shape = tuple(tensor.dims)
    if len(shape) > MOST_RANK or any(size < 0 for size in shape) or prod(shape) > MOST_ELEMENTS:
        raise GraphError(f"{where}: has no legal shape: {shape[:9]}")
    if tensor.HasField("segment"):
        raise GraphError(f"{where}: is stored in segments; store it whole")
    if tensor.data_location == tensor.EXTERNAL:
        tensor.raw_data = _beside(tensor, folder, where)
        tensor.data_location = tensor.DEFAULT
    try:
        array = numpy_helper.to_array(tensor)
    except BROKEN as error:
        told = str(error).split("\n")[0]
        raise GraphError(f"{where}: its data do not fit its shape {shape}: {told[:80]}") from None
    if array.shape != shape:
        raise GraphError(f"{where}: its data do not fit its shape {shape}")
    if kind not in ("bool", "float16", "float32", "float64") and array.dtype.kind not in "iu":
        array = array.astype(np.int8 if kind.startswith("int") else np.uint8)  # of ml_dtypes
    return array, kind


def _beside(tensor: Any, folder: Path, where: str) -> bytes:
    """Data of a file of its own, which must lie in the model's folder."""
    told = {each.key: each.value for each in tensor.external_data}
    location = told.get("location", "")
    path = (folder / location).resolve()
    if not location or Path(location).is_absolute() or folder.resolve() not in path.parents:
        raise GraphError(f"{where}: its data must lie in the model's folder, not {location!r}")
    try:
        if not path.is_file():
            raise GraphError(f"{where}: there is no file {location!r} beside the model")
        size, first = path.stat().st_size, int(told.get("offset", 0))
        length = int(told.get("length", size - first))
        if not (0 <= first <= size and 0 <= length <= min(size - first, MOST_BYTES)):
            rule = f"bytes {first} to {first + length} must lie in {location!r} of {size} bytes"
            raise GraphError(f"{where}: {rule}")
        with path.open("rb") as file:
            file.seek(first)
            return file.read(length)
    except (OSError, ValueError) as error:
        if isinstance(error, GraphError):
            raise
        raise GraphError(f"{where}: {location!r}: {str(error)[:80]}") from None
