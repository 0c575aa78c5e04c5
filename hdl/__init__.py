"""What the hardware is. Importing it registers what a configuration may name: the adder trees, and
the rule of ``tree_stages = auto``."""

from typing import TYPE_CHECKING

from cimforge.hdl.arith import planners as _planners  # noqa: F401 - registers the topologies
from cimforge.hdl.params.trees import RANK_RULES

if TYPE_CHECKING:
    from cimforge.hdl.params.config import MacroConfig


def _auto_ranks(config: "MacroConfig") -> int:
    """Asks the columns, whose hardware a configuration does not know, when there is a need."""
    from cimforge.hdl.macro.pipeline import auto_ranks

    return auto_ranks(config)


if "auto" not in RANK_RULES:  # a test runner imports this file by its folder's name as well
    RANK_RULES.register("auto", _auto_ranks)
