"""Follows a running simulation's progress file from another thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["watch"]

PERIOD_S = 0.3


@contextmanager
def watch(path: Path, report: Callable[[int, int], None] | None) -> Iterator[None]:
    """Call ``report(done, total)`` a few times a second with the two numbers in ``path``, while the
    block runs."""
    if report is None:
        yield
        return
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(PERIOD_S):
            try:
                done, total = path.read_text().split()
                report(int(done), int(total))
            except (OSError, ValueError):
                continue  # not written yet, or just being written

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
