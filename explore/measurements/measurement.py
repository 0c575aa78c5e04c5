"""What a measurement by itself is: its key, its task, whom it refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimforge.hdl.params.config import MacroConfig

if TYPE_CHECKING:
    from cimforge.explore.points import Point
    from cimforge.explore.sweep import Sweep

__all__ = ["Measurement", "Task"]

Task = tuple[Callable[..., dict[str, float] | str], tuple[Any, ...]]


def _takes_all(config: MacroConfig) -> None:
    """No macro is refused."""


def _is_here(sweep: "Sweep") -> None:
    """Nothing is needed."""


@dataclass(frozen=True)
class Measurement:
    """A measurement: ``key`` hashes all that decides its result, so points of one key share it;
    ``task`` is the function, of a module, that another process calls, and its arguments, the last
    a folder of its own: it returns numbers by name, or in one line why there are none.

    One takes about ``cost`` times as long as a point's blocks, of like size: for the time left.
    ``needs`` are the tools that it calls, of explore.needs, and simulators. ``refuse`` raises
    ValueError or InputError for a macro that it does not take, ``check`` InputError where a program
    is missing, before anything is measured.
    """

    key: Callable[["Sweep", "Point"], str]
    task: Callable[["Sweep", "Point", Path], Task]
    cost: float
    needs: tuple[str, ...] = ()
    refuse: Callable[[MacroConfig], None] = _takes_all
    check: Callable[["Sweep"], None] = _is_here
