"""How far a sweep is, and how long it will take."""

import time
from collections.abc import Callable

__all__ = ["Progress", "TimeLeft"]

Progress = Callable[[int, int, float | None], None]  # points done, of how many, seconds left
LEAST = 0.05  # of the work, before its pace tells anything


class TimeLeft:
    """Tells how far the work on ``total`` points is, and the time left at its pace until now."""

    def __init__(self, total: int, progress: Progress):
        self._total, self._progress = total, progress
        self._begun, self._share, self._done = time.monotonic(), 0.0, 0

    def add(self, points: float, done: int = 0) -> None:
        """The work on ``points`` more points is behind us, or as much of several; ``done`` of them
        are finished."""
        self._share += points / self._total
        self._done += done
        spent = time.monotonic() - self._begun
        left = spent * max(0.0, 1 - self._share) / self._share if self._share > LEAST else None
        self._progress(self._done, self._total, left)
