"""A user's environment neither narrows nor breaks a regression."""

import re
import shutil

import pytest

from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

SMALL = MacroConfig(rows=2, cols=1, weight_bits=2, input_bits=2)
HOSTILE = {
    **{
        "COCOTB_TESTCASE": "test_corners",
        "COCOTB_TEST_FILTER": "literal",
        "GPI_USERS": "nosuch.so",
    },
    **{"COCOTB_MAX_FAILURES": "1", "PYGPI_USERS": "nosuch:run", "COCOTB_RANDOM_SEED": "x"},
    **{"MODULE": "nosuch", "TOPLEVEL": "nosuch", "SIM": "nosuch", "SIM_CMD_PREFIX": "false"},
    **{"CXX": "false", "CXXFLAGS": "-Werror -Wall -Wextra", "CFLAGS": "-bad", "CPPFLAGS": "-bad"},
    **{"LDFLAGS": "-bad", "OBJCACHE": "nosuch", "MAKEFLAGS": "-n", "MAKEFILES": "/nosuch.mk"},
    **{"VERILATOR_BIN": "nosuch", "VERILATOR_ROOT": "/nosuch", "VPATH": "/nosuch", "LC_ALL": "xx"},
    **{"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONPATH": "/nosuch"},
    **{"PYTHONSTARTUP": "/nosuch", "PYTEST_ADDOPTS": "--nosuch", "PYTEST_PLUGINS": "nosuch"},
    **{"PERL5OPT": "-Mnosuch", "IVERILOG_VPI_MODULE_PATH": "/nosuch", "WAVES": "1"},
}


@pytest.fixture
def hostile(monkeypatch, tmp_path):
    """Whatever a user may have set, all at once."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    emit_macro(SMALL, tmp_path, macro_extras(SMALL))
    return tmp_path


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_every_test_runs(hostile, simulator):
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("no iverilog on PATH; install Icarus Verilog")
    design = Design.emitted(SMALL, hostile)
    report = run_regression(design, hostile / "verify", simulator=simulator, jobs=2)
    assert report.failures == []
    assert report.complete
    assert report.tests == report.planned > 40
    assert report.waves == []


def test_checks_stay_in(hostile):
    """PYTHONOPTIMIZE removes every assert: a macro that offers results during reset would pass."""
    macro = hostile / f"{SMALL.module}.v"
    text, edits = re.subn(
        r"assign y_valid = y_valid_q & \w+;", "assign y_valid = y_valid_q;", macro.read_text()
    )
    assert edits == 1
    macro.write_text(text)
    simulator = "icarus" if shutil.which("iverilog") else "verilator"
    options = {"simulator": simulator, "test_filter": "reset_while_a_result_waits"}
    report = run_regression(Design.emitted(SMALL, hostile), hostile / "verify", **options)
    assert not report.passed
    (failure,) = report.failures
    assert failure.message.endswith("y_valid is 1, must be 0")
