"""Plays a job through a macro: tiles of weights and their vectors at full rate, results saved.

One cocotb test. The job names an .npz with ``weights`` (tiles, rows, cols) and ``inputs`` (k_tiles,
batch, rows) as int64 values, ``k_index`` and ``banks`` (tiles,); the results (tiles, batch, cols)
and the cycle count go to another. A tile's rows are written while the vectors of the tiles before
it, in other banks, still run. The cycles of the passes alone are measured too: from a vector's
acceptance to its result, which is always taken, less what every result takes behind its planes.
"""

from collections import deque
from pathlib import Path
from random import Random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.stream_drivers import Sink, macro_sources, tie_off
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import from_fields, to_field_rows

__all__: list[str] = []

REPORT_EVERY = 200  # passes


class Player:
    """The state of one job. Tiles move from queued (rows waiting) to written, started and
    results."""

    def __init__(self, dut, job: dict):
        self.dut = dut
        self.config = MacroConfig(**job["config"])
        self.data = np.load(job["inputs"])
        self.options, self.mode = job, self.config.modes[job["fuse"]]
        self.x, self.w, _ = macro_sources(dut, self.config, Random(job["seed"]))
        self.y = Sink(dut.y_valid, dut.y_ready, dut.y_data, Random(job["seed"]))
        self.tiles, self.batch = len(self.data["weights"]), self.data["inputs"].shape[1]
        self.queued = 0
        self.written = 0
        self.started = 0
        self.results: list[np.ndarray] = []
        self.accepted: deque[int] = deque()  # cycles of the vectors on their way
        self.pass_cycles = 0

    def queue_writes(self) -> None:
        """Queue the next tile's rows once its bank's last vectors are on their way."""
        if self.w.pending:
            return
        self.written = self.queued
        sent = self.started - self.x.pending
        if self.queued == self.tiles or self.queued - sent >= self.config.banks:
            return
        weights = self.data["weights"][self.queued]
        shared = {"w_bank": self._bank(self.queued), "w_signed": int(self.options["w_signed"])}
        shared |= {"w_fill": 1, "w_fuse": self.options["fuse"]}  # rows come in order
        for row, value in enumerate(to_field_rows(weights, self.mode.weight_bits)):
            self.w.beats.append({"w_row": row, "w_data": value, **shared})
        self.queued += 1

    def queue_vectors(self) -> None:
        """Queue the next tile's vectors once its rows are written."""
        if self.x.pending or self.started == self.written:
            return
        vectors = self.data["inputs"][self.data["k_index"][self.started]]
        shared = {"x_bits": self.options["x_bits"], "x_signed": int(self.options["x_signed"])}
        shared["x_bank"] = self._bank(self.started)
        values = to_field_rows(vectors, self.config.input_bits)
        self.x.beats.extend({"x_data": value, **shared} for value in values)
        self.started += 1

    def _bank(self, tile: int) -> int:
        return int(self.data["banks"][tile])

    async def run(self) -> int:
        """Run to the last result; returns the cycles since reset."""
        total, cycles = self.tiles * self.batch, 0
        progress = Path(self.options["progress"])
        idle, config = 0, self.config
        longest = max(map(config.fill_cycles, range(config.rows)))  # of a row, in the stream's way
        most_idle = 4 * config.latency() + longest + config.reset_cycles + 8
        while len(self.results) < total:
            self.queue_writes()
            self.queue_vectors()
            for stream in (self.x, self.w, self.y):
                stream.drive()
            await FallingEdge(self.dut.clk)
            taken = self.y.sample()
            if taken:
                result = from_fields(self.y.data, self.mode.y_bits, self.mode.outputs, signed=True)
                self.results.append(result)
                if len(self.results) % REPORT_EVERY == 0:
                    progress.write_text(f"{len(self.results)} {total}")
                self.pass_cycles += cycles - self.accepted.popleft() - self.config.result_ranks - 1
            moved = [taken, self.x.fired(), self.w.fired()]
            self.accepted += [cycles] if moved[1] else []
            idle = 0 if any(moved) else idle + 1
            assert idle < most_idle, "the macro neither takes nor delivers"
            await RisingEdge(self.dut.clk)
            cycles += 1
        return cycles


@cocotb.test()
async def play(dut):
    """Run the job and save its results."""
    job = load_job()
    player = Player(dut, job)
    tie_off(dut, player.config)
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    dut.q_ready.value = 1
    player.y.reset()
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    cycles = await player.run()
    shape = (player.tiles, player.batch, player.mode.outputs)
    results = np.array(player.results, np.int64).reshape(shape)
    np.savez(job["outputs"], results=results, cycles=cycles, pass_cycles=player.pass_cycles)
