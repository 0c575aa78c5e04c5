"""The token of a plane: what the array and the accumulators must know of it."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data

__all__ = ["Token", "delayed", "delays"]


Bit: Any = 1  # a shape, which types know nothing of


class Token(data.Struct):
    """Travels beside a plane: ``valid`` there is one; ``restart`` it begins a pass; ``negate`` its
    top plane carries the sign of a signed input; ``sign`` its bank's weights are signed; ``ending``
    it is a pass's last (as it stays until the next pass), ``last`` and ends it now; ``read`` it
    belongs to a read-back."""

    valid: Bit
    restart: Bit
    negate: Bit
    sign: Bit
    ending: Bit
    last: Bit
    read: Bit


def delays(
    m: Module, token: Any, ranks: int, enable: Value, shape: Any = Token, name: str = "token"
) -> list[Any]:
    """The token, and what it is 1 .. ``ranks`` registers later, in step with what its plane
    becomes: they hold while ``enable`` is low. A reset empties them. ``shape`` and ``name`` are
    those of another signal."""
    tokens = [token]
    for rank in range(1, ranks + 1):
        tokens.append(Signal(shape, name=f"{name}_{rank}"))
        with m.If(enable):
            m.d.sync += tokens[rank].eq(tokens[rank - 1])
    return tokens


def delayed(
    m: Module, token: Any, ranks: int, enable: Value, shape: Any = Token, name: str = "token"
) -> Any:
    """The last of ``delays``."""
    return delays(m, token, ranks, enable, shape, name)[-1]
