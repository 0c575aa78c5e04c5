"""A real int8 model (MLPerf Tiny's anomaly detection): bit-exact layers prove the rounding mode,
tiled ones the tiles."""

from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler.matmul import exact_matmul, tiled_matmul
from cimforge.compiler.quantise import quantise_multiplier, requantise
from cimforge.hdl.params.config import MacroConfig

FOLDER = Path(__file__).parents[3] / "shared/data/mlperf_tiny"
MODEL, VECTORS = FOLDER / "ad01_int8.tflite", FOLDER / "ad_vectors.npz"

tflite = pytest.importorskip("tflite", reason="package tflite is not installed: no model to read")
pytestmark = pytest.mark.skipif(
    not MODEL.is_file(), reason=f"no {MODEL.name} in ../shared/data/mlperf_tiny"
)


def run_model(x, matmul):
    """Ten fully connected layers, per-tensor scales and input zero points; x (batch, 640) int8
    values."""
    model = tflite.Model.GetRootAsModel(MODEL.read_bytes(), 0)
    graph = model.Subgraphs(0)
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        x_tensor, w_tensor, b_tensor = (graph.Tensors(operator.Inputs(place)) for place in range(3))
        y_tensor = graph.Tensors(operator.Outputs(0))
        scales = [
            float(tensor.Quantization().Scale(0)) for tensor in (x_tensor, w_tensor, y_tensor)
        ]
        x_zero, y_zero = (
            int(tensor.Quantization().ZeroPoint(0)) for tensor in (x_tensor, y_tensor)
        )
        weights = (
            model.Buffers(w_tensor.Buffer())
            .DataAsNumpy()
            .view(np.int8)
            .reshape(w_tensor.ShapeAsNumpy())
        )
        bias = model.Buffers(b_tensor.Buffer()).DataAsNumpy().view(np.int32)
        options = tflite.FullyConnectedOptions()
        options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
        relu = options.FusedActivationFunction() == tflite.ActivationFunctionType.RELU

        sums = matmul(x - x_zero, weights.T.astype(np.int64)) + bias
        y = requantise(sums, *quantise_multiplier(scales[0] * scales[1] / scales[2])) + y_zero
        x = np.clip(y, y_zero if relu else -128, 127)
    return x


# x - zero point takes 9 bits; 100 x 24 divides none of the layers evenly
@pytest.mark.parametrize(
    "matmul",
    [exact_matmul, tiled_matmul(MacroConfig(rows=100, cols=24, input_bits=9, banks=2))],
    ids=["numpy", "tiled"],
)
def test_anomaly_detection_is_bit_exact(matmul):
    vectors = np.load(VECTORS)
    outputs = run_model(vectors["inputs"].astype(np.int64), matmul)
    lanes = (outputs.astype(np.uint32) << (8 * (np.arange(640, dtype=np.uint32) % 4))).astype(
        np.uint32
    )
    assert np.bitwise_xor.reduce(lanes, axis=1).tolist() == vectors["output_xor32"].tolist()
