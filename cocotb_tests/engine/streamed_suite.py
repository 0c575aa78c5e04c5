"""An engine takes rows, lines and channels from a stream, and gives results to one, as golden
does."""

import cocotb

from cimforge.cocotb_tests.engine.engine_access import job_bench
from cimforge.cocotb_tests.engine.engine_coverage import ENGINE_COVERAGE
from cimforge.cocotb_tests.engine.engine_session import EngineSession
from cimforge.flow.simulate.job import load_job

LENGTH, QUEUES = 12, 12


@cocotb.test()
async def test_streams_in_place_of_memory(dut):
    """Random queues, some commands of which take the streams, the rest memory, mixed as they come:
    bytes out, memory, ends and counts are golden's, and no word is left over."""
    session = EngineSession(job_bench(dut), LENGTH)
    await session.start()
    session.streamed = True
    for _ in range(load_job().get("queues", QUEUES)):
        session.bench.streams.pace = session.rng.choice((1.0, 0.7, 0.2))
        queue = session.draw()
        await session.check(queue)
        ENGINE_COVERAGE.meet(queue)
    ENGINE_COVERAGE.save(session.compared)
