"""ONNX's Attention of floats, on the host: ``softmax(scale Q K^T + mask) V`` of each head."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["attention"]


def attention(
    q: NDArray,
    k: NDArray,
    v: NDArray,
    mask: NDArray | None = None,
    *,
    heads: tuple[int, int],
    scale: float,
    causal: int,
    cap: float,
) -> NDArray:
    """Q (B, heads, T, D), or (B, T, heads D), and K and V alike with heads of their own, each of
    which serves several of Q's. ``mask`` says where to look, or is added. A row that looks nowhere
    gives zeros."""
    flat = q.ndim == 3
    if flat:
        q, k, v = (
            _by_heads(each, count)
            for each, count in zip((q, k, v), (*heads, heads[1]), strict=True)
        )
    times = q.shape[1] // max(1, k.shape[1])
    k, v = np.repeat(k, times, axis=1), np.repeat(v, times, axis=1)
    root = q.dtype.type(np.sqrt(scale if scale else 1 / np.sqrt(q.shape[-1])))
    scores = (q * root) @ (np.swapaxes(k, -1, -2) * root)
    if cap:
        scores = q.dtype.type(cap) * np.tanh(scores / q.dtype.type(cap))
    scores = scores + _bias(mask, scores.shape[-2:], bool(causal), q.dtype)
    most = scores.max(axis=-1, keepdims=True)
    powers = np.exp(scores - np.where(np.isfinite(most), most, 0))
    total = powers.sum(axis=-1, keepdims=True)
    found = (powers / np.where(total == 0, 1, total)).astype(q.dtype) @ v
    if not flat:
        return found
    batch, _, steps, _ = found.shape
    return np.swapaxes(found, 1, 2).reshape(batch, steps, -1)


def _by_heads(x: NDArray, heads: int) -> NDArray:
    batch, steps, width = x.shape
    return np.swapaxes(x.reshape(batch, steps, heads, width // heads), 1, 2)


def _bias(mask: NDArray | None, size: tuple[int, ...], causal: bool, dtype: np.dtype) -> NDArray:
    """What is added to scores; keys beyond a short mask are not looked at."""
    bias = np.zeros(size, dtype)
    if causal:
        bias = np.where(np.tri(size[0], size[1]).astype(bool), bias, -np.inf).astype(dtype)
    if mask is None:
        return bias
    told = np.where(mask, 0, -np.inf).astype(dtype) if mask.dtype == bool else mask
    short = size[1] - told.shape[-1]
    if short > 0:
        edges = [(0, 0)] * (told.ndim - 1) + [(0, short)]
        told = np.pad(told, edges, constant_values=-np.inf)
    return bias + told
