"""All networks that tests make themselves, by name."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.importers.tests.tflite_array_cases import ARRAY_CASES
from cimforge.compiler.importers.tests.tflite_layer_cases import LAYER_CASES, Case
from cimforge.compiler.importers.tests.tflite_move_cases import MOVE_CASES
from cimforge.compiler.importers.tests.tflite_network_cases import NETWORK_CASES
from cimforge.compiler.importers.tests.tflite_writer import Model
from cimforge.compiler.importers.tflite_import import import_tflite
from cimforge.compiler.reference.execution import execute

__all__ = ["CASES", "computed", "drawn", "rescaled"]

CASES: dict[str, Case] = {
    **{**LAYER_CASES, **ARRAY_CASES, **MOVE_CASES, **NETWORK_CASES},
}


def drawn(name: str, seed: int) -> Model:
    """A network of CASES; equal on every machine (NumPy keeps what RandomState draws)."""
    return CASES[name](np.random.RandomState(seed))


def rescaled(name: str, seed: int) -> Model:
    """A network of CASES with scales of other sizes: what had one scale has one still, and powers
    of two, which some kernels ask for, stay."""
    model, draw = drawn(name, seed), np.random.RandomState(seed)
    factors: dict[float, float] = {}
    for place, tensor in enumerate(model.tensors):
        for scale in tensor.scales:
            even = np.frexp(scale)[0] == 0.5
            factors.setdefault(scale, 1.0 if even else draw.uniform(0.8, 1.25))
        scales = tuple(float(np.float32(scale * factors[scale])) for scale in tensor.scales)
        model.tensors[place] = tensor._replace(scales=scales)
    for code, inputs, *_ in model.nodes:
        if code == "FULLY_CONNECTED" and len(inputs) == 3:  # its kernel asks for a bias in step
            x, w, bias = (model.tensors[place] for place in inputs)
            scales = tuple(float(np.float32(x.scales[0] * scale)) for scale in w.scales)
            model.tensors[inputs[2]] = bias._replace(scales=scales, zeros=(0,) * len(scales))
    return model


def computed(model: Model, seed: int, folder: Path, rule: str = "litert") -> dict[str, NDArray]:
    """What the house makes of the file: inputs and all that nodes make, by name."""
    path = folder / "network.tflite"
    path.write_bytes(model.octets())
    return execute(import_tflite(path, rule), model.feeds(seed))
