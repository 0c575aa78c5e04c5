"""Streams batches through the host's driver and a simulated line, on a board's engine in Verilog.

One cocotb test. The job has the ``engine``'s parameters, ``ram_bytes``, the ``plan`` of the stream
(written_plan) and the ``line`` (link_play); an .npz ``inputs`` has ``batches`` (count, bytes). The
.npz ``outputs`` has the ``results`` (count, bytes), and what Streamed tells, in cycles.
"""

import json
from pathlib import Path

import cocotb
import numpy as np
from cocotb.task import bridge

from cimforge.compiler.backends.link_play import POWER_ON, opened
from cimforge.compiler.engine_link.link_session import Streamed, stream_session
from cimforge.compiler.engine_link.linked_network import read_plan
from cimforge.flow.simulate.job import load_job
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig

__all__: list[str] = []


@cocotb.test()
async def play(dut):
    """Stream the batches."""
    job = load_job()
    own = dict(job["engine"])
    engine = EngineConfig(macro=MacroConfig(**own.pop("macro")), **own)
    line, port = opened(dut, job["line"])
    batches = [batch.tobytes() for batch in np.load(job["inputs"])["batches"]]
    progress = Path(job["progress"])

    def report(done: int, total: int) -> None:
        progress.write_text(f"{done} {total}")

    def session() -> Streamed:
        line.idle(POWER_ON)
        plan, ram = read_plan(job["plan"]), job["ram_bytes"]
        return stream_session(
            port, engine, ram, plan, batches, clock=lambda: line.cycles, progress=report
        )

    told = await bridge(session)()
    results = np.array([np.frombuffer(result, np.uint8) for result in told.results])
    numbers = told._asdict() | {"results": results, "counters": json.dumps(told.counters)}
    np.savez(job["outputs"], **numbers, cycles=line.cycles)
