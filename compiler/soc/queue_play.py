"""Runs the queues of several memories on a simulated system, one memory after the other.

One cocotb test, on a loaded_design. The job names the files of ``memories`` and of ``results``, how
many cycles each may take (``patience``), and a file for ``progress``, in which stand the memories
done and all of them. ``ending`` gets JSON: the ``cycles`` simulated, and what went ``wrong``, if
anything.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, RisingEdge, Timer
from cocotb.utils import get_sim_time

from cimforge.compiler.soc.loaded_memory import LOADED, SAVED
from cimforge.compiler.soc.soc_play import RESET_CYCLES
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import CLOCK_NS

__all__: list[str] = []


async def one(dut, patience: int) -> str:
    """Fill memory in reset, run until the light is lit, and save memory; what went wrong."""
    dut.rst.value = dut.load.value = 1
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = dut.load.value = 0
    lit, trap = RisingEdge(dut.light), RisingEdge(dut.trap)
    ended = await First(lit, trap, Timer(patience * CLOCK_NS, "ns"))
    if ended is not lit:
        return "the core trapped" if ended is trap else f"no end within {patience} cycles"
    dut.save.value = 1
    await ClockCycles(dut.clk, 1)
    dut.save.value = 0
    return ""


@cocotb.test()
async def play(dut):
    """Each memory in turn, until one goes wrong."""
    job = load_job()
    for name in ("rst", "rx"):
        getattr(dut, name).value = 1
    dut.load.value = dut.save.value = 0
    Clock(dut.clk, CLOCK_NS, unit="ns").start()
    await ClockCycles(dut.clk, 1)
    wrong, files = "", zip(job["memories"], job["results"], job["patience"], strict=True)
    for number, (memory, results, patience) in enumerate(files):
        os.replace(memory, LOADED)
        if wrong := await one(dut, patience):
            break
        await ClockCycles(dut.clk, 1)
        os.replace(SAVED, results)
        Path(job["progress"]).write_text(f"{number + 1} {len(job['memories'])}")
    cycles = int(get_sim_time("ns")) // CLOCK_NS
    Path(job["ending"]).write_text(json.dumps({"cycles": cycles, "wrong": wrong}))
