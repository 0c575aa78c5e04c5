"""Blocks: Amaranth components that are emitted once under their own module name and instantiated by
it."""

from amaranth.hdl import ClockDomain
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Block", "In", "Out"]


class Block(wiring.Component):
    """A component with a module name; ports of width 0 are left out of its signature.

    ``comment`` is the first line of the class docstring and heads the emitted module. Its clock is
    ``clk``; only blocks with ``has_reset`` have the synchronous, active-high ``rst``.
    """

    has_reset = False

    def __init__(self, prefix: str, kind: str, ports: dict[str, wiring.Member]):
        super().__init__({name: member for name, member in ports.items() if member.shape != 0})
        self.module = f"{prefix}_{kind}"

    @property
    def comment(self) -> str:
        """One sentence that says what the block is."""
        return (self.__doc__ or "").split("\n\n")[0].replace("\n    ", " ").strip()

    def clock_domain(self, name: str) -> ClockDomain:
        """The domain in which the block is emitted."""
        return ClockDomain(name, reset_less=not self.has_reset)
