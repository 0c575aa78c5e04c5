"""How far a verb's tasks are, and for how long they will go on, on stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cimforge.scripts.options import stderr

__all__ = ["task_progress"]


@contextmanager
def task_progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """Yields what is called once a task that has ended, with its outcome."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(what), TextColumn("{task.fields[t]}"))
    begun = time.monotonic()
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("", total=total, t="")
        done = 0

        def told(outcome: str) -> None:
            nonlocal done
            done += 1
            left = (time.monotonic() - begun) / done * (total - done)
            text = f"{outcome}, about {left:,.0f} s left"
            bar.update(task, completed=done, t=text)
            if not stderr.is_terminal:
                stderr.print(f"{done} of {total} {what}: {text} …")

        yield told
