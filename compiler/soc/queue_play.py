"""Runs the queues of several memories on a simulated system, one memory after the other.

One cocotb test, on a loaded_design. The job names the files of ``memories`` and of ``results``, and
tells of each its ``passes``, the ``cycles`` predicted and how many it may take (``patience``). The
file for ``progress`` gets the passes done, by cycles that passed, and all of them; ``ending`` gets
JSON: the ``cycles`` simulated, and what went ``wrong``, if anything.
"""

import json
import os
from itertools import count
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


PROGRESS_CYCLES = 20_000  # between two signs of life


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


async def follow(file: Path, done: int, passes: int, cycles: int, total: int) -> None:
    """Tell how far a memory's queues are, again and again, until who waits ends it."""
    for passed in count(PROGRESS_CYCLES, PROGRESS_CYCLES):
        await Timer(PROGRESS_CYCLES * CLOCK_NS, "ns")
        file.write_text(f"{done + passes * min(passed, cycles) // max(1, cycles)} {total}")


@cocotb.test()
async def play(dut):
    """Each memory in turn, until one goes wrong."""
    job = load_job()
    for name in ("rst", "rx"):
        getattr(dut, name).value = 1
    dut.load.value = dut.save.value = 0
    Clock(dut.clk, CLOCK_NS, unit="ns").start()
    await ClockCycles(dut.clk, 1)
    names = ("memories", "results", "patience", "passes", "cycles")
    wrong, progress, done, total = "", Path(job["progress"]), 0, sum(job["passes"])
    for memory, results, patience, passes, cycles in zip(*(job[n] for n in names), strict=True):
        os.replace(memory, LOADED)
        following = cocotb.start_soon(follow(progress, done, passes, cycles, total))
        wrong = await one(dut, patience)
        following.cancel()
        if wrong:
            break
        await ClockCycles(dut.clk, 1)
        os.replace(SAVED, results)
        done += passes
        progress.write_text(f"{done} {total}")
    cycles = int(get_sim_time("ns")) // CLOCK_NS
    Path(job["ending"]).write_text(json.dumps({"cycles": cycles, "wrong": wrong}))
