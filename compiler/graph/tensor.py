"""What flows between a network's nodes: arrays of integers with a scale, or of floats."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "MOST_ELEMENTS", "MOST_RANK", "Quantisation", "Tensor"]

# kind: least and greatest value of an integer, None for floats
KINDS: dict[str, tuple[int, int] | None] = {
    **{f"int{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (*range(1, 17), 32, 64)},
    **{f"uint{bits}": (0, (1 << bits) - 1) for bits in (*range(1, 17), 32)},
    "bool": (0, 1),
    **dict.fromkeys(("float16", "float32", "float64")),
}
MOST_RANK = 8
MOST_ELEMENTS = 1 << 28  # of a tensor: more is taken for a file that lies


@dataclass(frozen=True)
class Quantisation:
    """Integers q stand for ``(q - zero) * scale``, with one scale and zero for all, or one of each
    for each index of ``axis``."""

    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int = 0

    def __post_init__(self) -> None:
        if len(self.scales) != len(self.zeros) or not self.scales:
            told = f"{len(self.scales)} scales and {len(self.zeros)} zero points"
            raise ValueError(f"quantisation must have as many scales as zero points, not {told}")
        for scale in self.scales:
            if not 0 < scale < float("inf"):
                raise ValueError(f"scale must be above 0 and finite, not {scale!r}")

    @property
    def channels(self) -> int:
        """How many scales there are."""
        return len(self.scales)


@dataclass(frozen=True, eq=False)
class Tensor:
    """``shape`` and ``kind`` (of KINDS) of an array, its ``quantisation`` where it has one, and its
    ``data`` where it is a constant: integers of fewer than 8 bits a byte each.

    Raises ValueError with the tensor's name, the rule and the value where they do not fit together.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    quantisation: Quantisation | None = None
    data: NDArray | None = None

    def __post_init__(self) -> None:
        name = f"tensor {self.name!r}"
        if self.kind not in KINDS:
            raise ValueError(f"{name}: kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if len(self.shape) > MOST_RANK or any(size < 0 for size in self.shape):
            rule = f"must have at most {MOST_RANK} sizes, none below 0"
            raise ValueError(f"{name}: shape {rule}, not {self.shape}")
        if self.size > MOST_ELEMENTS:
            rule = f"must have at most {MOST_ELEMENTS} elements"
            raise ValueError(f"{name}: shape {rule}, not {self.shape}")
        if self.data is not None and self.data.shape != self.shape:
            raise ValueError(f"{name}: data must have shape {self.shape}, not {self.data.shape}")
        self._check_quantisation(name)
        self._check_range(name)

    def _check_quantisation(self, name: str) -> None:
        told, limits = self.quantisation, KINDS[self.kind]
        if told is None or told.channels == 1:
            wrong = None
        elif not 0 <= told.axis < len(self.shape):
            wrong = f"axis must be one of {len(self.shape)}, not {told.axis}"
        elif self.shape[told.axis] != told.channels:
            wrong = f"must have {self.shape[told.axis]} scales on axis {told.axis}"
            wrong += f", not {told.channels}"
        else:
            wrong = None
        if told is not None and limits is not None:
            outside = [zero for zero in told.zeros if not limits[0] <= zero <= limits[1]]
            if outside:
                wrong = f"zero points must lie in {limits[0]}..{limits[1]}, not {outside[0]}"
        if wrong:
            raise ValueError(f"{name}: quantisation {wrong}")

    def _check_range(self, name: str) -> None:
        limits = KINDS[self.kind]
        if self.data is None or limits is None or not self.data.size:
            return
        for value in (int(self.data.min()), int(self.data.max())):
            if not limits[0] <= value <= limits[1]:
                rule = f"must lie in {limits[0]}..{limits[1]} ({self.kind})"
                raise ValueError(f"{name}: data {rule}, not {value}")

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether it holds floats, not integers."""
        return KINDS[self.kind] is None

    @property
    def is_constant(self) -> bool:
        """Whether its data are known."""
        return self.data is not None

    @property
    def scale(self) -> float:
        """The scale of all of it. Raises ValueError where there is none, or one a channel."""
        return self._only().scales[0]

    @property
    def zero(self) -> int:
        """The zero point of all of it. Raises ValueError as ``scale`` does."""
        return self._only().zeros[0]

    def _only(self) -> Quantisation:
        if self.quantisation is None:
            raise ValueError(f"tensor {self.name!r}: must be quantised, and has no scale")
        if self.quantisation.channels > 1:
            rule = "must have one scale, not one a channel"
            raise ValueError(f"tensor {self.name!r}: {rule}")
        return self.quantisation

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value. Raises ValueError for floats."""
        limits = KINDS[self.kind]
        if limits is None:
            raise ValueError(f"tensor {self.name!r}: must hold integers, not {self.kind}")
        return limits

    def real(self) -> NDArray[np.float64]:
        """A constant's numbers, scale and zero point applied."""
        if self.data is None:
            raise ValueError(f"tensor {self.name!r}: must be a constant")
        if self.quantisation is None:
            return self.data.astype(np.float64)
        shape = [1] * len(self.shape)
        if self.quantisation.channels > 1:
            shape[self.quantisation.axis] = self.quantisation.channels
        zeros = np.array(self.quantisation.zeros).reshape(shape)
        return (self.data.astype(np.int64) - zeros) * np.array(self.quantisation.scales).reshape(
            shape
        )
