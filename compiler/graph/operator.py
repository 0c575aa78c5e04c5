"""Operators of a network, whichever file it came from: what each does, as attributes.

Arrays of images are (batch, height, width, channels); importers turn others. ``activation`` is one
of ACTIVATIONS, applied behind the rest.
"""

from dataclasses import dataclass
from typing import Any

__all__ = [
    "ACTIVATIONS",
    "Concatenate",
    "Convolution",
    "Elementwise",
    "FullyConnected",
    "Function",
    "HostOperator",
    "MatrixProduct",
    "Operator",
    "Pad",
    "Pool",
    "Quantise",
    "Reduce",
    "Reshape",
    "Slice",
    "Softmax",
    "Transpose",
    "TransposedConvolution",
]

ACTIVATIONS = ("none", "relu", "relu6", "relu_n1_to_1")
Pair = tuple[int, int]


@dataclass(frozen=True)
class Operator:
    """What a node does."""

    @property
    def title(self) -> str:
        """What it is called in a line of text."""
        return type(self).__name__


@dataclass(frozen=True)
class FullyConnected(Operator):
    """``y = x w^T + b``: x (..., K), w (N, K), b (N,) or none; y (..., N)."""

    activation: str = "none"


@dataclass(frozen=True)
class Convolution(Operator):
    """x (B, H, W, C), w (N, KY, KX, C / groups), b (N,) or none; y (B, OY, OX, N).

    ``padding`` is ((above, below), (left, right)); padding is the zero point of x. A depthwise
    convolution has as many groups as channels.
    """

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    groups: int = 1
    activation: str = "none"


@dataclass(frozen=True)
class TransposedConvolution(Operator):
    """The gradient of a convolution of these attributes: x (B, OY, OX, C), w (N, KY, KX, C), b (N,)
    or none; y (B, H, W, N), of which ``padding`` is cut off."""

    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    output: Pair = (0, 0)
    activation: str = "none"


@dataclass(frozen=True)
class MatrixProduct(Operator):
    """``y = a b`` of the last two axes, either of them turned before; both may come at run time."""

    turn_a: bool = False
    turn_b: bool = False
    activation: str = "none"


@dataclass(frozen=True)
class Pool(Operator):
    """The ``kind`` (max, average) of windows; padding takes no part in either, but that the
    divisor of an average counts all of it above and left, and ``counted`` below and right, where
    that is given."""

    kind: str
    window: Pair
    stride: Pair
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    activation: str = "none"
    dilation: Pair = (1, 1)
    counted: Pair | None = None


@dataclass(frozen=True)
class Elementwise(Operator):
    """``kind`` of add, subtract, multiply, divide, maximum, minimum, of two arrays that NumPy's
    rules broadcast."""

    kind: str
    activation: str = "none"


@dataclass(frozen=True)
class Function(Operator):
    """``kind`` of relu, relu6, relu_n1_to_1, leaky_relu (``alpha``), prelu, logistic, tanh,
    hard_swish, gelu, exp, rsqrt, sqrt, negative, absolute, square, of each element."""

    kind: str
    alpha: float = 0.0
    beta: float = 0.0


@dataclass(frozen=True)
class Softmax(Operator):
    """``exp(beta x) / sum`` over ``axis``."""

    axis: int = -1
    beta: float = 1.0


@dataclass(frozen=True)
class Reduce(Operator):
    """``kind`` of mean, sum, max, over ``axes``, which stay as 1 with ``keep``."""

    kind: str
    axes: tuple[int, ...]
    keep: bool = False


@dataclass(frozen=True)
class Concatenate(Operator):
    """Arrays side by side on ``axis``."""

    axis: int
    activation: str = "none"


@dataclass(frozen=True)
class Reshape(Operator):
    """The same elements in the output's shape."""


@dataclass(frozen=True)
class Transpose(Operator):
    """Axis n of the output is axis ``order[n]`` of the input."""

    order: tuple[int, ...]


@dataclass(frozen=True)
class Pad(Operator):
    """``amounts`` before and behind each axis, filled with ``value`` (a real number)."""

    amounts: tuple[Pair, ...]
    value: float = 0.0


@dataclass(frozen=True)
class Slice(Operator):
    """Elements ``begin``, ``begin + step`` ... below ``end`` of each axis; axes in ``drop`` go."""

    begin: tuple[int, ...]
    end: tuple[int, ...]
    step: tuple[int, ...]
    drop: tuple[int, ...] = ()


@dataclass(frozen=True)
class Quantise(Operator):
    """Into the output's kind and scale: of floats, or of integers of another scale; to floats where
    the output has none."""


@dataclass(frozen=True)
class HostOperator(Operator):
    """What only one framework has, for the host: ``kind`` as it is called there, ``attributes`` as
    names with values. The framework's rule knows it."""

    kind: str
    attributes: tuple[tuple[str, Any], ...] = ()

    @property
    def title(self) -> str:
        return self.kind
