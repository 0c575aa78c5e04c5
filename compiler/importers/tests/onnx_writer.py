"""Writes small ONNX networks, imports and executes them, and asks onnxruntime for the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cimforge.compiler.graph.graph import Graph
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.reference.call import exact_products
from cimforge.compiler.reference.execution import execute

onnx = pytest.importorskip("onnx", reason="package onnx is not installed: no network to write")
helper = onnx.helper
node = helper.make_node

__all__ = ["Net", "check_outputs", "node", "onnx", "runtime_outputs", "saved"]

DOMAINS = ("com.microsoft", "qonnx.custom_op.general")
VERSION = 21  # of ONNX's operators


class Net:
    """Nodes, constants and inputs in the making; names are handed out."""

    def __init__(self, seed: int = 0):
        self.draw = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, np.ndarray] = {}  # by example
        self._count = 0

    def name(self, what: str = "t") -> str:
        """Another name."""
        self._count += 1
        return f"{what}{self._count}"

    def constant(self, value: Any, what: str = "k") -> str:
        """A constant."""
        name = self.name(what)
        self.constants[name] = np.asarray(value)
        return name

    def feed(self, value: np.ndarray) -> str:
        """An input, and what it is fed with."""
        name = self.name("x")
        self.inputs[name] = value
        return name

    def add(self, kind: str, *reads: str, outputs: int = 1, domain: str = "", **told: Any) -> Any:
        """A node; the name of what it makes, or names."""
        made = [self.name(kind.lower()) for _ in range(outputs)]
        self.nodes.append(node(kind, list(reads), made, domain=domain, **told))
        return made[0] if outputs == 1 else made

    def quantised(self, x: str, kind: type = np.uint8, scale: float = 0.04, zero: int = 12) -> str:
        """Floats through integers of one scale, back to floats."""
        told = self.constant(np.float32(scale)), self.constant(kind(zero))
        return self.add("DequantizeLinear", self.add("QuantizeLinear", x, *told), *told)

    def integers(self, shape: Sequence[int], kind: type) -> np.ndarray:
        """All of a kind's values, drawn."""
        limits = np.iinfo(kind)
        return self.draw.integers(limits.min, limits.max + 1, shape).astype(kind)

    def weights(
        self, shape: Sequence[int], axis: int | None = None, kind: type = np.int8, zero: int = 0
    ) -> tuple[str, np.ndarray]:
        """Dequantised weights, with a scale an index of ``axis``, and the scales."""
        count = 1 if axis is None else shape[axis]
        scales = self.draw.uniform(0.002, 0.01, count).astype(np.float32)
        zeros = np.full(count, zero, kind)
        if axis is None:
            scales, zeros = scales.reshape(()), zeros.reshape(())
        told = self.constant(scales), self.constant(zeros)
        data = self.constant(self.integers(shape, kind), "w")
        return self.add("DequantizeLinear", data, *told, axis=axis or 0), scales

    def bias(self, size: int, x_scale: float, w_scales: np.ndarray) -> str:
        """A dequantised bias of int32 in units of x and w."""
        scales = (np.float32(x_scale) * w_scales).astype(np.float32)
        told = self.constant(scales), self.constant(np.zeros(scales.shape, np.int32))
        data = self.constant(self.draw.integers(-2000, 2000, size).astype(np.int32), "b")
        return self.add("DequantizeLinear", data, *told, axis=0)

    def model(self, *outputs: str, version: int = VERSION) -> Any:
        """The network with these outputs."""
        kind_of = helper.np_dtype_to_tensor_dtype
        inputs = [
            helper.make_tensor_value_info(name, kind_of(value.dtype), value.shape)
            for name, value in self.inputs.items()
        ]
        named = [onnx.ValueInfoProto(name=name) for name in outputs]
        constants = [onnx.numpy_helper.from_array(v, n) for n, v in self.constants.items()]
        graph = helper.make_graph(self.nodes, "net", inputs, named, constants)
        opsets = [helper.make_opsetid("", version), *(helper.make_opsetid(d, 1) for d in DOMAINS)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def saved(model: Any, folder: Path) -> Path:
    """Its file."""
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def runtime_outputs(
    path: Path, feeds: Mapping[str, np.ndarray], optimised: bool = True
) -> list[np.ndarray]:
    """onnxruntime's, of one thread; skips the test where it is not installed."""
    ort = pytest.importorskip(
        "onnxruntime", reason="package onnxruntime is not installed: nobody to compare with"
    )
    told = ort.SessionOptions()
    told.intra_op_num_threads, told.log_severity_level = 1, 3
    if not optimised:
        told.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), told, providers=["CPUExecutionProvider"])
    return session.run(None, dict(feeds))


def check_outputs(
    net: Net,
    folder: Path,
    *outputs: str,
    products: Any = exact_products,
    near: float = 1e-5,
    version: int = VERSION,
) -> Graph:
    """Holds outputs against onnxruntime's: integers to the bit, floats within ``near`` of the
    greatest."""
    path = saved(net.model(*outputs, version=version), folder)
    graph = import_onnx(path)
    told = execute(graph, net.inputs, products)
    for name, wanted in zip(outputs, runtime_outputs(path, net.inputs), strict=True):
        found = told[name]
        assert found.shape == wanted.shape, name
        if wanted.dtype.kind in "iub":
            assert len(np.unique(wanted)) > 1, f"{name}: says nothing"
            assert (found == wanted).all(), (name, net.nodes[-1].op_type)
        else:
            away = np.abs(found.astype(np.float64) - wanted).max(initial=0)
            assert away <= near * max(1.0, np.abs(wanted).max(initial=0)), (name, away)
    return graph
