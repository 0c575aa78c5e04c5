"""Runs the layer of a simulated system's program once, and saves what it answers.

One cocotb test. The job names a file for ``outputs``: JSON with ``line``, the words of the answer.
"""

import json
from pathlib import Path

import cocotb
from cocotb.task import bridge
from cocotb.triggers import ClockCycles

from cimforge.compiler.soc.soc_play import RESET_CYCLES
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine

__all__: list[str] = []


@cocotb.test()
async def play(dut):
    """Ask for the layer, and keep the line that comes."""
    job = load_job()
    line = SerialLine(dut, job["divisor"], job["patience_bytes"])

    def read_line() -> str:
        text = b""
        while not text.endswith(b"\n") and (byte := line.read(1)):
            text += byte
        return text.decode(errors="replace").rstrip("\n")

    def session() -> str:
        assert read_line().startswith("ready ")
        line.write(b"l")
        return read_line()

    dut.rst.value = 1
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
    told = await bridge(session)()
    assert not int(dut.trap.value), "the core trapped"
    Path(job["outputs"]).write_text(json.dumps({"line": told.split(), "cycles": line.cycles}))
