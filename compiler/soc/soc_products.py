"""Products of a network's nodes on the engine of a simulated system with a RISC-V core."""

import json
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.map.macro_products import NodeUse
from cimforge.compiler.map.product_trace import operand_precisions, part_sizes
from cimforge.compiler.precision import check_integers
from cimforge.compiler.reference.call import Call, exact_products
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.soc.engine_piece import Block, blocks, pieces
from cimforge.compiler.soc.loaded_memory import loaded_design, memory_bytes, memory_text
from cimforge.compiler.soc.queue_memory import (
    STACK_BYTES,
    TABLE_BYTES,
    QueueMemory,
    QueueOutcome,
    fill_memories,
    queue_passes,
)
from cimforge.compiler.soc.soc_backend import SocTarget
from cimforge.flow.simulate.simulator import Design, build, run_tests
from cimforge.flow.simulate.watch import watch
from cimforge.hdl.params.config_file import InputError

__all__ = ["LEAST_RAM", "ProductTarget", "SocProducts"]

Ints = NDArray[np.int64]
PLAY = "cimforge.compiler.soc.queue_play"
PROGRAM = ("queues.c",)
LEAST_RAM = 1 << 15
MARGIN, QUEUE_MARGIN = 100_000, 5_000  # cycles beside those predicted, of a memory and of a queue


class ProductTarget(SocTarget, Protocol):
    """A system whose memory's size is known."""

    @property
    def ram_bytes(self) -> int:
        """Bytes of RAM."""


@dataclass
class SocProducts:
    """Products (see reference.call) by the engine of ``target``, built and run in ``folder``:

        system = replace(default_system(engine), ram_bytes=1 << 20)
        products = SocProducts(simulated_system(system, folder), folder)
        execute(graph, feeds, products)

    Weights, vectors and commands are in the simulated RAM when its core starts; the core's program
    (queues.c) starts one queue after the other, the engine computes sums without requantisation,
    and RAM with them is saved when the last queue has ended. One build of the simulator and one
    compiled program serve all nodes; a node takes one simulation, of as many fillings of RAM as its
    numbers need. Convolutions come as vectors of their patches; equal parts that leave most of a
    pass idle share it; operands wider than the macro's are cut into digits, whose products, like
    those of inputs cut where sums could leave the engine's bits, are added up here.

    Nodes that are not in ``chosen`` (all, where it is None) are multiplied by NumPy. ``begin`` is
    called with a node's name when it begins, ``progress`` with (passes done, in all) of a node.

    Counts: ``uses`` of each node by name; ``cycles`` of the system from the start of each queue to
    its end, as its core sees it; ``busy``, those that the engine counted, and ``pass_cycles``, in
    which its macros computed, of all of them; ``macs`` of the products; ``seconds`` of simulation
    without the build. ``bit_exact`` is False where a sum differs from NumPy's.
    """

    target: ProductTarget
    folder: Path
    announce: Callable[[str], None] = print
    progress: Callable[[int, int], None] | None = None
    chosen: Collection[str] | None = None
    begin: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self.uses: dict[str, NodeUse] = {}
        self.cycles = self.busy = self.pass_cycles = self.macs = 0
        self.predicted = self.queues = self.fillings = self.all_cycles = 0
        self.seconds, self.build_seconds, self.bit_exact = 0.0, 0.0, True

    def __call__(self, call: Call, parts: Sequence[Part]) -> list[Ints]:
        """The sums of each part. Raises ValueError, one line with the node, for what the engine
        does not compute, InputError where a tool is missing or RAM is too small, BuildError,
        CompileError and SimulationError where a tool fails."""
        if self.chosen is not None and call.node.name not in self.chosen:
            return exact_products(call, parts)
        node = call.node
        use = self.uses.setdefault(node.name, NodeUse(node.name, node.operator.title))
        if self.begin:
            self.begin(node.name)
        engine = self.target.engine
        try:
            check_integers(engine.macro, "a network")
            held = operand_precisions(call, parts)
            own = list(blocks(engine, parts))
            work = [p for n, b in enumerate(own) for p in pieces(engine, n, b, held, self._room)]
            target = self.target
            memories = list(fill_memories(engine, target.ram, target.ram_bytes, work))
        except ValueError as error:
            raise ValueError(f"{node}: {error}") from None
        found = self._found(node.name, own, self._run(memories), use)
        wanted = exact_products(call, parts)
        self.bit_exact &= all(np.array_equal(*pair) for pair in zip(found, wanted, strict=True))
        macs = sum(size.macs for size in part_sizes(parts))
        use.macs += macs
        self.macs += macs
        return found

    def facts(self) -> dict[str, Any]:
        """Of a report: what the system did beside its products."""
        return {
            "system": self.target.design.top,
            "queues": self.queues,
            "fillings": self.fillings,
            "engine_cycles": self.busy,
            "predicted_cycles": self.predicted,
            "array_busy_share": self._share(self.pass_cycles // self.target.engine.macros),
            "simulated_cycles": self.all_cycles,
            "simulated_cycles_per_second": round(self.all_cycles / (self.seconds or 1)),
            "build_seconds": round(self.build_seconds, 3),
        }

    def _share(self, cycles: int) -> float | None:
        return round(cycles / self.cycles, 4) if self.cycles else None

    @property
    def _room(self) -> int:
        """Bytes of RAM for products."""
        if self.target.ram_bytes < LEAST_RAM:
            rule = f"must be at least {LEAST_RAM} for a network, not {self.target.ram_bytes}"
            raise InputError(f"ram_bytes: {rule} (--system ram_bytes={LEAST_RAM})")
        return self.target.ram_bytes - TABLE_BYTES - STACK_BYTES

    @cached_property
    def _design(self) -> Design:
        """The system with RAM that is loaded at once, built."""
        began = time.perf_counter()
        design = loaded_design(self.target.design)
        build(design, "verilator", announce=self.announce)
        self.build_seconds += time.perf_counter() - began
        return design

    @cached_property
    def _program(self) -> Path:
        """The folder of the compiled program, whose files a simulation begins with."""
        began = time.perf_counter()
        folder = self.folder / "queues-program"
        self.announce("compiling the program")
        kept = self.target.ram_bytes - STACK_BYTES
        self.target.build_program(folder, PROGRAM, {}, kept)
        self.build_seconds += time.perf_counter() - began
        return folder

    def _run(self, memories: Sequence[QueueMemory]) -> list[QueueOutcome]:
        """What all queues made."""
        if not memories:
            return []
        design, program = self._design, self._program
        began = time.perf_counter()
        folder = Path(mkdtemp(prefix="play-", dir=self.folder)).resolve()
        shutil.copytree(program, folder, dirs_exist_ok=True)
        word = self.target.engine.bus_bytes
        names = [str(folder / f"memory-{number}.hex") for number in range(len(memories))]
        saved = [str(folder / f"saved-{number}.hex") for number in range(len(memories))]
        for name, memory in zip(names, memories, strict=True):
            Path(name).write_text(memory_text(memory.image(), word))
        patience = [2 * m.cycles + QUEUE_MARGIN * len(m.work) + MARGIN for m in memories]
        job = {"memories": names, "results": saved, "patience": patience, "seed": 0}
        job |= {"passes": [m.passes for m in memories], "cycles": [m.cycles for m in memories]}
        job |= {key: str(folder / key) for key in ("progress", "ending")}
        with watch(folder / "progress", self.progress):
            ending = run_tests(design, "verilator", [PLAY], folder, job=job)
        self._check(folder, ending)
        told = [
            outcome
            for memory, name in zip(memories, saved, strict=True)
            for outcome in self._outcomes(memory, memory_bytes(Path(name), word), folder)
        ]
        self.seconds += time.perf_counter() - began
        self.fillings += len(memories)
        shutil.rmtree(folder)
        return told

    def _check(self, folder: Path, ending: str) -> None:
        """Raise SimulationError where the simulation did not come to its end."""
        if not (folder / "ending").exists():
            raise SimulationError(folder / "sim.log", ending)
        told = json.loads((folder / "ending").read_text())
        if told["wrong"]:
            raise SimulationError(folder / "sim.log", told["wrong"])
        self.all_cycles += told["cycles"]

    def _outcomes(self, memory: QueueMemory, data: bytes, folder: Path) -> list[QueueOutcome]:
        try:
            return list(memory.outcomes(data))
        except ValueError as error:
            raise SimulationError(folder / "sim.log", str(error)) from None

    def _found(
        self, name: str, own: Sequence[Block], told: Sequence[QueueOutcome], use: NodeUse
    ) -> list[Ints]:
        """The sums of each part, of blocks and what became of their pieces."""
        found = [np.zeros((len(block.x), block.w.shape[1]), np.int64) for block in own]
        macros = self.target.engine.macros
        for outcome in told:
            piece, plan = outcome.piece, outcome.plan
            high, wide = outcome.sums.shape
            into = found[piece.block][piece.vector : piece.vector + high]
            into[:, piece.output : piece.output + wide] += outcome.sums << piece.shift
            tiling = plan.image.tiling
            use.tiles += tiling.row_tiles * tiling.column_tiles
            use.passes += queue_passes(plan) * macros
            use.cycles += outcome.cycles
            use.pass_cycles += outcome.computing * macros
            self.cycles += outcome.cycles
            self.busy += outcome.busy
            self.pass_cycles += outcome.computing * macros
            self.predicted += plan.cycles
            self.queues += 1
        return [
            sums
            for block, all_of in zip(own, found, strict=True)
            for sums in np.split(all_of, block.parts, axis=1)
        ]
