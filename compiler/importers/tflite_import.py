"""A .tflite file as a Graph."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cimforge.compiler.graph.graph import Graph, GraphError, Node, ordered
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.importers.tflite_file import (
    BROKEN,
    STORED,
    RawOperator,
    TfliteFile,
    read_tflite,
)
from cimforge.compiler.importers.tflite_operators import translate
from cimforge.compiler.importers.tflite_options import Parts, UnsupportedError
from cimforge.compiler.reference.execution import execute, keeps_items

__all__ = ["TFLITE_DIALECTS", "import_tflite"]

TFLITE_DIALECTS = ("tflite", "litert")  # whose arithmetic a file may be given


def import_tflite(path: Path, rule: str = "tflite") -> Graph:
    """The network in the .tflite file ``path``; weights of convolutions are (N, KY, KX, C).

    ``rule`` is "tflite" for the arithmetic of TensorFlow Lite 2 and TFLite Micro, which round every
    sum twice, or "litert" for that of LiteRT's reference kernels, which round those of fully
    connected layers once.

    Raises GraphError, one line with the file, the operator and what to do, where the file is none,
    or asks for what is not computed here; InputError where the package tflite is missing.
    """
    if rule not in TFLITE_DIALECTS:
        raise ValueError(f"rule must be one of {', '.join(TFLITE_DIALECTS)}, not {rule!r}")
    file = read_tflite(path)
    tensors = {
        tensor.name: _started(file, tensor) if index in file.states else tensor
        for index, tensor in enumerate(file.tensors)
    }
    nodes = [
        node
        for place, raw in enumerate(file.operators)
        for node in _nodes(file, place, raw, tensors)
    ]
    ends = [tuple(file.tensors[index].name for index in end) for end in (file.inputs, file.outputs)]
    known = {name for name, tensor in tensors.items() if tensor.is_constant} | set(ends[0])
    try:
        graph = Graph(file.source, rule, tensors, ordered(nodes, known), *ends)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None
    _rehearse(graph)
    return graph


def _rehearse(graph: Graph) -> None:
    """A run of no items: what no item could save, such as a scale that a kernel does not take, is
    refused before hardware has worked for hours."""
    if keeps_items(graph):
        feeds = {}
        for name in graph.inputs:
            tensor = graph.tensors[name]
            kind = np.float32 if tensor.is_float else np.int64
            feeds[name] = np.zeros((0, *tensor.shape[1:]), kind)
        execute(graph, feeds)


def _nodes(
    file: TfliteFile, place: int, raw: RawOperator, tensors: dict[str, Tensor]
) -> list[Node]:
    """An operator of the file; weights that it turns are added to ``tensors``."""
    read = [None if index < 0 else tensors[file.tensors[index].name] for index in raw.inputs]
    between = [file.tensors[index] for index in raw.intermediates if index >= 0]
    made = [file.tensors[index] for index in raw.outputs if index >= 0]
    called = made[0].name if made else f"operator {place}"
    where = f"{file.source}: operator {place} ({called!r})"
    if raw.custom:
        raise GraphError(f"{where}: custom operator {raw.custom!r} is not computed here")
    if not read or not made or len(made) < len(raw.outputs):
        raise GraphError(f"{where}: has no input or no output")
    try:
        found = translate(raw.code, raw.options, read, made, between)
    except UnsupportedError as error:
        raise GraphError(
            f"{where}: {error}; leave it out, or convert the network without it"
        ) from None
    except BROKEN as error:
        told = str(error).split("\n")[0] or type(error).__name__
        raise GraphError(f"{where}: is broken: {told}") from None
    return [_node(parts, read, made, tensors) for parts in found]


MOST_STATE = 1 << 20  # elements


def _started(file: TfliteFile, state: Tensor) -> Tensor:
    """A state as it is before the first run: a constant that stands for zeros."""
    if state.size > MOST_STATE or state.is_float:
        rule = f"must hold at most {MOST_STATE} integers"
        raise GraphError(f"{file.source}: state {state.name!r} {rule}")
    zero = 0 if state.quantisation is None else state.quantisation.zeros[0]
    return replace(state, data=np.full(state.shape, zero, STORED.get(state.kind, state.kind)))


def _node(
    parts: Parts, read: list[Tensor | None], made: list[Tensor], tensors: dict[str, Tensor]
) -> Node:
    inputs: list[str | None] = []
    for index in parts.inputs:
        tensor = read[index]
        if tensor is not None and parts.turned and index == 1:
            tensor = _turned(tensor)
            tensors[tensor.name] = tensor
        inputs.append(None if tensor is None else tensor.name)
    outputs = tuple(made[index].name for index in parts.outputs)
    return Node(outputs[0], parts.operator, tuple(inputs), outputs)


def _turned(weights: Tensor) -> Tensor:
    """Depthwise weights (1, KY, KX, N) as (N, KY, KX, 1)."""
    assert weights.data is not None  # its reader asks for constants
    told = weights.quantisation
    if told is not None and told.channels > 1:
        told = Quantisation(told.scales, told.zeros, 0)
    data = np.ascontiguousarray(np.moveaxis(weights.data, 3, 0).transpose(0, 2, 3, 1))
    return replace(
        weights, name=f"{weights.name}:turned", shape=data.shape, data=data, quantisation=told
    )
