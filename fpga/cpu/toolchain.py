"""C compilers for a system's core: that of the package ziglang, or GCC where that is installed."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from cimforge.flow.simulate.tool_environment import clean_environment
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["CompileError", "check_compiler", "compile_program", "has_compiler"]

GCC = "riscv64-unknown-elf-gcc"
GCC_COPY = "riscv64-unknown-elf-objcopy"
ZIG = (sys.executable, "-m", "ziglang")
OPTIONS = (
    *("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror"),
    *("-ffreestanding", "-nostdlib", "-fno-builtin", "-ffunction-sections", "-fdata-sections"),
    "-fomit-frame-pointer",
)
# a core multiplies without dividing: of GCC 12 that is an option, of LLVM an extension
ZIG_CORES = {False: "generic_rv32-m-a-f-d-c", True: "generic_rv32+zmmul-m-a-f-d-c"}
GCC_CORES = {False: ("-march=rv32i",), True: ("-march=rv32im", "-mno-div")}


class CompileError(RuntimeError):
    """The compiler refused a program; the text is what it said."""


def has_compiler() -> bool:
    """Whether there is one."""
    return find_spec("ziglang") is not None or shutil.which(GCC) is not None


def check_compiler() -> None:
    """Raise InputError, naming the way to get one, where there is none."""
    if not has_compiler():
        rule = f"needs a RISC-V C compiler; run {install_hint('soc')}, or install {GCC}"
        raise InputError(f"a program of the core {rule}")


def compile_program(
    folder: Path, sources: Sequence[str], script: str, *, multiplies: bool
) -> bytes:
    """The bytes of ROM from its first on: ``sources`` in ``folder``, linked by ``script`` there.

    ``multiplies`` where the core has a multiplier. Raises CompileError with the compiler's words,
    and InputError as check_compiler does.
    """
    check_compiler()
    compiler: tuple[str, ...]
    copier: tuple[str, ...]
    if find_spec("ziglang"):
        core = ("-target", "riscv32-freestanding-none", f"-mcpu={ZIG_CORES[multiplies]}")
        compiler, copier = (*ZIG, "cc", *core, "-fno-sanitize=all"), (*ZIG, "objcopy")
    else:
        compiler, copier = (GCC, *GCC_CORES[multiplies], "-mabi=ilp32"), (GCC_COPY,)
    linked = ("-Wl,--gc-sections", "-T", script, "-o", "program.elf")
    _run(folder, (*compiler, *OPTIONS, *linked, *sources))
    _run(folder, (*copier, "-O", "binary", "program.elf", "program.bin"))
    return (folder / "program.bin").read_bytes()


def _run(folder: Path, command: Sequence[str]) -> None:
    """Run a command in ``folder``; its failure is a CompileError."""
    environment: Mapping[str, str] = clean_environment()
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace"
    )
    if run.returncode:
        said = (run.stderr or run.stdout).strip().splitlines()
        cause = next((line for line in said if "error" in line), (said or ["no message"])[-1])
        raise CompileError(f"the C compiler failed: {cause}")
