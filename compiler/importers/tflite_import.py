"""A .tflite file as a Graph."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cimforge.compiler.graph.graph import Graph, GraphError, Node, ordered
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.importers.tflite_file import BROKEN, RawOperator, TfliteFile, read_tflite
from cimforge.compiler.importers.tflite_operators import UnsupportedError, translate

__all__ = ["import_tflite"]

RULE = "tflite"


def import_tflite(path: Path) -> Graph:
    """The network in the .tflite file ``path``; weights of convolutions are (N, KY, KX, C).

    Raises GraphError, one line with the file, the operator and what to do, where the file is none,
    or asks for what is not computed here; InputError where the package tflite is missing.
    """
    file = read_tflite(path)
    tensors = {tensor.name: tensor for tensor in file.tensors}
    nodes = [_node(file, place, raw, tensors) for place, raw in enumerate(file.operators)]
    ends = [tuple(file.tensors[index].name for index in end) for end in (file.inputs, file.outputs)]
    known = {name for name, tensor in tensors.items() if tensor.is_constant} | set(ends[0])
    try:
        return Graph(file.source, RULE, tensors, ordered(nodes, known), *ends)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None


def _node(file: TfliteFile, place: int, raw: RawOperator, tensors: dict[str, Tensor]) -> Node:
    """An operator of the file; weights that it turns are added to ``tensors``."""
    read = [None if index < 0 else file.tensors[index] for index in raw.inputs]
    made = [file.tensors[index] for index in raw.outputs if index >= 0]
    called = made[0].name if made else f"operator {place}"
    where = f"{file.source}: operator {place} ({called!r})"
    if raw.custom:
        raise GraphError(f"{where}: custom operator {raw.custom!r} is not computed here")
    if not read or not made:
        raise GraphError(f"{where}: has no input or no output")
    try:
        parts = translate(raw.code, raw.options, read, made)
    except UnsupportedError as error:
        raise GraphError(
            f"{where}: {error}; leave it out, or convert the network without it"
        ) from None
    except BROKEN as error:
        told = str(error).split("\n")[0] or type(error).__name__
        raise GraphError(f"{where}: is broken: {told}") from None
    inputs = []
    for index in parts.inputs:
        tensor = read[index]
        if tensor is not None and parts.turned and index == 1:
            tensor = _turned(tensor, where)
            tensors[tensor.name] = tensor
        inputs.append(None if tensor is None else tensor.name)
    return Node(called, parts.operator, tuple(inputs), tuple(tensor.name for tensor in made))


def _turned(weights: Tensor, where: str) -> Tensor:
    """Depthwise weights (1, KY, KX, N) as (N, KY, KX, 1)."""
    if weights.data is None:
        raise GraphError(f"{where}: weights must be constants")
    told = weights.quantisation
    if told is not None and told.channels > 1:
        told = Quantisation(told.scales, told.zeros, 0)
    data = np.ascontiguousarray(np.moveaxis(weights.data, 3, 0).transpose(0, 2, 3, 1))
    return replace(
        weights, name=f"{weights.name}:turned", shape=data.shape, data=data, quantisation=told
    )
