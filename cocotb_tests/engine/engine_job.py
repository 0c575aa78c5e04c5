"""The engine under test, from the job of the simulation."""

from cimforge.flow.simulate.job import job_config, load_job
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["engine_parameters", "job_engine"]


def engine_parameters(config: EngineConfig) -> dict:
    """The engine's own parameters, as the job carries them."""
    return {key: value for key, value in config.parameters().items() if key != "macro"}


def job_engine() -> EngineConfig:
    """The configuration under test."""
    return EngineConfig(macro=job_config(), **load_job()["engine"])
