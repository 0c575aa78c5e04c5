"""Writes .tflite files, for tests: tensors, operators, and the tables of their options."""

from typing import Any, NamedTuple

import flatbuffers
import numpy as np
import tflite
from numpy.typing import ArrayLike

__all__ = ["KIND_NUMBERS", "Model"]

KIND_NUMBERS = {
    **{"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9},
    **{"float16": 1, "int4": 17},
}
ALIGNED = 16  # bytes, of buffers: readers map them as they are


class _Written(NamedTuple):
    """A tensor: its scales, zero points and axis as the file has them, its octets or none."""

    name: str
    shape: tuple[int, ...]
    kind: str
    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int
    octets: bytes
    is_variable: bool
    buffer: int = -1  # its own, unless told otherwise
    is_sparse: bool = False


class Model:
    """A network of one subgraph. ``tensor`` and ``node`` give indices; ``octets`` is the file.

    Without ``inputs`` of its own the network's inputs are the tensors that no node makes and that
    hold no data, and its outputs what no node reads. ``ranges`` tell which values an input may
    take, where not all of its kind.
    """

    def __init__(self) -> None:
        self.tensors: list[_Written] = []
        self.nodes: list[tuple[str, list[int], list[int], str, dict[str, Any], list[int]]] = []
        self.inputs: list[int] | None = None
        self.custom, self.graphs = "", 1  # operators' own name, subgraphs in the file
        self.ranges: dict[int, tuple[int, int]] = {}
        self.outputs: list[int] | None = None

    def tensor(
        self,
        shape: tuple[int, ...],
        kind: str = "int8",
        scale: float | tuple[float, ...] = (),
        zero: int | tuple[int, ...] = 0,
        *,
        data: ArrayLike | None = None,
        axis: int = 0,
        name: str = "",
        is_variable: bool = False,
    ) -> int:
        """A tensor; ``data`` make it a constant, of int4 packed two to a byte."""
        scales = scale if isinstance(scale, tuple) else (scale,)
        zeros = zero if isinstance(zero, tuple) else (zero,) * len(scales)
        octets = b"" if data is None else _octets(np.asarray(data), kind)
        called = name or f"t{len(self.tensors)}"
        told = _Written(called, shape, kind, scales, zeros, axis, octets, is_variable)
        self.tensors.append(told)
        return len(self.tensors) - 1

    def constant(self, data: ArrayLike, kind: str = "int32", *scale: Any, **more: Any) -> int:
        """A tensor with data."""
        array = np.asarray(data)
        return self.tensor(array.shape, kind, *scale, data=array, **more)

    def node(
        self,
        code: str,
        inputs: list[int],
        outputs: list[int],
        options: str = "",
        *,
        intermediates: tuple[int, ...] = (),
        **fields: Any,
    ) -> None:
        """An operator of BuiltinOperator ``code``, its table of ``options`` with ``fields``."""
        self.nodes.append((code, inputs, outputs, options, fields, list(intermediates)))

    def ends(self) -> tuple[list[int], list[int]]:
        """Inputs and outputs of the network."""
        made = {index for node in self.nodes for index in node[2]}
        read = [index for node in self.nodes for index in node[1] if index >= 0]
        loose = [
            index
            for index in dict.fromkeys(read)
            if index not in made
            and not self.tensors[index].octets
            and not self.tensors[index].is_variable
        ]
        left = [index for index in sorted(made) if index not in read]
        return (
            loose if self.inputs is None else self.inputs,
            left if self.outputs is None else self.outputs,
        )

    def feeds(self, seed: int) -> dict[str, np.ndarray]:
        """Values for the inputs by name; equal on every machine (NumPy keeps RandomState's)."""
        draw, found = np.random.RandomState(seed), {}
        for index in self.ends()[0]:
            tensor = self.tensors[index]
            if tensor.kind == "float32":
                found[tensor.name] = draw.normal(0, 3, tensor.shape).astype(np.float32)
                continue
            limits = np.iinfo(tensor.kind)
            low, high = self.ranges.get(index, (limits.min, limits.max))
            values = draw.randint(low, high + 1, tensor.shape)
            found[tensor.name] = values.astype(tensor.kind)
        return found

    def octets(self) -> bytes:
        """The file."""
        builder = flatbuffers.Builder(1024)
        inputs, outputs = self.ends()
        used = {index for node in self.nodes for index in node[5]}
        buffers = [b"", *(tensor.octets for tensor in self.tensors)]
        written = [_buffer(builder, octets) for octets in buffers]
        tensors = [
            _tensor(builder, tensor, _place(index, tensor), index in used)
            for index, tensor in enumerate(self.tensors)
        ]
        codes = sorted({node[0] for node in self.nodes})
        operators = [_operator(builder, node, codes.index(node[0])) for node in self.nodes]
        graph = _table(
            builder,
            "SubGraph",
            Tensors=_offsets(builder, tensors),
            Inputs=_integers(builder, inputs),
            Outputs=_integers(builder, outputs),
            Operators=_offsets(builder, operators),
        )
        listed = [_code(builder, code, self.custom) for code in codes]
        model = _table(
            builder,
            "Model",
            Version=3,
            OperatorCodes=_offsets(builder, listed),
            Subgraphs=_offsets(builder, [graph] * self.graphs),
            Buffers=_offsets(builder, written),
        )
        builder.Finish(model, b"TFL3")
        return bytes(builder.Output())


def _place(index: int, tensor: _Written) -> int:
    """Of a tensor's buffer: 0 is one without data."""
    own = index + 1 if tensor.octets else 0
    return own if tensor.buffer < 0 else tensor.buffer


def _octets(data: np.ndarray, kind: str) -> bytes:
    if kind != "int4":
        return data.astype(np.dtype(kind).newbyteorder("<")).tobytes()
    halves = data.ravel().astype(np.uint8) & 15
    halves = np.append(halves, np.zeros(halves.size % 2, np.uint8))
    return (halves[::2] | halves[1::2] << 4).tobytes()


def _table(builder: flatbuffers.Builder, name: str, **fields: Any) -> int:
    """A table of class ``name`` of the package tflite; fields whose value is None are left out."""
    getattr(tflite, f"{name}Start")(builder)
    for field, value in fields.items():
        if value is not None:
            getattr(tflite, f"{name}Add{field}")(builder, value)
    return getattr(tflite, f"{name}End")(builder)


def _offsets(builder: flatbuffers.Builder, places: list[int]) -> int:
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return builder.EndVector()


def _integers(builder: flatbuffers.Builder, values: Any, kind: str = "int32") -> int:
    return builder.CreateNumpyVector(np.array(values, kind))


def _buffer(builder: flatbuffers.Builder, octets: bytes) -> int:
    if not octets:
        return _table(builder, "Buffer")
    builder.StartVector(1, len(octets), ALIGNED)
    builder.head -= len(octets)
    builder.Bytes[builder.Head() : builder.Head() + len(octets)] = octets
    return _table(builder, "Buffer", Data=builder.EndVector())


def _tensor(builder: flatbuffers.Builder, tensor: _Written, buffer: int, is_used: bool) -> int:
    told = None
    if tensor.scales:
        told = _table(
            builder,
            "QuantizationParameters",
            Scale=_integers(builder, tensor.scales, "float32"),
            ZeroPoint=_integers(builder, tensor.zeros, "int64"),
            QuantizedDimension=tensor.axis,
        )
    sparsity = _table(builder, "SparsityParameters") if tensor.is_sparse else None
    return _table(
        builder,
        "Tensor",
        Shape=None if is_used else _integers(builder, tensor.shape),
        Type=KIND_NUMBERS[tensor.kind],
        Buffer=buffer,
        Name=builder.CreateString(tensor.name),
        Quantization=told,
        IsVariable=tensor.is_variable,
        Sparsity=sparsity,
    )


def _operator(builder: flatbuffers.Builder, node: tuple, place: int) -> int:
    _, inputs, outputs, options, fields, intermediates = node
    written = {
        name: _integers(builder, value) if isinstance(value, tuple) else value
        for name, value in fields.items()
    }
    table = _table(builder, options, **written) if options else None
    return _table(
        builder,
        "Operator",
        OpcodeIndex=place,
        Inputs=_integers(builder, inputs),
        Outputs=_integers(builder, outputs),
        BuiltinOptionsType=getattr(tflite.BuiltinOptions, options) if options else None,
        BuiltinOptions=table,
        Intermediates=_integers(builder, intermediates) if intermediates else None,
    )


def _code(builder: flatbuffers.Builder, name: str, custom: str) -> int:
    """Old readers look at a byte, which holds codes below 127."""
    number = getattr(tflite.BuiltinOperator, name)
    called = builder.CreateString(custom) if custom else None
    return _table(
        builder,
        "OperatorCode",
        DeprecatedBuiltinCode=min(number, 127),
        CustomCode=called,
        BuiltinCode=number,
        Version=1,
    )
