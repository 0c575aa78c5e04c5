"""How far a sweep is, and how long it will take."""

import time
from collections.abc import Callable

__all__ = ["Progress", "TimeLeft"]

Progress = Callable[[int, int, float | None], None]  # measured, of how many, seconds left
LEAST = 0.05  # of the work, before its pace tells anything


class TimeLeft:
    """Tells how many of ``total`` measurements are done, and the time left at the pace of the
    ``work`` until now: each counts as long as it is likely to take, that of a point's blocks as
    1."""

    def __init__(self, total: int, work: float, progress: Progress):
        self._total, self._work, self._progress = total, work, progress
        self._begun, self._behind, self._done = time.monotonic(), 0.0, 0

    def add(self, work: float, done: int = 0) -> None:
        """So much more is behind us; ``done`` more measurements are finished."""
        self._behind += work
        self._done += done
        spent, share = time.monotonic() - self._begun, self._behind / self._work
        left = spent * max(0.0, 1 - share) / share if share > LEAST else None
        self._progress(self._done, self._total, left)
