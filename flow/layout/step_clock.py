"""Says which step of a layout is under way, and how long each took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["StepClock"]


class StepClock:
    """``seconds`` of each step so far; steps are announced as they begin."""

    def __init__(self, announce: Callable[[str], None]):
        self.seconds: dict[str, float] = {}
        self._announce = announce

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[None]:
        """Count what is done here to the step ``name``."""
        self._announce(text)
        started = time.perf_counter()
        yield
        took = time.perf_counter() - started
        self.seconds[name] = self.seconds.get(name, 0.0) + took
