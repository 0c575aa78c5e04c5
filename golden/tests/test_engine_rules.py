"""README.md's table of the engine's rules names what exists."""

import importlib
import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
RULE = re.compile(r"^\| E(\d+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def test_rules_of_the_engine_are_numbered_and_name_what_exists() -> None:
    rules = RULE.findall(README.read_text())
    assert [int(number) for number, *_ in rules] == list(range(1, 14))
    for number, _, functions, tests in rules:
        named = re.findall(r"`(\w+)\.([\w.]+)`", functions)
        assert named, f"E{number} names no function"
        for module, name in named:
            found = importlib.import_module(f"cimforge.golden.{module}")
            for part in name.split("."):
                found = getattr(found, part)
        cited = re.findall(r"`(test_\w+)::(test_\w+)`", tests)
        assert cited, f"E{number} cites no test"
        for module, name in cited:
            assert hasattr(importlib.import_module(f"cimforge.golden.tests.{module}"), name), name


def test_rules_that_sources_cite_exist() -> None:
    known = {int(number) for number, *_ in RULE.findall(README.read_text())}
    for source in README.parent.glob("*.py"):
        cited = re.findall(r"\bE(\d+)\b", source.read_text())
        assert {int(number) for number in cited} <= known, source
