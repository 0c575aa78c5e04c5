"""Sends images to a simulated system over its UART, and saves the classes that come back.

One cocotb test. The job names an .npz with ``images`` (count, pixels); each of the ``ways`` has
how many of them it is to classify, ``batch`` at a time. Of a way W the .npz of results has W, the
classes, and W_cycles, W_busy and W_computing, of each batch (Classified).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.task import bridge
from cocotb.triggers import ClockCycles

from cimforge.compiler.soc.classifier_client import Classified, ClassifierClient
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.serial_line import SerialLine

__all__: list[str] = []

RESET_CYCLES = 4


def batches(job: dict[str, Any]) -> Iterator[tuple[str, slice]]:
    """Which images go which way, one batch after the other."""
    for way, count in job["ways"].items():
        for first in range(0, count, job["batch"]):
            yield way, slice(first, min(first + job["batch"], count))


def saved(told: dict[str, list[Classified]]) -> dict[str, Any]:
    """The results of each way, as arrays."""
    results: dict[str, Any] = {}
    for way, parts in told.items():
        classes, *counts = zip(*parts, strict=True)
        names = (f"{way}_{field}" for field in Classified._fields[1:])
        results |= {way: np.concatenate(classes), **dict(zip(names, counts, strict=True))}
    return results


@cocotb.test()
async def play(dut):
    """Classify the images in each way."""
    job = load_job()
    images = np.load(job["inputs"])["images"]
    line = SerialLine(dut, job["divisor"], job["patience_bytes"])
    client = ClassifierClient(line)
    progress = Path(job["progress"])
    total = sum(job["ways"].values())

    def session() -> dict[str, list[Classified]]:
        told: dict[str, list[Classified]] = {way: [] for way in job["ways"]}
        done = 0
        client.greeting()
        for way, part in batches(job):
            told[way].append(client.classify(images[part], way))
            done += part.stop - part.start
            progress.write_text(f"{done} {total}")
        return told

    dut.rst.value = 1
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
    told = await bridge(session)()
    assert not int(dut.trap.value), "the core trapped"
    np.savez(job["outputs"], **saved(told), cycles=line.cycles)
