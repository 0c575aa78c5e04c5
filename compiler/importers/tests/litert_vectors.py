"""What LiteRT's reference kernels made of the networks of tflite_cases, as recorded:

    python -m cimforge.compiler.importers.tests.litert_vectors

writes it again (with package ai-edge-litert). Of each tensor that a node makes there are its first
numbers, and a hash of all of them.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.importers.tests.litert_oracle import litert_tensors
from cimforge.compiler.importers.tests.tflite_cases import CASES, drawn
from cimforge.compiler.importers.tests.tflite_writer import Model

__all__ = ["VECTORS", "told"]

VECTORS = Path(__file__).with_suffix(".json")
FIRST = 12  # numbers


def told(array: NDArray) -> list:
    """First numbers and hash, of integers of 64 bits, or of floats of 32."""
    kind = "<f4" if array.dtype.kind == "f" else "<i8"
    flat = np.ascontiguousarray(array.ravel().astype(kind))
    return [hashlib.sha256(flat.tobytes()).hexdigest()[:16], *flat[:FIRST].tolist()]


def made(model: Model) -> list[str]:
    """Tensors that nodes make."""
    return [model.tensors[index].name for node in model.nodes for index in node[2]]


def main() -> None:
    """Records all."""
    lines = []
    for name in CASES:
        model = drawn(name, 0)
        found = litert_tensors(model.octets(), model.feeds(0))
        vectors = {tensor: told(found[tensor]) for tensor in made(model)}
        lines.append(f"{json.dumps(name)}: {json.dumps(vectors)}")
    VECTORS.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
