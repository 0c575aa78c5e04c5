"""Whole systems in Verilator, with a program that checks what its core sees."""

import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from cimforge.flow.simulate.simulator import build, run_tests
from cimforge.fpga.cpu.firmware import build_firmware
from cimforge.fpga.cpu.system import ROM_FILE
from cimforge.fpga.cpu.system_config import MULTIPLIERS, SystemConfig
from cimforge.fpga.cpu.system_outputs import emit_system
from cimforge.fpga.cpu.toolchain import GCC, CompileError, has_compiler
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.tests.tools import lint

needs_compiler = pytest.mark.skipif(
    not has_compiler(), reason=f"no RISC-V C compiler; install ziglang, or {GCC}"
)
needs_core = pytest.mark.skipif(
    find_spec("pythondata_cpu_picorv32") is None,
    reason="no PicoRV32; install pythondata-cpu-picorv32",
)
PROGRAM = {"soc_check.c": Path(__file__).with_name("soc_check.c").read_text()}


def outcome(config: SystemConfig, folder: Path, program: SystemConfig) -> dict[str, list[str]]:
    """Emit, build and run, with the program for the core of another system; each test of the suite
    with what failed."""
    design = emit_system(config, folder)
    results = folder / f"verify-{program.multiplier}"
    build_firmware(program, results, (), PROGRAM)
    build(design, "verilator", announce=lambda _: None)
    job = {"divisor": config.divisor, "seed": 3}
    ended = run_tests(design, "verilator", ["cimforge.fpga.tests.soc_suite"], results, job=job)
    assert not ended, ended
    cases = ET.parse(results / "results.xml").getroot().findall(".//testcase")
    return {
        case.get("name", ""): [failure.get("message", "") for failure in case.findall("failure")]
        for case in cases
    }


@needs_compiler
@needs_core
def test_a_core_sees_what_its_program_checks(tmp_path):
    """A program for a core without a multiplier too, which any core runs."""
    config = SystemConfig(rom_bytes=8192, ram_bytes=8192, divisor=11)
    for multiplier in ("serial", "none"):
        told = outcome(config, tmp_path, replace(config, multiplier=multiplier))
        assert len(told) == 2
        assert not any(told.values()), told


@needs_core
def test_its_own_verilog_is_clean(tmp_path):
    """PicoRV32's is not ours."""
    config = SystemConfig()
    emit_system(config, tmp_path)
    (tmp_path / ROM_FILE).write_text("")
    waivers = '`verilator_config\nlint_off -file "*picorv32.v"\n'
    (tmp_path / "core.vlt").write_text(waivers)
    sources = ("core.vlt", "picorv32.v", f"{config.module}.v")
    style = ("DECLFILENAME", "UNUSEDSIGNAL", "WIDTHEXPAND", "WIDTHTRUNC")  # of text by Yosys
    options = (*(f"-Wno-{rule}" for rule in style), "--timescale", "1ns/1ps")
    assert lint(tmp_path, *options, *sources, "--top-module", config.module) == []


@needs_compiler
@pytest.mark.parametrize("multiplier", MULTIPLIERS)
def test_a_program_is_built_for_its_core(multiplier, tmp_path):
    config = SystemConfig(multiplier=multiplier)
    build_firmware(config, tmp_path, (), PROGRAM)
    program = (tmp_path / "program.bin").read_bytes()
    words = {program[place : place + 4] for place in range(0, len(program), 4)}
    multiplies = {
        word
        for word in words
        if len(word) == 4 and word[0] & 0x7F == 0x33 and word[3] >> 1 == 1 and word[1] & 0x40 == 0
    }
    assert bool(multiplies) == (multiplier != "none")


@needs_compiler
def test_a_program_that_does_not_compile_or_fit_is_refused(tmp_path):
    with pytest.raises(CompileError, match=r"the C compiler failed: .*unknown_name"):
        build_firmware(SystemConfig(), tmp_path, (), {"a.c": "int main(void) { unknown_name(); }"})
    small = SystemConfig(rom_bytes=1024)
    with pytest.raises(CompileError, match=r"the C compiler failed: .*rom"):
        build_firmware(small, tmp_path, (), PROGRAM)
    huge = "static volatile char held[5000]; int main(void) { return held[0]; }"
    with pytest.raises(CompileError, match=r"stack of 512 bytes|ram"):
        build_firmware(SystemConfig(ram_bytes=4096), tmp_path, (), {"a.c": huge})


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("cimforge.fpga.cpu.toolchain.find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(InputError, match=r"needs a RISC-V C compiler; run .*, or install riscv64"):
        build_firmware(SystemConfig(), tmp_path, (), PROGRAM)
    monkeypatch.setattr("cimforge.fpga.cpu.pico_core.PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="PicoRV32 is not installed; run "):
        emit_system(SystemConfig(), tmp_path)
