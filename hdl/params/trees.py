"""What a configuration must know of each adder tree topology."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cimforge.hdl.params.registry import Registry

if TYPE_CHECKING:
    from cimforge.hdl.params.config import MacroConfig

__all__ = ["ACCUMULATE", "FINAL_ADDERS", "RANK_RULES", "TREES", "AccumulateTraits", "TreeTraits"]


class TreeTraits(NamedTuple):
    """One topology, registered by its planner.

    ``levels(widths, bits, final)`` are the levels of a tree of operands of these ``widths`` to a
    sum of ``bits`` with that final adder: the most register ranks it can take. ``pairings`` is how
    many times rows are paired, two bits becoming one, before they are summed: 0 in an exact tree.
    One that compresses ``columns`` takes any final adder, and where it is exact its sums may be
    left carry-save, of ``compressors`` where it has them: ``levels`` with a number of ``planes``
    are those of one such tree of all planes of a cycle, modulo ``2**bits``. ``words``: made of word
    adders, which an FPGA has carry chains for.
    """

    levels: Callable[..., int]
    about: str
    pairings: int = 0
    columns: bool = False
    compressors: bool = False
    words: bool = False

    @property
    def exact(self) -> bool:
        """Whether the tree gives the sum itself."""
        return not self.pairings


class AccumulateTraits(NamedTuple):
    """One way to accumulate: ``carry_save`` keeps two words a column, which trees and accumulators
    never add; an adder of up to ``most_final_stages`` register ranks behind them does."""

    about: str
    carry_save: bool = False
    most_final_stages: int = 0


TREES: Registry[TreeTraits] = Registry("tree")
# How many ranks a value of tree_stages that is no number stands for.
RANK_RULES: Registry[Callable[["MacroConfig"], int]] = Registry("tree_stages")
FINAL_ADDERS: Registry[str] = Registry("final_adder")  # what each is, by name

FINAL_ADDERS.register("ripple", "part of the columns: the smallest")
FINAL_ADDERS.register("split", "the upper half for both of its carries, which selects")
FINAL_ADDERS.register("prefix", "carries by a parallel-prefix network: the fastest")

ACCUMULATE: Registry[AccumulateTraits] = Registry("accumulate")

ACCUMULATE.register(
    "binary", AccumulateTraits("one word a column, added with its carries in every cycle")
)
ACCUMULATE.register(
    "carry_save",
    AccumulateTraits(
        "two words a column and no carry chain; an adder of final_stages ranks behind them",
        carry_save=True,
        most_final_stages=4,
    ),
)
