"""What golden imports, and that README.md's table of rules names what exists."""

import ast
import doctest
import importlib
import re
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent.parent
SOURCES = sorted(GOLDEN.rglob("*.py"))
OUTSIDE = {
    "numpy",
    *(f"hdl.params.{name}" for name in ("config", "engine_config", "descriptors")),
}
RULE = re.compile(r"^\| R(\d+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def imports(source: Path) -> set[str]:
    """Absolute names of the modules a file imports."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("cimforge.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            names.add((node.module or "").removeprefix("cimforge."))
    return names


def foreign(names: set[str], allowed: set[str]) -> set[str]:
    """Names that are neither the standard library's, nor golden's, nor allowed."""
    return {
        name
        for name in names
        if name.split(".")[0] not in sys.stdlib_module_names | {"golden"}
        and name not in allowed
        and (name.split(".")[0] == "hdl" or name.split(".")[0] not in allowed)
    }


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(GOLDEN)))
def test_golden_imports_only_numpy_and_parameters(source: Path) -> None:
    """Tests may use pytest too, and nothing of hdl but its configurations and the table of
    descriptors either."""
    tests = {"pytest"} if "tests" in source.parts[-2:] else set()
    assert foreign(imports(source), OUTSIDE | tests) == set()


def test_reference_imports_no_arithmetic() -> None:
    assert imports(GOLDEN / "reference.py") == {"collections.abc"}


def test_only_config_of_hdl_is_allowed() -> None:
    names = {
        "hdl",
        "hdl.arith.plan",
        "hdl.params.config",
        "numpy.typing",
        "json",
        "golden.macro",
        "scipy",
    }
    assert foreign(names, OUTSIDE) == {"hdl", "hdl.arith.plan", "scipy"}


def test_readme_example_runs() -> None:
    result = doctest.testfile(str(GOLDEN / "README.md"), module_relative=False)
    assert result.attempted == 10
    assert result.failed == 0


def test_readme_rules_are_numbered_and_name_what_exists() -> None:
    rules = RULE.findall((GOLDEN / "README.md").read_text())
    assert [int(number) for number, *_ in rules] == list(range(1, len(rules) + 1))
    assert len(rules) == 30
    for number, _, functions, tests in rules:
        for module, name in re.findall(r"`(\w+)\.([\w.]+)`", functions):
            found = importlib.import_module(f"golden.{module}")
            for part in name.split("."):
                found = getattr(found, part)
        cited = re.findall(r"`(test_\w+)::(test_\w+)`", tests)
        assert cited, f"R{number} cites no test"
        for module, name in cited:
            assert hasattr(importlib.import_module(f"golden.tests.{module}"), name), f"R{number}"
