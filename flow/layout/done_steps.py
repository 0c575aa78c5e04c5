"""Steps that are not taken again: what they read and wrote is as it was."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["once"]


def once(
    folder: Path,
    step: str,
    inputs: Mapping[str, str],
    programs: Sequence[str],
    writes: Sequence[str],
    work: Callable[[], None],
) -> bool:
    """Do ``work``, a ``step`` that writes files of these names into ``folder``, unless it was done
    there with equal ``inputs`` (texts), by the same programs, and left what is there. Whether it
    was done now.

    The stamp STEP.done is written last, so a step that was interrupted is done again.
    """
    stamp = folder / f"{step}.done"
    key = _digest(json.dumps([dict(inputs), [_told(program) for program in programs]]).encode())
    try:
        before = json.loads(stamp.read_text())
        if before == {"inputs": key, "outputs": _outputs(folder, writes)}:
            return False
    except (OSError, ValueError):
        pass
    stamp.unlink(missing_ok=True)
    work()
    stamp.write_text(json.dumps({"inputs": key, "outputs": _outputs(folder, writes)}))
    return True


def _outputs(folder: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: _digest((folder / name).read_bytes()) for name in names}


def _told(program: str) -> list[str | int]:
    """What changes with a program's version."""
    found = shutil.which(program)
    if found is None:
        return [program]
    told = Path(found).stat()
    return [program, told.st_size, told.st_mtime_ns]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
