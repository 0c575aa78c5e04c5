"""Arrays in the type that their kind has: what flows between nodes are int64 and floats."""

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.tensor import KINDS
from cimforge.compiler.reference.call import Call

__all__ = ["dtype_of", "optional", "stored"]


def dtype_of(kind: str) -> np.dtype:
    """NumPy's type of a kind: that of the next greater integer where there is none."""
    limits = KINDS[kind]
    if limits is None or kind == "bool":
        return np.dtype(kind)
    signed, bits = limits[0] < 0, (limits[1] - limits[0]).bit_length()
    size = next(size for size in (8, 16, 32, 64) if size >= bits)
    return np.dtype(f"int{size}" if signed else f"uint{size}")


def stored(call: Call, place: int) -> NDArray:
    """What is read at ``place``, so that it wraps as it does in the network's own runtime."""
    return call.array(place).astype(dtype_of(call.tensor(place).kind), copy=False)


def optional(call: Call, place: int) -> NDArray | None:
    """The same; None where it is left out."""
    if place >= len(call.arrays) or call.arrays[place] is None:
        return None
    return stored(call, place)
