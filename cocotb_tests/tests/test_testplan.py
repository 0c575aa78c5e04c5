"""The test plan against the suite, both ways."""

import ast
from pathlib import Path

from cocotb_tests.regression import SUITE
from cocotb_tests.testplan import load_testplan, reason_to_skip

FOLDER = Path(__file__).parents[1] / "suite"


def _suite_tests() -> dict[str, ast.AsyncFunctionDef]:
    tests = {}
    for path in FOLDER.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
                tests[f"{path.stem}.{node.name}"] = node
    return tests


def test_every_test_is_claimed_and_every_claim_is_tested():
    claimed = [test for claim in load_testplan() for test in claim["tests"]]
    assert sorted(claimed) == sorted(_suite_tests())
    assert len(claimed) == len(set(claimed))


def test_every_module_of_the_suite_runs():
    assert sorted(SUITE) == sorted(p.stem for p in FOLDER.glob("*.py") if p.stem != "__init__")


def test_tests_that_may_not_apply_say_why():
    for name, node in _suite_tests().items():
        conditional = any("skip=" in ast.unparse(decorator) for decorator in node.decorator_list)
        assert (reason_to_skip(name) != "no reason given") == conditional, name


def test_every_test_says_what_it_shows():
    for name, node in _suite_tests().items():
        assert ast.get_docstring(node), name
