"""A report is held against the plan: tests that did not run, or ran unasked, fail it."""

import json
import shutil
import xml.etree.ElementTree as ET

import pytest

from cimforge.cocotb_tests import regression
from cimforge.cocotb_tests.discovery import SuiteError, planned_tests
from cimforge.cocotb_tests.regression import SUITE, Failure, Report, run_regression
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config

TINY = load_config("tiny")
SHARE = ("suite.reset",)
PACKAGE = "cimforge.cocotb_tests.suite"
TESTS = len(planned_tests([f"{PACKAGE}.reset"], TINY, {}))


@pytest.fixture
def design(tmp_path):
    """A design that is never built."""
    return Design(TINY, tmp_path, (), TINY.module, ())


@pytest.fixture
def simulated(design, tmp_path, monkeypatch):
    """Runs a regression whose simulation leaves this JUnit file, made from the planned names."""

    def run(change=lambda tests: tests, ending="", bins=None, **options) -> Report:
        planned = planned_tests([f"cimforge.cocotb_tests.{m}" for m in SHARE], TINY, {})

        def run_tests(design, simulator, modules, folder, **_) -> str:
            folder.mkdir()
            if change is not None:
                suite = ET.Element("testsuite")
                for name, skip in change([tuple(test) for test in planned]):
                    module, _, test = name.rpartition(".")
                    case = ET.SubElement(suite, "testcase", classname=module, name=test)
                    if skip:
                        ET.SubElement(case, "skipped")
                ET.ElementTree(suite).write(folder / "results.xml")
            part = {"passes": 7, "bins": {"group": bins or {}}}
            (folder / "coverage.json").write_text(json.dumps(part))
            return ending

        monkeypatch.setattr(regression, "build", lambda *_, **__: None)
        monkeypatch.setattr(regression, "run_tests", run_tests)
        return run_regression(design, tmp_path / "verify", suite=SHARE, announce=str, **options)

    return run


def test_a_whole_run_passes(simulated):
    report = simulated()
    assert (report.passed, report.tests, report.planned, report.passes) == (True, TESTS, TESTS, 7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tests: tests[:1],
            f"1 of {TESTS} tests ran: reset.test_reset_while_a_result_waits is",
        ),
        (
            lambda tests: [],
            f"0 of {TESTS} tests ran: reset.test_reset_at_every_cycle_of_a_pass is missing",
        ),
        (
            lambda tests: [*tests, (f"{PACKAGE}.reset.test_new", False)],
            f"{TESTS} of {TESTS} tests ran: cimforge",
        ),
        (lambda tests: [*tests, tests[0]], f"{TESTS} of {TESTS} tests ran: cimforge"),
    ],
)
def test_other_tests_than_planned_fail(simulated, change, message):
    report = simulated(change)
    assert not report.passed
    (failure,) = report.failures
    assert failure.test == "suite"
    assert failure.message.startswith(message)
    assert "sim.log" in failure.message


def test_a_test_that_applies_and_was_skipped_fails(simulated):
    report = simulated(lambda tests: [(tests[0][0], True), *tests[1:]])
    name = "reset.test_reset_at_every_cycle_of_a_pass"
    assert report.failures == [Failure(name, "was skipped, and applies")]


def test_a_simulation_that_ends_early_tells_why(simulated):
    report = simulated(None, "vvp was ended by SIGSEGV")
    assert (report.passed, report.planned) == (False, TESTS)
    (failure,) = report.failures
    assert failure.test == "reset"
    assert failure.message.startswith("the simulator ended early: vvp was ended by SIGSEGV; see ")


def test_a_coverage_hole_fails_all_but_a_partial_run(simulated, monkeypatch):
    bins = {"hit": 3, "missed": 0}
    report = simulated(bins=bins)
    assert (report.passed, report.complete, report.holes) == (True, False, ["group: missed"])
    assert report.as_json()["coverage"] == {"hit": 1, "bins": 2, "waived": 0}
    assert report.as_json()["passed"] is False
    assert simulated(bins=bins, test_filter="reset").complete
    waiver = {"bins": "group: m*", "reason": "it cannot", "when": {"storage": ["flop"]}}
    monkeypatch.setattr("cimforge.cocotb_tests.testplan.load_waivers", lambda: [waiver])
    report = simulated(bins=bins)
    assert (report.complete, report.holes, report.waived) == (True, [], ["group: missed"])
    assert report.waivers == {"group: missed": "it cannot"}
    assert report.as_json()["coverage"] == {"hit": 1, "bins": 2, "waived": 1}
    waiver["when"] = {"storage": ["latch"]}
    assert not simulated(bins=bins).complete


def test_a_filter_that_matches_nothing_is_refused_with_the_nearest_name(simulated):
    with pytest.raises(
        InputError, match="--test rezet: no test's name matches; did you mean reset"
    ):
        simulated(test_filter="rezet")
    with pytest.raises(InputError, match="--test qqqq: no test's name matches; tests are in reset"):
        simulated(test_filter="qqqq")


def test_a_filter_runs_no_test_that_does_not_apply(tmp_path):
    """cocotb runs what a filter matches, skipped or not: the literal vectors are tiny's alone, and
    stand in one module with tests that apply."""
    config = MacroConfig(rows=2, cols=1, weight_bits=2, input_bits=2)
    emit_macro(config, tmp_path / "macro")
    report = run_regression(
        Design.emitted(config, tmp_path / "macro"),
        tmp_path / "macro" / "verify",
        simulator="icarus" if shutil.which("iverilog") else "verilator",
        suite=("suite.values",),
        test_filter=r"literal|single_bits",
        announce=str,
    )
    assert report.failures == []
    assert (report.tests, report.planned, len(report.skipped)) == (5, 5, 4)
    assert report.passes > 0


def test_a_filter_that_matches_only_tests_that_do_not_apply_runs_nothing(design, tmp_path):
    planned = planned_tests([f"{PACKAGE}.scan_mode"], TINY, {})
    assert all(test.skip for test in planned)
    regression_of = {"suite": ("suite.scan_mode",), "test_filter": "scan", "announce": str}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regression, "build", lambda *_, **__: None)
        report = run_regression(design, tmp_path / "verify", **regression_of)
    assert (report.passed, report.tests) == (False, len(planned))


def test_modules_that_cannot_be_loaded_are_one_line():
    with pytest.raises(SuiteError, match="the tests cannot be loaded: ModuleNotFoundError"):
        planned_tests(["cimforge.cocotb_tests.nosuch"], TINY, {})


def test_the_plan_is_the_whole_suite(monkeypatch):
    """Nothing in the environment narrows it."""
    monkeypatch.setenv("COCOTB_TEST_FILTER", "literal")
    monkeypatch.setenv("COCOTB_TESTCASE", "test_literal_vectors")
    modules = [f"cimforge.cocotb_tests.{module}" for module in SUITE]
    planned = planned_tests(modules, TINY, {})
    assert {test.module for test in planned} == set(modules)
    literal = [test for test in planned if "test_literal_vectors" in test.name]
    assert len(literal) == 4
    assert sum(test.skip for test in planned) >= 2
