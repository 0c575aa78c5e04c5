"""A network's inputs from a user's arrays: how many items, and each in the model's own shape."""

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.graph.graph import Graph
from cimforge.compiler.graph.tensor import Tensor

__all__ = ["Feeds", "drawn_feeds", "fitted_feeds", "items_of"]


class Feeds(NamedTuple):
    """``arrays`` by input, ``items`` of the network's own size on axis 0; ``remarks`` tell what was
    made of the user's numbers."""

    arrays: dict[str, NDArray]
    items: int
    remarks: tuple[str, ...] = ()

    def some(self, graph: Graph, first: int, last: int) -> dict[str, NDArray]:
        """Items ``first`` .. ``last - 1``."""
        chosen = {}
        for name, array in self.arrays.items():
            shape = graph.tensors[name].shape
            each = shape[0] if shape else 1
            chosen[name] = array[first * each : last * each] if shape else array
        return chosen


def fitted_feeds(
    graph: Graph, given: Mapping[str, NDArray], where: str, *, named: bool = False
) -> Feeds:
    """Inputs from arrays by name; where they are not ``named`` and the network has one input, from
    the only array. A batch whose items have the model's size is reshaped; floats for an input of
    integers are quantised by its scale, which a remark says.

    Raises ValueError, one line that begins with ``where``, for a missing or unknown name, another
    size, axes in another order, and numbers that the input's kind does not hold.
    """
    names = list(graph.inputs)
    if not named and len(given) == 1 and len(names) == 1:
        given = {names[0]: next(iter(given.values()))}
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        told = f"lacks {missing[0]!r}" if missing else f"holds {unknown[0]!r}"
        rule = f"{told}; the network's inputs are {', '.join(names)}"
        raise ValueError(f"{where}: {rule} (several go in one .npz, by these names)")
    arrays, counts, remarks = {}, set(), []
    for name in names:
        tensor = graph.tensors[name]
        try:
            shaped, items = items_of(tensor, given[name], f"input {name!r}")
            arrays[name], remark = _numbers(tensor, shaped)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        remarks += [remark] if remark else []
        counts.add(items)
    if len(counts) > 1:
        raise ValueError(f"{where}: inputs hold {sorted(counts)} items, and must hold equally many")
    return Feeds(arrays, counts.pop(), tuple(remarks))


def drawn_feeds(graph: Graph, items: int, seed: int) -> Feeds:
    """``items`` of random numbers over each input's whole range, of floats -1 .. 1."""
    draw = np.random.default_rng(seed)
    arrays: dict[str, NDArray] = {}
    for name in graph.inputs:
        tensor = graph.tensors[name]
        shape = (tensor.shape[0] * items, *tensor.shape[1:]) if tensor.shape else ()
        if tensor.is_float:
            arrays[name] = draw.uniform(-1, 1, shape).astype(np.float32)
        else:
            low, high = tensor.limits
            arrays[name] = np.asarray(draw.integers(low, high, shape, np.int64, endpoint=True))
    return Feeds(arrays, items, (f"{items} random item{'s' * (items != 1)}, seed {seed}",))


def items_of(tensor: Tensor, array: NDArray, who: str) -> tuple[NDArray, int]:
    """The array in the tensor's shape, several items on axis 0, and how many.

    Raises ValueError, one line that begins with ``who``, for another size or order of axes.
    """
    shape, rule = tensor.shape, f"{who} must hold items of shape {tensor.shape}"
    if array.shape == shape:
        return array, 1
    if not shape or not array.ndim or not tensor.size or not array.size or array.size % tensor.size:
        raise ValueError(f"{rule}, not an array of shape {array.shape}")
    items = array.size // tensor.size
    # What is left of an item without axes of 1: in the model's order, or flat.
    own = [size for size in shape[1:] if size != 1]
    batch = array.shape[0] in (items, items * shape[0])
    rest = [size for size in (array.shape[1:] if batch else array.shape) if size != 1]
    flat = [prod(own)] if own else []
    per_item = [*([shape[0]] if shape[0] != 1 else []), *own]
    if rest not in (own, flat, per_item, [tensor.size]):
        if sorted(rest) == sorted(own):
            told = f"has axes in another order: {array.shape}; transpose it (numpy.transpose)"
            raise ValueError(f"{rule}, and {told}")
        raise ValueError(f"{rule}, not an array of shape {array.shape}")
    return array.reshape(items * shape[0], *shape[1:]), items


def _numbers(tensor: Tensor, array: NDArray) -> tuple[NDArray, str]:
    """The array in the tensor's kind, and what was done for it."""
    name = f"input {tensor.name!r}"
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers, not {array.dtype}")
    if tensor.is_float:
        if array.dtype.kind == "f":
            return array.astype(np.float32), ""
        return array.astype(np.float32), f"{name}: {array.dtype} taken as float32"
    low, high = tensor.limits
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, and holds NaN or infinity")
        if tensor.quantisation is None:
            raise ValueError(f"{name} must hold {tensor.kind}, not {array.dtype}")
        scaled = np.rint(array.astype(np.float64) / tensor.scale) + tensor.zero
        clipped = np.clip(scaled, low, high).astype(np.int64)
        told = f"{name}: floats quantised by scale {tensor.scale:g}, zero point {tensor.zero}"
        return clipped, told
    outside = (array < low) | (array > high)
    if outside.any():
        where = tuple(int(place) for place in np.argwhere(outside)[0])
        rule = f"must lie in {low}..{high} ({tensor.kind})"
        raise ValueError(f"{name} {rule}, not {array[where]} at {list(where)}")
    return array.astype(np.int64), ""
