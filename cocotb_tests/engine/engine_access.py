"""How a test reaches the engine: at its own ports, or through the buses around it."""

from cimforge.cocotb_tests.engine.engine_bench import EngineBench

__all__ = ["job_bench"]


def job_bench(dut):
    """What drives the design of this job, alike for all tests: an EngineBench."""
    return EngineBench(dut)
