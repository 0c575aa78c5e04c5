"""Plays a job of -1 and 1 through a macro of these: as compiler.backends.play, with ``x_rows``."""

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from cimforge.compiler.backends.play import Player
from cimforge.compiler.player.job_file import patterns_of
from cimforge.flow.simulate.job import load_job
from cimforge.flow.simulate.stream_drivers import tie_off

__all__: list[str] = []


class BinaryPlayer(Player):
    """The state of one job of -1 and 1: its values go in as bits, and each vector says how many of
    its rows count."""

    def __init__(self, dut, job: dict):
        super().__init__(dut, job)
        values = dict(self.data)
        self.x_rows = np.count_nonzero(values["inputs"][:, 0], axis=1)  # 0 lies behind them
        for name in ("weights", "inputs"):
            values[name] = patterns_of(self.config, values[name], 1)
        self.data = values

    def queue_vectors(self) -> None:
        """Queue the next tile's vectors once its rows are written."""
        tile = self.started
        super().queue_vectors()
        if self.started > tile:
            counted = int(self.x_rows[self.data["k_index"][tile]])
            for beat in self.x.beats:  # those of this tile alone
                beat["x_rows"] = counted


@cocotb.test()
async def play(dut):
    """Run the job and save its results."""
    job = load_job()
    player = BinaryPlayer(dut, job)
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
