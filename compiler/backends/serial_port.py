"""The backend that runs jobs on a board, through its serial port."""

import time
from collections.abc import Callable

import numpy as np

from cimforge.compiler.precision import Ints
from cimforge.compiler.tile_loop import run_tiles
from cimforge.compiler.tiling import Job, golden_pass_cycles, run_job_golden
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.driver import LinkError, MacroDriver, Port, UartLink, open_serial

__all__ = ["SerialBackend"]


class SerialBackend:
    """Runs jobs on a macro behind a serial port and compares every result with the golden model.

    Counts as RtlBackend does; ``cycles`` stays 0, for a board does not tell them, and
    ``pass_cycles`` are the golden model's. ``opener`` opens the port. Raises LinkError and BusError
    as the driver does; LinkError too where the device holds a macro of another configuration.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        announce: Callable[[str], None] = print,
        progress: Callable[[int, int], None] | None = None,
        opener: Callable[[str, int], Port] = open_serial,
    ):
        self._port, self._baud, self._opener = port, baud, opener
        self._announce, self._progress = announce, progress
        self._driver: MacroDriver | None = None
        self._link: UartLink | None = None
        self.cycles, self.macs, self.seconds, self.bit_exact = 0, 0, 0.0, True
        self.passes, self.pass_cycles = 0, 0

    def run_job(self, config: MacroConfig, job: Job) -> Ints:
        """The job's results (tiles, batch, cols)."""
        started = time.perf_counter()
        stacked = run_tiles(self.connect(config), job, job.plan.cols, self._progress)
        self.seconds += time.perf_counter() - started
        self.passes += job.plan.passes
        self.pass_cycles += golden_pass_cycles(config, job)
        self.macs += job.plan.batch * job.plan.k * job.plan.n
        self.bit_exact &= np.array_equal(stacked, run_job_golden(config, job))
        return stacked

    @property
    def sent(self) -> int:
        """Bytes of rows and vectors that passed the line."""
        return self._link.sent if self._link else 0

    @property
    def received(self) -> int:
        """Bytes of results that passed the line."""
        return self._link.received if self._link else 0

    def connect(self, config: MacroConfig) -> MacroDriver:
        """The driver of the macro behind the port, which is opened at the first call."""
        if self._driver is None:
            self._announce(f"connecting to {self._port}")
            self._link = UartLink(self._opener(self._port, self._baud))
            try:
                self._driver = MacroDriver(self._link, config)
            except ValueError as error:
                raise LinkError(str(error)) from None
        return self._driver
