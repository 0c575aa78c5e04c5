"""Plays a job through the host's driver and a simulated serial line, on the board's Verilog.

The job's files are those of compiler.backends.play; its ``divisor`` and so the cycles are the
board's.
"""

from pathlib import Path
from types import SimpleNamespace

import cocotb
import numpy as np
from cocotb.task import bridge

from cimforge.compiler.tile_loop import run_tiles
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.driver import MacroDriver, UartLink

__all__: list[str] = []


@cocotb.test()
async def play(dut):
    """Run the job and save its results."""
    job = load_job()
    config = MacroConfig(**job["config"])
    line = SerialLine(dut, job["divisor"])
    link = UartLink(line)
    options = {name: job[name] for name in ("x_bits", "x_signed", "w_signed", "fuse")}
    tiles = SimpleNamespace(**np.load(job["inputs"]), **options)
    progress = Path(job["progress"])

    def report(done: int, total: int) -> None:
        progress.write_text(f"{done} {total}")

    def session() -> np.ndarray:
        line.idle(40)  # the board's power-on reset
        driver = MacroDriver(link, config)
        return run_tiles(driver, tiles, config.modes[job["fuse"]].outputs, report)

    results = await bridge(session)()
    np.savez(
        job["outputs"],
        results=results,
        cycles=line.cycles,
        sent=link.sent,
        received=link.received,
    )
