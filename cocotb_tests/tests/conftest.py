"""Shared by the tests that simulate."""

from pathlib import Path

import pytest

from cocotb_tests.collateral import macro_extras
from cocotb_tests.regression import Report, run_regression
from cocotb_tests.simulator import Design
from hdl.config import MacroConfig
from hdl.emit.package import emit_macro


@pytest.fixture
def verified(request):
    """Emits a config into build/tests and runs its whole regression there."""

    def run(config: MacroConfig, simulator: str, seed: int = 1) -> Report:
        folder = Path("build/tests") / request.node.name.replace("/", "_") / config.name
        emit_macro(config, folder, macro_extras(config))
        print(f"{config.name}: {simulator}, seed {seed}")
        design = Design.emitted(config, folder)
        return run_regression(design, folder / "verify", simulator=simulator, seed=seed, jobs=2)

    return run


def assert_passed(report: Report) -> None:
    """Every test passed and every coverage bin was hit."""
    assert report.failures == []
    assert report.passed
    assert report.passes > 0
    assert report.holes == []
