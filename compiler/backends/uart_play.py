"""Plays a job through the host's driver and a simulated serial line, on the board's Verilog.

The job's files are those of compiler.backends.play; its ``divisor`` and so the cycles are the
board's.
"""

from pathlib import Path

import cocotb
import numpy as np
from cocotb.task import bridge

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
    data, progress = np.load(job["inputs"]), Path(job["progress"])

    def session() -> list[np.ndarray]:
        line.idle(40)  # the board's power-on reset
        driver = MacroDriver(UartLink(line), config)
        total = len(data["weights"])
        results = []
        for tile, weights in enumerate(data["weights"]):
            progress.write_text(f"{tile} {total}")
            bank = int(data["banks"][tile])
            driver.load_weights(weights, bank=bank, signed=job["w_signed"])
            vectors = data["inputs"][data["k_index"][tile]]
            signs = {"x_bits": job["x_bits"], "x_signed": job["x_signed"]}
            results.append(driver.multiply(vectors, **signs, bank=bank))
        return results

    results = await bridge(session)()
    shape = (len(data["weights"]), data["inputs"].shape[1], config.cols)
    stacked = np.array(results, np.int64).reshape(shape)
    np.savez(job["outputs"], results=stacked, cycles=line.cycles)
