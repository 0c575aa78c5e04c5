"""Writes a small quantised network as an ONNX file, to try ``cimforge run`` with: handwritten
digits, 64 → 32 ReLU → 10, in QuantizeLinear and DequantizeLinear nodes as exporters write them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.digits import PIXEL_HIGH, FloatNetwork, load, train
from cimforge.compiler.npy import npy_bytes
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.outputs import Content, listing, open_outputs
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.options import OutputPath

__all__ = ["network_bytes"]

NAME = "onnx-example"
IMAGES = 40
OPSET, IR = 17, 8


class _Writer:
    """Nodes and constants of an ONNX graph, one after the other."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: Any) -> str:
        """An initialiser."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, kind: str, reads: Sequence[str], made: str, **attributes: Any) -> str:
        """A node called as what it makes."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, reads, [made], made, **attributes))
        return made

    def scale(self, name: str, value: float, zero: Any) -> tuple[str, str]:
        """Scale and zero point of what flows."""
        return (
            self.constant(f"{name}_scale", np.float32(value)),
            self.constant(f"{name}_zero", zero),
        )

    def weights(self, name: str, real: NDArray, scales: NDArray, zeros: NDArray) -> str:
        """A constant in the kind of ``zeros``, a scale a column, and what scales it."""
        held = self.constant(name, np.rint(real / scales).astype(zeros.dtype))
        told = [held, self.constant(f"{name}_scales", scales.astype(np.float32))]
        told.append(self.constant(f"{name}_zeros", zeros))
        return self.node("DequantizeLinear", told, f"{name}_real", axis=real.ndim - 1)


def network_bytes(network: FloatNetwork, pixels: NDArray[np.int64]) -> bytes:
    """The network as ONNX: x uint8 (1, 64), pixels of 0..16; y int8 (1, 10), the greatest is the
    label. Weights are int8, a scale a column; ``pixels`` calibrate what flows.

    Raises ModuleNotFoundError without onnx.
    """
    from onnx import TensorProto, helper

    hidden = np.maximum(pixels / PIXEL_HIGH @ network.weights[0] + network.biases[0], 0)
    logits = hidden @ network.weights[1] + network.biases[1]
    # 0 and above is what the hidden layer's kind holds: its ReLU.
    flows = {
        "x": (1 / PIXEL_HIGH, np.uint8(0)),
        "hidden": (float(hidden.max()) / 255, np.uint8(0)),
        "y": (float(np.abs(logits).max()) / 127, np.int8(0)),
    }
    net = _Writer()
    scales = {name: net.scale(name, *told) for name, told in flows.items()}
    for place, (source, name) in enumerate((("x", "hidden"), ("hidden", "y"))):
        real = net.node("DequantizeLinear", [source, *scales[source]], f"{source}_real")
        w, b = network.weights[place], network.biases[place]
        steps = (np.abs(w).max(axis=0) / 127).astype(np.float32)
        weights = net.weights(f"{name}_weights", w, steps, np.zeros(len(b), np.int8))
        steps = np.float32(flows[source][0]) * steps
        bias = net.weights(f"{name}_bias", b, steps, np.zeros(len(b), np.int32))
        product = net.node("Gemm", [real, weights, bias], f"{name}_product")
        net.node("QuantizeLinear", [product, *scales[name]], name)
    inputs, outputs = pixels.shape[1], len(network.biases[1])
    graph = helper.make_graph(
        net.nodes,
        "digits",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, (1, inputs))],
        [helper.make_tensor_value_info("y", TensorProto.INT8, (1, outputs))],
        net.constants,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="cimforge")
    return model.SerializeToString(deterministic=True)


@click.command()
@click.option("-o", "--output", type=OutputPath(), default=Path(BUILD) / NAME)
def main(output: Path) -> None:
    """Train the network and write digits.onnx, x.npy (40 test images) and labels.npy."""
    data = load()
    try:
        model = network_bytes(train(), data.train_images)
    except ModuleNotFoundError as error:
        sys.exit(f"onnx_example: needs {error.name}; run {install_hint('models')}")
    files: dict[str, Content] = {
        "digits.onnx": model,
        "x.npy": npy_bytes(data.test_images[:IMAGES].astype(np.uint8)),
        "labels.npy": npy_bytes(data.test_labels[:IMAGES]),
    }
    with open_outputs(output, NAME) as outputs:
        outputs.write(files, {"name": NAME, "files": listing(files)})
    for name in files:
        print(output / name)


if __name__ == "__main__":
    main()
