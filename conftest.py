"""Property tests that repeat; skips counted by what they need; the run with optional programs.

Every run remembers which tests it skipped. ``pytest --optional`` runs those and the tests that
choose a simulator by what is installed: after a run on a bare machine, all that differs elsewhere.
"""

import os
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no failure for being slow.
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repeatable")

SKIPPED = "cimforge/skipped"  # in pytest's cache


def pytest_addoption(parser: pytest.Parser) -> None:
    """--optional."""
    text = "only what the last run skipped, and what depends on the programs installed"
    parser.addoption("--optional", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Hide the packaged cell library from a run as on a bare machine."""
    if os.environ.get("CIMFORGE_BARE"):
        import_module("cimforge.flow.liberty.library_path").OSU018 = Path("/nowhere/osu018.lib")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what ``--optional`` asks for."""
    if not config.getoption("--optional"):
        return
    cache = getattr(config, "cache", None)  # none with -p no:cacheprovider
    skipped = set(cache.get(SKIPPED, [])) if cache else set()
    wanted = [i for i in items if i.nodeid in skipped or hasattr(i.module, "SIMULATOR")]
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """How many tests were skipped for each reason; the next ``--optional`` run takes them."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
    cache = getattr(config, "cache", None)
    if cache and not config.getoption("--optional"):
        cache.set(SKIPPED, [report.nodeid for report in reports])
