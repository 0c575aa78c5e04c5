"""An engine runs random queues as golden does, whatever memory does meanwhile."""

import cocotb

from cimforge.cocotb_tests.engine.engine_access import job_bench
from cimforge.cocotb_tests.engine.engine_coverage import ENGINE_COVERAGE
from cimforge.cocotb_tests.engine.engine_session import EngineSession
from cimforge.flow.simulate.job import load_job

LENGTH = 12  # descriptors of a queue
LEAST, MOST = 6, 40  # queues: until every kind was met
STORES = 12  # queues of stores, so many results of each rounding
SLOW = 3  # of PACES: memory that takes few words


@cocotb.test()
async def test_random_queues(dut):
    """Memory, ends, interrupts and counts of each queue are golden's, with as much under way at a
    time as its fences allow; sums, activations, channels and weights stay from queue to queue."""
    job = load_job()
    session = EngineSession(job_bench(dut), job.get("length", LENGTH))
    await session.start()
    least = job.get("programs", LEAST)
    for number in range(MOST):
        if number >= least and not ENGINE_COVERAGE.missing("command", "rounding", "mode", "beside"):
            break
        queue = session.draw()
        await session.check(queue)
        ENGINE_COVERAGE.meet(queue)
    ENGINE_COVERAGE.save(session.compared)


@cocotb.test()
async def test_results_of_every_kind(dut):
    """Sums, fresh ones between, are stored in queues of nothing else: every rounding, size, channel
    and place, and more in the blocks behind each other than a slow memory takes."""
    job = load_job()
    session = EngineSession(job_bench(dut), job.get("length", LENGTH))
    await session.start()
    for number in range(job.get("stores", STORES)):
        queue = session.draw(("store",) if number % 4 else ("copy", "run"))
        await session.check(queue, SLOW if number % 2 else None)
        ENGINE_COVERAGE.meet(queue)
    ENGINE_COVERAGE.save(session.compared)
