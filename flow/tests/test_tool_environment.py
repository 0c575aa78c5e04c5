"""Tools run in an environment that nothing of the user's can narrow or break."""

import os
from contextlib import suppress

import pytest

from cimforge.flow.simulate.simulator import Design, build, locked
from cimforge.flow.simulate.tool_environment import (
    clean_environment,
    tool_environment,
    tool_versions,
)
from cimforge.hdl.params.config_file import load_config

TINY = load_config("tiny")
HOSTILE = (
    *("COCOTB_TESTCASE", "COCOTB_TEST_FILTER", "COCOTB_MAX_FAILURES", "GPI_USERS", "MODULE"),
    *("PYGPI_USERS", "TOPLEVEL", "SIM", "WAVES", "GUI", "SIM_CMD_PREFIX", "RANDOM_SEED"),
    *("CXX", "CXXFLAGS", "CFLAGS", "CPPFLAGS", "LDFLAGS", "OBJCACHE", "MAKEFLAGS", "MAKEFILES"),
    *("VERILATOR_BIN", "VERILATOR_ROOT", "IVERILOG_VPI_MODULE_PATH", "PERL5OPT", "LD_PRELOAD"),
    *("PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONWARNINGS", "PYTEST_ADDOPTS", "LC_MESSAGES"),
)


def test_only_places_are_inherited(monkeypatch):
    for name in HOSTILE:
        monkeypatch.setenv(name, "harmful")
    monkeypatch.setenv("PATH", "/some/where")
    monkeypatch.setenv("TMPDIR", "/some/tmp")
    clean = clean_environment()
    assert not set(HOSTILE) & set(clean)
    assert (clean["PATH"], clean["TMPDIR"], clean["LC_ALL"]) == (
        "/some/where",
        "/some/tmp",
        "C.UTF-8",
    )


def test_the_process_s_own_environment_comes_back(monkeypatch):
    monkeypatch.setenv("COCOTB_TESTCASE", "one")
    before = dict(os.environ)
    with suppress(KeyboardInterrupt), tool_environment("icarus"):
        assert "COCOTB_TESTCASE" not in os.environ
        raise KeyboardInterrupt
    assert dict(os.environ) == before


@pytest.fixture
def icarus(tmp_path, monkeypatch):
    """An Icarus that "builds" at once and tells its version from a file."""
    tools = tmp_path / "tools"
    tools.mkdir()
    script = f'#!/bin/sh\n[ "$1" = -V ] && exec cat {tmp_path}/version\nexit 0\n'
    for name in ("iverilog", "vvp"):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    (tmp_path / "version").write_text("Icarus Verilog version 11.0\n")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_a_build_of_another_version_is_not_used_again(icarus, monkeypatch):
    (icarus / "m.v").write_text("module m; endmodule\n")
    design = Design(TINY, icarus, ("m.v",), "m", ())
    told: list[str] = []

    def builds() -> int:
        told.clear()
        build(design, "icarus", announce=told.append)
        return len(told)

    assert (builds(), builds()) == (1, 0)
    (icarus / "version").write_text("Icarus Verilog version 12.0\n")
    monkeypatch.setenv("PATH", os.environ["PATH"] + os.pathsep)  # asked once for each PATH
    assert (builds(), builds()) == (1, 0)
    monkeypatch.setattr("cimforge.flow.simulate.tool_environment.version", lambda name: "9")
    monkeypatch.setenv("PATH", os.environ["PATH"] + os.pathsep)
    assert (builds(), builds()) == (1, 0)


def test_a_build_of_files_that_include_others_is_never_used_again(icarus):
    (icarus / "m.v").write_text('`include "other.vh"\nmodule m; endmodule\n')
    design = Design(TINY, icarus, ("m.v",), "m", ())
    for _ in range(2):
        told: list[str] = []
        build(design, "icarus", announce=told.append)
        assert told == ["building m with icarus"]


def test_versions_of_every_tool_count():
    text = tool_versions("verilator")
    for tool in ("cocotb", "verilator", "python", "g++", "Make"):
        assert tool in text


def test_a_lock_is_waited_for_with_a_message(tmp_path):
    told: list[str] = []
    released = False

    def announce(text: str) -> None:
        nonlocal released
        told.append(text)
        held.__exit__(None, None, None)
        released = True

    held = locked(tmp_path / "sim" / "a.lock", print)
    held.__enter__()
    with locked(tmp_path / "sim" / "a.lock", announce):
        assert released
    assert told == [f"waiting for another command that uses {tmp_path / 'sim'}"]
    with (
        locked(tmp_path / "b.lock", print, shared=True),
        locked(tmp_path / "b.lock", print, shared=True),
    ):
        pass
