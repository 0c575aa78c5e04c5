"""What LiteRT's reference kernels make of a network: every tensor of it."""

import numpy as np
import pytest

__all__ = ["litert_tensors"]


def litert_tensors(octets: bytes, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All tensors by name. Skips the test where LiteRT is not installed."""
    litert = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="package ai-edge-litert is not installed"
    )
    interpreter = litert.Interpreter(
        model_content=octets,
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    for told in interpreter.get_input_details():
        interpreter.set_tensor(told["index"], feeds[told["name"]])
    interpreter.invoke()
    found = {}
    for told in interpreter.get_tensor_details():
        try:
            found[told["name"]] = np.array(interpreter.get_tensor(told["index"]))
        except ValueError:  # states and packed constants are not given out
            continue
    return found
