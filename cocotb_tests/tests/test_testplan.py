"""The test plan against the suite, both ways."""

import ast
from pathlib import Path

from cimforge.cocotb_tests.regression import BUS_SUITE, SUITE
from cimforge.cocotb_tests.testplan import load_testplan, load_waivers, reason_to_skip
from cimforge.hdl.params.config import MacroConfig

FOLDER = Path(__file__).parents[1] / "suite"


OTHERS = {path.stem: path for path in FOLDER.parent.glob("*/*_suite.py")}
Test = ast.AsyncFunctionDef | ast.FunctionDef


def _suite_tests() -> dict[str, Test]:
    """Every test by the name of its module (of its folder, for a folder's one suite)."""
    paths = {**{path.stem: path for path in FOLDER.glob("*.py")}, **OTHERS}
    return {
        f"{module}.{node.name}": node
        for module, path in paths.items()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, Test) and node.name.startswith("test_")
    }


def test_every_test_is_claimed_and_every_claim_is_tested():
    claimed = [test for claim in load_testplan() for test in claim["tests"]]
    assert sorted(claimed) == sorted(_suite_tests())
    assert len(claimed) == len(set(claimed))


def test_every_module_of_the_suite_runs():
    modules = [path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"]
    assert sorted(SUITE) == sorted(f"suite.{module}" for module in modules)
    wrapper = [path.stem for path in (FOLDER.parent / "bus").glob("*_suite.py")]
    assert sorted(BUS_SUITE) == sorted(f"bus.{module}" for module in wrapper)


def test_tests_that_may_not_apply_say_why():
    for name, node in _suite_tests().items():
        conditional = any("skip=" in ast.unparse(decorator) for decorator in node.decorator_list)
        assert (reason_to_skip(name) != "no reason given") == conditional, name


def test_every_test_says_what_it_shows():
    for name, node in _suite_tests().items():
        assert ast.get_docstring(node), name


def test_every_waiver_names_bins_and_a_reason():
    for waiver in load_waivers():
        assert waiver.keys() <= {"bins", "when", "reason"}, waiver
        assert ": " in waiver["bins"]
        assert len(waiver["reason"]) > 20
        assert all(hasattr(MacroConfig(), name) for name in waiver.get("when", {}))
