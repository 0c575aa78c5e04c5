"""Results of tasks kept on disk until all are there, so that a run that is cut off goes on."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cimforge.explore.cluster.worker_report import own_release
from cimforge.explore.workers import Crew

__all__ = ["KeptTasks"]


@dataclass(frozen=True)
class KeptTasks:
    """Results, plain JSON data, in ``folder``, each under the hash of what it depends on: the
    releases and this package's own text, and what a task is told."""

    folder: Path

    def each(
        self,
        crew: Crew,
        function: Callable[..., Any],
        tasks: Iterable[tuple[Any, Any, tuple]],
        needs: Sequence[str] = (),
    ) -> Iterator[tuple[Any, Any]]:
        """(label, result) of each task (label, what it depends on, arguments): first those that are
        known, then the others as they end (Crew.each)."""
        left: list[tuple[tuple[Any, Path], tuple]] = []
        for label, told, arguments in tasks:
            path = self.folder / f"{_key(told)}.json"
            try:
                yield label, json.loads(path.read_text())
            except (OSError, ValueError):
                left.append(((label, path), arguments))
        for (label, path), result in crew.each(function, left, needs):
            self._keep(path, result)
            yield label, result

    def forget(self) -> None:
        """All has been told: remove what was kept."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keep(self, path: Path, result: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.stem}.{os.getpid()}.part")
        partial.write_text(json.dumps(result))
        partial.replace(path)


def _key(told: Any) -> str:
    text = json.dumps([own_release(), told], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
