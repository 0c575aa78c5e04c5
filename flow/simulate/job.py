"""The job of a running simulation: what its cocotb modules were started with."""

import json
import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from cimforge.hdl.params.config import MacroConfig

__all__ = ["JOB_VARIABLE", "job_config", "job_text", "load_job"]

JOB_VARIABLE = "CIMFORGE_JOB"


def job_text(config: MacroConfig, settings: Mapping[str, Any]) -> str:
    """The job of a simulation of a macro, as JSON."""
    return json.dumps({**settings, "config": config.parameters()})


@cache
def load_job() -> dict[str, Any]:
    """The JSON object that run_tests wrote for this simulation.

    Where it has ``register`` ("module:function"), that function is called first: it makes styles
    known that are not the generator's own.
    """
    job = json.loads(Path(os.environ[JOB_VARIABLE]).read_text())
    if "register" in job:
        module, _, function = job["register"].partition(":")
        getattr(import_module(module), function)()
    return job


def job_config() -> MacroConfig:
    """The configuration under test."""
    return MacroConfig(**load_job()["config"])
