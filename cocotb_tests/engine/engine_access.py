"""How a test reaches the engine: at its own ports, or through the buses around it."""

from typing import Any

from cimforge.flow.simulate.job import load_job

__all__ = ["job_bench"]


def job_bench(dut) -> Any:
    """What drives the design of this job, alike for all tests: an EngineBench, or a BussedBench
    where the job names the bus for ``control``."""
    if load_job().get("control"):
        from cimforge.cocotb_tests.engine.bussed_bench import (
            BussedBench,
        )  # needs the buses' masters

        return BussedBench(dut)
    from cimforge.cocotb_tests.engine.engine_bench import EngineBench

    return EngineBench(dut)
