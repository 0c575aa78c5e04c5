"""ONNX's functions of each element, in the precision of their inputs."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["ELEMENTWISE", "FUNCTIONS"]

Unary = Callable[[NDArray, float, float], NDArray]
Binary = Callable[[NDArray, NDArray], NDArray]


def _erf(x: NDArray) -> NDArray:
    each = np.fromiter(map(math.erf, x.ravel().tolist()), np.float64, x.size)
    return each.reshape(x.shape).astype(x.dtype)


def _logistic(x: NDArray) -> NDArray:
    small = np.exp(-np.abs(x))  # never above 1
    return np.where(x >= 0, 1, small) / (1 + small)


def _gelu_by_tanh(x: NDArray) -> NDArray:
    inner = np.sqrt(2 / np.pi).astype(x.dtype) * (x + x.dtype.type(0.044715) * x**3)
    return x * x.dtype.type(0.5) * (1 + np.tanh(inner))


def _hard_sigmoid(x: NDArray, alpha: float, beta: float) -> NDArray:
    return np.clip(x.dtype.type(alpha) * x + x.dtype.type(beta), 0, 1)


def _elu(x: NDArray, alpha: float, beta: float) -> NDArray:
    return np.where(x > 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, 0)))


def _whole(x: NDArray, each: Callable) -> NDArray:
    return x if np.issubdtype(x.dtype, np.integer) else each(x)


# kind: of x with alpha and beta, where it has such
FUNCTIONS: dict[str, Unary] = {
    "absolute": lambda x, a, b: np.abs(x),
    "ceil": lambda x, a, b: _whole(x, np.ceil),
    "cos": lambda x, a, b: np.cos(x),
    "elu": _elu,
    "erf": lambda x, a, b: _erf(x),
    "exp": lambda x, a, b: np.exp(x),
    "floor": lambda x, a, b: _whole(x, np.floor),
    "gelu": lambda x, a, b: x * x.dtype.type(0.5) * (1 + _erf(x / np.sqrt(x.dtype.type(2)))),
    "gelu_tanh": lambda x, a, b: _gelu_by_tanh(x),
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": lambda x, a, b: x * _hard_sigmoid(x, 1 / 6, 0.5),
    "identity": lambda x, a, b: x,
    "leaky_relu": lambda x, a, b: np.where(x >= 0, x, x * x.dtype.type(a)),
    "log": lambda x, a, b: np.log(x),
    "logistic": lambda x, a, b: _logistic(x),
    "mish": lambda x, a, b: x * np.tanh(np.logaddexp(x, x.dtype.type(0))),
    "negative": lambda x, a, b: -x,
    "not": lambda x, a, b: ~x,
    "reciprocal": lambda x, a, b: 1 / x,
    "relu": lambda x, a, b: np.maximum(x, 0),
    "relu6": lambda x, a, b: np.clip(x, 0, 6),
    "relu_n1_to_1": lambda x, a, b: np.clip(x, -1, 1),
    "round": lambda x, a, b: np.rint(x),
    "selu": lambda x, a, b: x.dtype.type(b) * _elu(x, a, b),
    "sign": lambda x, a, b: np.sign(x),
    "silu": lambda x, a, b: x * _logistic(x * x.dtype.type(a)),
    "sin": lambda x, a, b: np.sin(x),
    "softplus": lambda x, a, b: np.logaddexp(x, x.dtype.type(0)),
    "softsign": lambda x, a, b: x / (1 + np.abs(x)),
    "sqrt": lambda x, a, b: np.sqrt(x),
    "tan": lambda x, a, b: np.tan(x),
    "tanh": lambda x, a, b: np.tanh(x),
}


def _divided(a: NDArray, b: NDArray) -> NDArray:
    """Integers towards zero; by 0 they give 0, which ONNX leaves open."""
    if not np.issubdtype(a.dtype, np.integer):
        return a / b
    wide_a, wide_b = a.astype(np.int64), b.astype(np.int64)
    whole = np.abs(wide_a) // np.maximum(np.abs(wide_b), 1)
    signed = np.where((wide_a < 0) ^ (wide_b < 0), -whole, whole)
    return np.where(wide_b == 0, 0, signed).astype(a.dtype)


def _power(a: NDArray, b: NDArray) -> NDArray:
    """In the precision of the base."""
    if np.issubdtype(a.dtype, np.integer) and np.issubdtype(b.dtype, np.integer):
        return np.power(a.astype(np.float64), b).astype(np.int64).astype(a.dtype)
    if np.issubdtype(a.dtype, np.integer):
        return np.power(a.astype(b.dtype), b).astype(np.int64).astype(a.dtype)
    return np.power(a, b.astype(a.dtype))


ELEMENTWISE: dict[str, Binary] = {
    "add": np.add,
    "and": np.logical_and,
    "divide": _divided,
    "equal": np.equal,
    "greater": np.greater,
    "greater_or_equal": np.greater_equal,
    "less": np.less,
    "less_or_equal": np.less_equal,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "or": np.logical_or,
    "power": _power,
    "prelu": lambda x, slope: np.where(x < 0, x * slope, x),
    "subtract": np.subtract,
    "xor": np.logical_xor,
}
