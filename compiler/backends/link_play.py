"""Plays a job through the host's driver and a simulated line, on the board's Verilog.

The job's files are those of compiler.backends.play. Its ``line`` has the ``divisor`` of a UART, or
the ``ratio`` of the clock to sck; so the cycles are the board's.
"""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import cocotb
import numpy as np
from cocotb.task import bridge

from cimforge.compiler.tile_loop import run_tiles
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine
from cimforge.flow.simulate.spi_line import SpiLine
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.driver import FrameLink, MacroDriver, Port
from cimforge.host.spi import SpiPort

__all__: list[str] = []

POWER_ON = 40  # bits of the line, in which the board resets itself
# Nothing is lost on this line, so patience costs nothing: a frame of 507 rows of a byte, in tables
# of nine rows, takes the time of 361 bytes before its reply's last.
TIMEOUT_BYTES = 4096


def opened(dut, ratios: Mapping[str, int]) -> tuple[SerialLine | SpiLine, Port]:
    """A line to the board, and the port that the host has of it."""
    if "ratio" in ratios:
        line = SpiLine(dut, ratios["ratio"], TIMEOUT_BYTES)
        return line, SpiPort(line.transfer, line.hz, timeout=line.timeout)
    serial = SerialLine(dut, ratios["divisor"], TIMEOUT_BYTES)
    return serial, serial


@cocotb.test()
async def play(dut):
    """Run the job and save its results."""
    job = load_job()
    config = MacroConfig(**job["config"])
    line, port = opened(dut, job["line"])
    link = FrameLink(port)
    options = {name: job[name] for name in ("x_bits", "x_signed", "w_signed", "fuse")}
    tiles = SimpleNamespace(**np.load(job["inputs"]), **options)
    progress = Path(job["progress"])

    def report(done: int, total: int) -> None:
        progress.write_text(f"{done} {total}")

    def session() -> np.ndarray:
        line.idle(POWER_ON)
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
