"""Vectors gathered from the activation buffer: the addresses of a RUN (README.md, E4, E5)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cimforge.golden.engine_memory import Bytes
from cimforge.golden.numerics import Ints
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["gather_vectors"]


def gather_vectors(config: EngineConfig, buffer: Bytes, run: Mapping[str, int]) -> Ints:
    """The input patterns (vectors, rows) of a RUN with the fields ``run``: for each element the
    byte of its address in the ring ``buffer``, with element_bytes = 2 and the one behind it, the
    element ``pad`` outside the image, 0 beyond the patch or the length; of all the low input_bits.
    """
    size, rows = config.element_bytes, config.macro.rows
    inside, inside_patch, address = _addresses(config, run)
    low_first = address[..., None] + np.arange(size)
    elements = (buffer[low_first % len(buffer)].astype(np.int64) << 8 * np.arange(size)).sum(-1)
    elements = np.where(inside, elements, run["pad"])
    elements = np.where(inside_patch, elements, 0)
    patterns = np.zeros((run["vectors"], rows), np.int64)
    patterns[:, : elements.shape[1]] = elements & ((1 << config.macro.input_bits) - 1)
    return patterns


def _addresses(
    config: EngineConfig, run: Mapping[str, int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Ints]:
    """For each vector and each of its elements: whether it lies inside the image; whether inside
    the patch, (1, elements); the byte of the buffer, counted on from the ring's end, that it begins
    at."""
    vector = np.arange(run["vectors"])[:, None]
    image, oy, ox = (
        vector // (run["count_x"] * run["count_y"]),
        vector // run["count_x"] % run["count_y"],
        vector % run["count_x"],
    )
    # the vector is the part of the patch, a row of all segments, that begins at its skips
    skipped = (run["skip_y"] * run["segments_x"] + run["skip_x"]) * run["segment"] + run["skip"]
    place = skipped + np.arange(0, run["length"], config.element_bytes)[None]
    segment, byte = place // run["segment"], place % run["segment"]
    sy, sx = segment // run["segments_x"], segment % run["segments_x"]
    line = run["origin_y"] + oy * run["stride_y"] + sy * run["step_y"]
    column = run["origin_x"] + ox * run["stride_x"] + sx * run["step_x"] + byte
    inside = (line >= 0) & (line < run["lines"]) & (column >= 0) & (column < run["line_bytes"])
    address = run["source"] + image * run["image_pitch"] + line * run["line_bytes"] + column
    return inside, sy < run["segments_y"], address
