"""A .tflite file as tensors and raw operators. Nothing in a file is believed: every length is held
against the file's size before anything is made of it."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.graph.tensor import MOST_RANK, Quantisation, Tensor
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["RawOperator", "TfliteFile", "read_tflite"]

IDENTIFIER = b"TFL3"
MOST_BYTES = 1 << 31  # flatbuffers hold no more
MOST_LETTERS = 400  # of a name; the rest of longer ones is cut off
KINDS = {  # of schema.fbs: TensorType
    **{0: "float32", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16", 9: "int8"},
    **{15: "uint32", 16: "uint16", 17: "int4"},
}
STORED = {"int4": "int8", "float32": "<f4", "bool": "uint8"}  # as NumPy reads them
# What flatbuffers' accessors raise where offsets lead out of the file.
BROKEN = (
    *(struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError),
    *(MemoryError, RecursionError, KeyError, UnicodeDecodeError),
)


class RawOperator(NamedTuple):
    """An operator as the file has it: the code of its kind (BuiltinOperator), a custom one's name,
    tensors by index (-1: left out), and the table of its options."""

    code: int
    custom: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any
    intermediates: tuple[int, ...] = ()  # tensors that tell scales only


class TfliteFile(NamedTuple):
    """What a file holds: its one subgraph. ``states`` are tensors that last from run to run."""

    source: str
    tensors: tuple[Tensor, ...]
    operators: tuple[RawOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    states: frozenset[int]


def read_tflite(path: Path) -> TfliteFile:
    """The network in the file ``path``.

    Raises InputError where the package tflite is not installed, GraphError, one line with the file
    and the reason, where it is no such file, is cut off, or its numbers contradict each other.
    """
    try:
        import tflite
    except ModuleNotFoundError:
        raise InputError(f"{path}: needs tflite; run {install_hint('models')}") from None
    data = _octets(path)
    with _broken(path):
        model = tflite.Model.GetRootAsModel(data, 0)
        return _Reader(path, data, model).file()


def _octets(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise GraphError(f"{path}: has {size} bytes, and a .tflite file at most {MOST_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        raise GraphError(f"{path}: {error.strerror or error}") from None
    if data[4:8] != IDENTIFIER:
        raise GraphError(f"{path}: is no .tflite file: bytes 4..7 must be {IDENTIFIER.decode()}")
    return data


@contextmanager
def _broken(path: Path) -> Iterator[None]:
    """Turns what a broken file raises into one line."""
    try:
        yield
    except GraphError:
        raise
    except BROKEN as error:
        told = str(error).split("\n")[0] or type(error).__name__
        raise GraphError(f"{path}: is broken or cut off: {told}") from None


def _name(octets: bytes | None) -> str:
    """A name as it may be shown."""
    text = (octets or b"").decode(errors="replace")[:MOST_LETTERS]
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


class _Reader:
    """Reads a model with its limits in sight."""

    def __init__(self, path: Path, data: bytes, model: Any):
        self._path, self._size, self._model = path, len(data), model

    def _fail(self, text: str) -> GraphError:
        return GraphError(f"{self._path}: {text}")

    def _each(self, count: int, get: Callable[[int], Any]) -> list:
        """``count`` entries: each takes at least a byte of the file."""
        if not 0 <= count <= self._size:
            raise self._fail(
                f"is broken or cut off: it claims {count} entries in {self._size} bytes"
            )
        return [get(place) for place in range(count)]

    def file(self) -> TfliteFile:
        """All of it."""
        model = self._model
        if model.SubgraphsLength() != 1:
            raise self._fail(f"must have one subgraph, not {model.SubgraphsLength()}: no branches")
        graph = model.Subgraphs(0)
        tensors = self._tensors(graph)
        codes = self._each(model.OperatorCodesLength(), self._code)
        operators = self._each(
            graph.OperatorsLength(), lambda n: self._operator(graph.Operators(n), codes)
        )
        count = len(tensors)
        ends = (
            self._indices(graph.InputsLength(), graph.Inputs, count),
            self._indices(graph.OutputsLength(), graph.Outputs, count),
        )
        for operator in operators:
            for index in (*operator.inputs, *operator.outputs, *operator.intermediates):
                if not -1 <= index < count:
                    raise self._fail(f"an operator names tensor {index} of {count}")
        states = frozenset(n for n in range(count) if graph.Tensors(n).IsVariable())
        return TfliteFile(str(self._path), tuple(tensors), tuple(operators), *ends, states)

    def _indices(self, length: int, get: Callable[[int], int], count: int) -> tuple[int, ...]:
        indices = tuple(int(index) for index in self._each(length, get))
        for index in indices:
            if not 0 <= index < count:
                raise self._fail(f"the network's ends name tensor {index} of {count}")
        return indices

    def _code(self, place: int) -> tuple[int, str]:
        """Old files have one byte for the code, new ones an integer; the greater counts."""
        code = self._model.OperatorCodes(place)
        custom = code.CustomCode()
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        return int(number), _name(custom)

    def _operator(self, raw: Any, codes: list[tuple[int, str]]) -> RawOperator:
        index = raw.OpcodeIndex()
        if not 0 <= index < len(codes):
            raise self._fail(f"an operator names kind {index} of {len(codes)}")
        inputs = tuple(int(i) for i in self._each(raw.InputsLength(), raw.Inputs))
        outputs = tuple(int(i) for i in self._each(raw.OutputsLength(), raw.Outputs))
        code, custom = codes[index]
        between = tuple(int(i) for i in self._each(raw.IntermediatesLength(), raw.Intermediates))
        return RawOperator(code, custom, inputs, outputs, raw.BuiltinOptions(), between)

    def _tensors(self, graph: Any) -> list[Tensor]:
        """Under names that differ: where two are called alike the second gets its index."""
        found: list[Tensor] = []
        taken: set[str] = set()
        for place, raw in enumerate(self._each(graph.TensorsLength(), graph.Tensors)):
            tensor = self._tensor(raw, place)
            if tensor.name in taken:
                tensor = replace(tensor, name=f"{tensor.name}#{place}")
            taken.add(tensor.name)
            found.append(tensor)
        return found

    def _tensor(self, raw: Any, place: int) -> Tensor:
        name = _name(raw.Name()) or f"tensor {place}"
        code = raw.Type()
        if code not in KINDS:
            raise self._fail(f"tensor {name!r}: type {code} is none that is computed here")
        if raw.Sparsity() is not None:
            raise self._fail(f"tensor {name!r}: is sparse; convert the network with whole weights")
        kind = KINDS[code]
        if raw.ShapeLength() > MOST_RANK:
            rule = f"shape must have at most {MOST_RANK} sizes, not {raw.ShapeLength()}"
            raise self._fail(f"tensor {name!r}: {rule}")
        shape = tuple(int(size) for size in self._each(raw.ShapeLength(), raw.Shape))
        signature = tuple(
            int(size) for size in self._each(raw.ShapeSignatureLength(), raw.ShapeSignature)
        )
        if -1 in signature and len(signature) == len(shape):  # open sizes: one item a batch
            shape = tuple(1 if size == -1 else size for size in signature)
        try:
            told = self._quantisation(raw.Quantization())
            empty = Tensor(name, shape, kind, told)
            return replace(empty, data=self._data(raw.Buffer(), empty))
        except GraphError:
            raise
        except ValueError as error:
            raise self._fail(str(error)) from None

    def _quantisation(self, raw: Any) -> Quantisation | None:
        if raw is None or not raw.ScaleLength():
            return None
        scales = self._each(raw.ScaleLength(), lambda n: float(raw.Scale(n)))
        zeros = self._each(raw.ZeroPointLength(), lambda n: int(raw.ZeroPoint(n)))
        zeros = zeros or [0] * len(scales)
        if len(zeros) == 1:
            zeros = zeros * len(scales)
        return Quantisation(tuple(scales), tuple(zeros), int(raw.QuantizedDimension()))

    def _data(self, index: int, tensor: Tensor) -> NDArray | None:
        """The tensor's constants; None where it has none."""
        if not 0 <= index < self._model.BuffersLength():
            raise self._fail(f"tensor {tensor.name!r} names buffer {index}, which is none")
        buffer = self._model.Buffers(index)
        if buffer.Offset() > 1:
            raise self._fail(f"tensor {tensor.name!r}: its data lie outside of the model's tables")
        if not buffer.DataLength():
            return None
        octets = buffer.DataAsNumpy()
        if tensor.kind == "int4":
            return self._nibbles(octets, tensor)
        kind = np.dtype(STORED.get(tensor.kind, tensor.kind)).newbyteorder("<")
        if len(octets) != tensor.size * kind.itemsize:
            need = tensor.size * kind.itemsize
            raise self._fail(
                f"tensor {tensor.name!r}: needs {need} bytes of data, has {len(octets)}"
            )
        native = kind.newbyteorder("=")
        return np.frombuffer(octets.tobytes(), kind).astype(native).reshape(tensor.shape)

    def _nibbles(self, octets: NDArray, tensor: Tensor) -> NDArray:
        """Two to a byte, the lower half first."""
        if len(octets) != (tensor.size + 1) // 2:
            need = (tensor.size + 1) // 2
            raise self._fail(
                f"tensor {tensor.name!r}: needs {need} bytes of data, has {len(octets)}"
            )
        halves = np.stack([octets & 15, octets >> 4], axis=1).reshape(-1)[: tensor.size]
        signed = halves.astype(np.int8)
        return np.where(signed > 7, signed - 16, signed).astype(np.int8).reshape(tensor.shape)
