"""The job of a running simulation: what its cocotb modules were started with."""

import json
import os
from pathlib import Path
from typing import Any

from cimforge.hdl.params.config import MacroConfig

__all__ = ["JOB_VARIABLE", "job_config", "load_job"]

JOB_VARIABLE = "CIMFORGE_JOB"


def load_job() -> dict[str, Any]:
    """The JSON object that run_tests wrote for this simulation."""
    return json.loads(Path(os.environ[JOB_VARIABLE]).read_text())


def job_config() -> MacroConfig:
    """The configuration under test."""
    return MacroConfig(**load_job()["config"])
