"""What other rooms measure for a sweep: its verb hands it in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.board import Board
from cimforge.hdl.params.config import MacroConfig

__all__ = ["HandedIn"]

Numbers = dict[str, float] | str


@dataclass(frozen=True)
class HandedIn:
    """Functions of modules, which another process can call. Each gives numbers by name, or why
    there are none.

    ``boards`` by name; ``find_board`` (name or file, clock in MHz or None) gives a board's name and
    the board at that clock; ``place`` (macro, name, board, the placer's seeds, folder) puts the
    macro's SoC on it: ``period`` in ns, ``gops``, ``gops_fmax``, ``board_luts``, ``board_rams`` and
    ``fits`` 1, or ``fits`` 0 alone; ``check`` (macro, folder) tells whether its Verilog is
    ``checked``. ``placing`` and ``checking`` are the packages that decide what they find.
    """

    boards: Mapping[str, Board]
    find_board: Callable[[str, float | None], tuple[str, Board]]
    check_tools: Callable[[Board], None]
    place: Callable[[MacroConfig, str, Board, tuple[int, ...], Path], Numbers]
    placing: tuple[str, ...]
    check_simulator: Callable[[], None]
    check: Callable[[MacroConfig, Path], Numbers]
    checking: tuple[str, ...]
