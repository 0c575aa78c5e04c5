"""ONNX's operators that only the host computes, by name: functions of a call and its attributes."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from cimforge.compiler.reference.call import Call
from cimforge.compiler.reference.onnx_attention import attention
from cimforge.compiler.reference.onnx_dynamic import DYNAMIC
from cimforge.compiler.reference.onnx_gates import GATES
from cimforge.compiler.reference.onnx_normal import NORMAL
from cimforge.compiler.reference.onnx_shaping import SHAPING
from cimforge.compiler.reference.stored import optional

__all__ = ["EACH_ITEM", "HOSTS", "Host"]

Host = Callable[..., NDArray | tuple[NDArray, ...]]  # of (call, **attributes)


def _of_arrays(function: Callable[..., Any]) -> Host:
    """A function of arrays, None where one is left out."""

    def host(call: Call, **attributes: Any) -> NDArray | tuple[NDArray, ...]:
        arrays = [optional(call, place) for place in range(len(call.arrays))]
        try:
            return function(*arrays, **attributes)
        except ValueError as error:
            raise ValueError(f"{call.node}: {error}") from None

    return host


ARRAYS: dict[str, Callable[..., Any]] = {
    **{"Attention": attention},
    **DYNAMIC,
    **NORMAL,
    **SHAPING,
}
HOSTS: dict[str, Host] = {
    **{kind: _of_arrays(function) for kind, function in ARRAYS.items()},
    **GATES,
}
# those that work on each item of axis 0 by itself, whatever their attributes
EACH_ITEM = frozenset(
    {"BatchNormalization", "BipolarQuant", "Cast", "Clip", "DepthToSpace", "SpaceToDepth"}
)
