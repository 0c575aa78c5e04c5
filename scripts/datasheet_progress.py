"""How far a datasheet's checks are, and for how long they will go on, on stderr."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from cimforge.flow.datasheet.checks import CHECKS
from cimforge.scripts.options import stderr

__all__ = ["check_progress", "seconds_left"]


def seconds_left(names: Sequence[str], known: Mapping[str, float]) -> float | None:
    """Seconds that the checks ``names`` will take, by the seconds ``known`` of runs: a check's own,
    else by its effort at the pace of the others; None before any is known."""
    effort = sum(CHECKS[name].effort for name in known)
    if not effort:
        return None
    pace = sum(known.values()) / effort
    return sum(known.get(name, CHECKS[name].effort * pace) for name in names)


class _Left(ProgressColumn):
    """The time left, which runs down between checks."""

    def render(self, task: Task) -> Text:
        ends = task.fields["ends"]
        return Text("" if ends is None else _told(max(0.0, ends - time.monotonic())))


def _told(left: float) -> str:
    return f"about {left:,.0f} s left"


@contextmanager
def check_progress(
    names: Sequence[str], known: dict[str, float]
) -> Iterator[Callable[[str], Callable[[str], None]]]:
    """Yields what is called with the name of each check that begins, in order; it returns what is
    called with the count of the check's tasks that have ended, each time that it looks.

    ``known`` are seconds by check, of this run and earlier ones, which the caller keeps up to date.
    """
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), _Left())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("", total=len(names), ends=None)

        def begin(name: str) -> Callable[[str], None]:
            done = names.index(name)
            left = seconds_left(names[done:], known)
            text = f"running the {CHECKS[name].title}"
            ends = None if left is None else time.monotonic() + left
            bar.update(task, completed=done, description=text, ends=ends)
            if not stderr.is_terminal:
                ahead = "" if left is None else f", {_told(left)}"
                stderr.print(f"{done + 1} of {len(names)}: {text}{ahead} …")
            last = ""

            def told(count: str) -> None:
                nonlocal last
                bar.update(task, description=f"{text}: {count}")
                if not stderr.is_terminal and count != last:
                    stderr.print(f"{text}: {count} …")
                last = count

            return told

        yield begin
