"""Values a cycle later."""

from amaranth.hdl import Module, Shape, Signal, Value, ValueLike

__all__ = ["delayed"]


def delayed(m: Module, name: str, value: ValueLike, shape: Shape | None = None) -> Signal:
    """The register ``name``_q, not reset, that takes ``value`` at every edge (of an enabled domain,
    where it is enabled), in the bits of ``shape`` where the value needs fewer than it has."""
    value = Value.cast(value)
    register = Signal(shape or value.shape(), name=f"{name}_q", reset_less=True)
    m.d.sync += register.eq(value)
    return register
