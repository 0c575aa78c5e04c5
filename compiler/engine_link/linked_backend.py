"""The backend that runs a network on an engine behind a link, simulated or real."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

import numpy as np

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.digits import QuantisedNetwork
from cimforge.compiler.engine_link.link_session import Streamed, stream_session
from cimforge.compiler.engine_link.linked_network import (
    LinkedNetwork,
    plan_linked_network,
    written_plan,
)
from cimforge.compiler.matmul import exact_matmul
from cimforge.compiler.precision import Ints
from cimforge.flow.simulate.simulator import Design, build, run_tests
from cimforge.flow.simulate.watch import watch
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.port import Port

__all__ = ["LinkedBackend", "PortLine", "TwinLine"]

PLAY = "cimforge.compiler.engine_link.stream_play"
Progress = Callable[[int, int], None] | None


class Line(Protocol):
    """Where an engine is reached."""

    @property
    def clock_hz(self) -> float:
        """Of what Streamed counts times in."""

    @property
    def byte_seconds(self) -> float:
        """What a byte takes on the line, in each direction."""

    def stream(
        self, engine: EngineConfig, ram_bytes: int, network: LinkedNetwork, batches: list[bytes]
    ) -> Streamed:
        """Stream the batches."""

    def facts(self) -> dict[str, Any]:
        """Of a report: where that was."""


@dataclass
class TwinLine:
    """A simulated board: ``design`` in ``folder`` behind a simulated ``line`` (link_play), whose
    byte takes ``byte_cycles``. ``told`` names it in reports. Raises BuildError and SimulationError
    where the simulator fails."""

    design: Design
    folder: Path
    line: Mapping[str, int]
    clock_hz: float
    byte_cycles: int
    told: Mapping[str, Any]
    announce: Callable[[str], None] = print
    progress: Progress = None

    @property
    def byte_seconds(self) -> float:
        """What a byte takes."""
        return self.byte_cycles / self.clock_hz

    def stream(
        self, engine: EngineConfig, ram_bytes: int, network: LinkedNetwork, batches: list[bytes]
    ) -> Streamed:
        """Simulate it."""
        build(self.design, "verilator", announce=self.announce)
        self.announce(f"simulating {self.design.top}")
        work = Path(mkdtemp(prefix="play-", dir=self.folder)).resolve()
        files = {key: str(work / key) for key in ("inputs.npz", "outputs.npz", "progress")}
        np.savez(
            files["inputs.npz"], batches=np.array([np.frombuffer(b, np.uint8) for b in batches])
        )
        job: dict[str, Any] = {name.partition(".")[0]: file for name, file in files.items()}
        job |= {"engine": engine.parameters(), "ram_bytes": ram_bytes, "line": dict(self.line)}
        job |= {"plan": written_plan(network.plan), "seed": 0}
        with watch(Path(files["progress"]), self.progress):
            ending = run_tests(self.design, "verilator", [PLAY], work, job=job)
        if not Path(files["outputs.npz"]).exists():
            raise SimulationError(work / "sim.log", ending)
        with np.load(files["outputs.npz"]) as saved:
            told = {name: saved[name] for name in Streamed._fields}
        shutil.rmtree(work)
        numbers = {name: int(told[name]) for name in Streamed._fields[2:]}
        results = [result.tobytes() for result in told["results"]]
        return Streamed(results, json.loads(str(told["counters"])), **numbers)

    def facts(self) -> dict[str, Any]:
        """The board and its line."""
        return {**self.told, "clock_hz": self.clock_hz}


@dataclass
class PortLine:
    """A board behind a real ``port`` of so many ``baud``."""

    port: Port
    baud: int
    progress: Progress = None
    clock_hz: float = 1.0  # times are seconds

    @property
    def byte_seconds(self) -> float:
        """What a byte takes."""
        return 10 / self.baud

    def stream(
        self, engine: EngineConfig, ram_bytes: int, network: LinkedNetwork, batches: list[bytes]
    ) -> Streamed:
        """Stream over the port."""
        where, clock = (self.port, engine, ram_bytes), time.perf_counter
        return stream_session(*where, network.plan, batches, clock=clock, progress=self.progress)

    def facts(self) -> dict[str, Any]:
        """The line."""
        return {"baud": self.baud}


class LinkedBackend:
    """Predicts with an engine of ``config`` and ``ram_bytes`` of memory behind a ``line``.

    Counts: ``cycles`` of a simulated board's clock, from the opening of the link to the last
    result, 0 of a real one; ``passes`` of the macro and ``pass_cycles`` that its array computed, by
    the engine's own counters; ``macs`` of the products; ``seconds``, of simulation or of the real
    line. ``bit_exact`` says whether every sum equals the network's in exact integers, where the
    macro's are exact. Raises what the line does, and as plan_linked_network, EngineDriver and
    EngineStream do.
    """

    def __init__(
        self,
        config: EngineConfig,
        ram_bytes: int,
        line: Line,
        announce: Callable[[str], None] = print,
    ):
        self._config, self._ram, self._line = config, ram_bytes, line
        self._announce = announce
        self.cycles = self.macs = self.passes = self.pass_cycles = 0
        self.seconds, self.bit_exact = 0.0, True
        self._told: dict[str, Any] = {}

    def predict(self, network: QuantisedNetwork, images: Ints) -> Ints:
        """Labels (count,) of ``images`` (count, 64), pixels 0..16."""
        count = len(images)
        linked = plan_linked_network(self._config, network, count, self._ram)
        self._announce(f"streaming {count} images, {linked.batch} at a time")
        started = time.perf_counter()
        told = self._line.stream(self._config, self._ram, linked, linked.batches(images))
        self.seconds += time.perf_counter() - started
        sums = linked.sums(told.results, count)
        if self._config.macro.tree_traits.exact:
            hidden = network.hidden.run(linked.inputs(images), exact_matmul)
            exact = network.output.accumulate(hidden, exact_matmul)
            self.bit_exact &= np.array_equal(sums, exact)
        self._count(told, linked, count)
        return sums.argmax(axis=1)

    def _count(self, told: Streamed, linked: LinkedNetwork, count: int) -> None:
        line = self._line
        seconds, streaming = (
            time / line.clock_hz for time in (told.loading + told.streaming, told.streaming)
        )
        operations = 2 * count * linked.macs
        self.macs += count * linked.macs
        self.cycles += int(told.loading + told.streaming) if line.clock_hz > 1 else 0
        self.passes += told.counters["vectors"]
        self.pass_cycles += told.counters["compute"]
        busier = max(told.sent, told.received) * line.byte_seconds
        self._told = {
            **{"payload_sent": told.sent, "payload_received": told.received},
            **{"loaded_bytes": told.loaded, "payload_share": round(busier / streaming, 4)},
            **{"batch": linked.batch, "board_seconds": round(seconds, 6)},
            **{"stream_seconds": round(streaming, 6)},
            **{"engine_cycles": told.counters["cycles"], "array_cycles": self.pass_cycles},
            **{"gops": round(operations / seconds / 1e9, 6)},
            "stream_gops": round(operations / streaming / 1e9, 6),
        }

    def facts(self) -> dict[str, Any]:
        """Of a report: what passed the link, how long that took, and operations a second, two a
        product: ``gops`` from the opening of the link on, ``stream_gops`` of the images alone, of
        whose time on the line inputs, or results, took ``payload_share``."""
        engine = {"engine": self._config.module, "ram_bytes": self._ram}
        return {**engine, **self._line.facts(), **self._told}
