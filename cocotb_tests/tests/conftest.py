"""Shared by the tests that simulate."""

import re
from pathlib import Path

import pytest

from cimforge.cocotb_tests.regression import Report, run_regression
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig


@pytest.fixture
def place(request) -> Path:
    """This test's folder in build/tests: of characters that make takes, so that simulations are
    built there."""
    return Path("build/tests") / re.sub(r"[^\w.-]+", "-", request.node.name, flags=re.ASCII)


@pytest.fixture
def verified(place):
    """Emits a config into build/tests and runs its whole regression there."""

    def run(config: MacroConfig, simulator: str, seed: int = 1) -> Report:
        folder = place / config.module
        emit_macro(config, folder, macro_extras(config))
        print(f"{config.module}: {simulator}, seed {seed}")
        design = Design.emitted(config, folder)
        return run_regression(design, folder / "verify", simulator=simulator, seed=seed, jobs=2)

    return run


def assert_passed(report: Report) -> None:
    """Every test passed and every coverage bin was hit."""
    assert report.failures == []
    assert report.passed
    assert report.passes > 0
    assert report.holes == []
