"""Builds the player of a design: the emitted Verilog by Verilator, with player.cpp as its main."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from cimforge.flow.simulate.bounded_run import CommandError, run_commands
from cimforge.flow.simulate.build_place import build_root, placed_sources
from cimforge.flow.simulate.runtime_objects import keep_objects, lend_objects
from cimforge.flow.simulate.simulator import BuildError, Design, check_simulator, locked
from cimforge.flow.simulate.tool_environment import tool_environment, tool_versions

__all__ = ["build_player"]

SOURCE = Path(__file__).with_name("player.cpp")
PREFIX = "Vmacro"
# What no one has written is what the player's context makes it: any value.
VERILATOR_OPTIONS = ("-O3", "-Wno-fatal", "--x-initial", "unique", "--x-assign", "fast")
MAKE_OPTIONS = ("OPT_FAST=-O3", "OPT_SLOW=-O0", "OPT_GLOBAL=-O2")


def build_player(design: Design, *, announce: Callable[[str], None] = print) -> Path:
    """The player of ``design``, a program; one of the same sources is used again.

    Raises InputError where Verilator or a compiler is missing, BuildError where one refuses the
    sources.
    """
    check_simulator("verilator")
    folder = build_root(design.folder) / "sim" / "player"
    with locked(folder.with_suffix(".lock"), announce):
        return _built(design, folder, announce)


def _built(design: Design, folder: Path, announce: Callable[[str], None]) -> Path:
    program, stamp, key = folder / PREFIX, folder / "built", _fingerprint(design)
    if program.exists() and stamp.exists() and stamp.read_text() == key:
        return program
    announce(f"building the player of {design.top}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(SOURCE, folder / SOURCE.name)
    (folder / "tie_off.h").write_text(_tie_off(design))
    (folder / "shared.vlt").write_text(_shared_columns(design))
    log = folder.parent / "player-build.log"
    try:
        with tool_environment("verilator"):
            _run(design, folder, log)
    except CommandError as error:
        raise BuildError("verilator", log, str(error)) from None
    stamp.write_text(key)
    return program


def _run(design: Design, folder: Path, log: Path) -> None:
    """Verilator, then the compiler, in the environment of this process."""
    translate = ["verilator", "--cc", "--exe", *VERILATOR_OPTIONS, "--Mdir", str(folder)]
    translate += ["--prefix", PREFIX, "--top-module", design.top, str(folder / "shared.vlt")]
    translate += [str(path) for path in _sources(design)] + [str(folder / SOURCE.name)]
    run_commands([translate], folder, os.environ, log)
    lend_objects(folder, MAKE_OPTIONS)
    jobs = f"-j{os.cpu_count() or 1}"
    compile_all = ["make", jobs, "-f", f"{PREFIX}.mk", *MAKE_OPTIONS, PREFIX]
    run_commands([compile_all], folder, os.environ, log)
    keep_objects(folder, MAKE_OPTIONS)


def _sources(design: Design) -> list[Path]:
    return placed_sources(design.folder, design.sources)


def _tie_off(design: Design) -> str:
    """Inputs that only serve production tests are held at their inactive level."""
    names = [name for name, _ in design.config.storage_traits.control_ports]
    lines = [f"    macro.{name} = 0;" for name in names if name in design.ports]
    return "\n".join(["template <class M>", "void tie_off(M& macro) {", *lines, "}", ""])


def _shared_columns(design: Design) -> str:
    """Columns are classes of their own: the whole macro in one class is slow to build and to
    run."""
    return f'`verilator_config\nno_inline -module "{design.config.module}_column"\n'


def _fingerprint(design: Design) -> str:
    """What the player depends on."""
    facts = (tool_versions("verilator"), *VERILATOR_OPTIONS, *MAKE_OPTIONS, _tie_off(design))
    code = (Path(__file__).read_text(), SOURCE.read_text())
    digest = hashlib.sha256("\n".join((*facts, *code)).encode())
    for path in _sources(design):
        text = path.read_bytes()
        digest.update(b"%s %d\n" % (os.fsencode(path), len(text)) + text)
    return digest.hexdigest()
