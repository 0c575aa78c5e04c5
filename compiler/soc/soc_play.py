"""Sends images to a simulated system over its UART, and saves the classes that come back.

One cocotb test. The job names an .npz with ``images`` (count, pixels); each of the ``ways`` has
how many of them it is to classify, ``batch`` at a time.
"""

from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.task import bridge
from cocotb.triggers import ClockCycles

from cimforge.compiler.soc.classifier_client import ClassifierClient
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine

__all__: list[str] = []

RESET_CYCLES = 4


@cocotb.test()
async def play(dut):
    """Classify the images in each way."""
    job = load_job()
    images = np.load(job["inputs"])["images"]
    line = SerialLine(dut, job["divisor"], job["patience_bytes"])
    client = ClassifierClient(line)
    progress = Path(job["progress"])
    total = sum(job["ways"].values())

    def session() -> dict[str, Any]:
        results: dict[str, Any] = {}
        done = 0
        client.greeting()
        for way, count in job["ways"].items():
            classes, cycles = [], []
            for first in range(0, count, job["batch"]):
                part = images[first : min(first + job["batch"], count)]
                told = client.classify(part, way)
                classes.append(told.classes)
                cycles.append(told.cycles)
                done += len(part)
                progress.write_text(f"{done} {total}")
            results[way] = np.concatenate(classes)
            results[f"{way}_cycles"] = np.array(cycles)
        return results

    dut.rst.value = 1
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
    results = await bridge(session)()
    assert not int(dut.trap.value), "the core trapped"
    np.savez(job["outputs"], **results, cycles=line.cycles)
