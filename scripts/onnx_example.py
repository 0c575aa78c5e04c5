"""Writes a small quantised network as an ONNX file, to try ``cimforge run`` with: handwritten
digits, 64 → 32 ReLU → 10, in QuantizeLinear and DequantizeLinear nodes as exporters write them."""

import sys
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


def network_bytes(network: FloatNetwork, pixels: NDArray[np.int64]) -> bytes:
    """The network as ONNX: x uint8 (1, 64), pixels of 0..16; y int8 (1, 10), the greatest is the
    label. Weights are int8, a scale a column; ``pixels`` calibrate what flows.

    Raises ModuleNotFoundError without onnx.
    """
    from onnx import TensorProto, helper, numpy_helper

    constants: list[Any] = []
    nodes: list[Any] = []

    def constant(name: str, array: NDArray) -> str:
        constants.append(numpy_helper.from_array(array, name))
        return name

    def scale(name: str, value: float, zero: Any) -> tuple[str, str]:
        held = constant(f"{name}_scale", np.float32(value).reshape(()))
        return held, constant(f"{name}_zero", np.asarray(zero))

    hidden = np.maximum(pixels / PIXEL_HIGH @ network.weights[0] + network.biases[0], 0)
    logits = hidden @ network.weights[1] + network.biases[1]
    flows = [
        scale("x", 1 / PIXEL_HIGH, np.uint8(0)),
        scale("hidden", hidden.max() / 255, np.uint8(0)),  # 0 and above: ReLU is in its range
        scale("y", np.abs(logits).max() / 127, np.int8(0)),
    ]
    scales = [1 / PIXEL_HIGH, hidden.max() / 255]
    nodes.append(helper.make_node("DequantizeLinear", ["x", *flows[0]], ["x_real"], "x_real"))
    for place, name in enumerate(("hidden", "y")):
        w, b = network.weights[place], network.biases[place]
        each = (np.abs(w).max(axis=0) / 127).astype(np.float32)
        weights = constant(f"{name}_weights", np.rint(w / each).astype(np.int8))
        zeros = constant(f"{name}_weight_zeros", np.zeros(w.shape[1], np.int8))
        told = [weights, constant(f"{name}_weight_scales", each), zeros]
        real = f"{name}_weights_real"
        nodes.append(helper.make_node("DequantizeLinear", told, [real], real, axis=1))
        steps = (np.float32(scales[place]) * each).astype(np.float32)
        bias = constant(f"{name}_bias", np.rint(b / steps).astype(np.int32))
        told = [bias, constant(f"{name}_bias_scales", steps)]
        nodes.append(
            helper.make_node("DequantizeLinear", told, [f"{bias}_real"], f"{bias}_real", axis=0)
        )
        source = "x_real" if not place else "hidden_real"
        product = f"{name}_product"
        nodes.append(helper.make_node("Gemm", [source, real, f"{bias}_real"], [product], product))
        nodes.append(helper.make_node("QuantizeLinear", [product, *flows[place + 1]], [name], name))
        if not place:
            told = ["hidden", *flows[1]]
            nodes.append(helper.make_node("DequantizeLinear", told, ["hidden_real"], "hidden_real"))
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, (1, pixels.shape[1]))],
        [helper.make_tensor_value_info("y", TensorProto.INT8, (1, len(network.biases[1])))],
        constants,
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
