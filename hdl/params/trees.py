"""What a configuration must know of each adder tree topology."""

from collections.abc import Callable
from typing import NamedTuple

from cimforge.hdl.params.registry import Registry

__all__ = ["TREES", "TreeTraits"]


class TreeTraits(NamedTuple):
    """One topology, registered by its planner.

    ``levels(widths, bits)`` are the levels of a tree of operands of these ``widths`` to a sum of
    ``bits``: the most register ranks it can take. With ``tree_stages = auto`` at most
    ``auto_levels`` levels stand between two registers. ``pairings`` is how many times rows are
    paired, two bits becoming one, before they are summed: 0 in an exact tree.
    """

    levels: Callable[[tuple[int, ...], int], int]
    auto_levels: int
    about: str
    pairings: int = 0

    @property
    def exact(self) -> bool:
        """Whether the tree gives the sum itself."""
        return not self.pairings


TREES: Registry[TreeTraits] = Registry("tree")
