"""Memory of a system with queues for its engine, as firmware's queues.c finds it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.compiler.soc.engine_piece import Piece
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_plan import EnginePlan, plan_layer

__all__ = [
    "STACK_BYTES",
    "TABLE_BYTES",
    "QueueMemory",
    "QueueOutcome",
    "fill_memories",
    "queue_passes",
]

Ints = NDArray[np.int64]
LINE = np.dtype(
    [
        *(("address", "<u4"), ("commands", "<u4"), ("code", "<i4"), ("cycles", "<u4")),
        *(("busy", "<u4"), ("computing", "<u4"), ("cause", "<u4"), ("command", "<u4")),
    ]
)
HEAD = np.dtype([("queues", "<u4"), ("code", "<i4"), ("ended", "<u4"), ("spare", "<u4", 5)])
MOST_QUEUES = 255
TABLE_BYTES = HEAD.itemsize + MOST_QUEUES * LINE.itemsize
STACK_BYTES = 4096  # the end of RAM: the program's own data and its stack
CODES = {-1: "is none", -2: "is of another version", -3: "is of another configuration"}
STOPPED, OVERFLOWED = -9, -10  # of enum cim_code


class QueueOutcome(NamedTuple):
    """A piece's ``sums`` (v, n), and what its queue took (see queues.c)."""

    piece: Piece
    plan: EnginePlan
    sums: Ints
    cycles: int
    busy: int
    computing: int


def queue_passes(plan: EnginePlan) -> int:
    """Vectors of all RUNs of a plan."""
    return sum(fields["vectors"] for name, fields in plan.commands if name == "run")


@dataclass
class QueueMemory:
    """RAM of ``size`` bytes from byte ``base`` on: a table, areas of ``work``, the program's."""

    config: EngineConfig
    base: int
    size: int
    work: list[tuple[Piece, EnginePlan]] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Bytes for areas."""
        return self.size - TABLE_BYTES - STACK_BYTES

    @property
    def cycles(self) -> int:
        """Predicted, of all queues."""
        return sum(plan.cycles for _, plan in self.work)

    @property
    def passes(self) -> int:
        """Vectors through a set of weights, of all queues."""
        return sum(map(queue_passes, (plan for _, plan in self.work)))

    def takes(self, piece: Piece) -> bool:
        """Add a piece, if there is room for it."""
        begin = self.work[-1][1].end if self.work else self.base + TABLE_BYTES
        if len(self.work) == MOST_QUEUES or begin + len(piece.x) >= self.base + self.size:
            return False
        plan = plan_layer(self.config, piece.layer, len(piece.x), base=begin)
        if plan.end > self.base + self.size - STACK_BYTES:
            return False
        self.work.append((piece, plan))
        return True

    def image(self) -> bytes:
        """What it holds to begin with."""
        memory = np.zeros(self.work[-1][1].end - self.base, np.uint8)
        head = np.zeros((), HEAD)
        head["queues"], head["code"] = len(self.work), -1
        lines = np.zeros(len(self.work), LINE)
        for line, (_, plan) in zip(lines, self.work, strict=True):
            line["address"], line["commands"] = plan.queue.address, len(plan.commands)
        table = head.tobytes() + lines.tobytes()
        for address, data in ((self.base, table), *self._areas()):
            place = address - self.base
            memory[place : place + len(data)] = np.frombuffer(data, np.uint8)
        return memory.tobytes()

    def _areas(self) -> Iterator[tuple[int, bytes]]:
        for piece, plan in self.work:
            yield from plan.segments()
            yield plan.inputs.address, plan.image.inputs(piece.x)[1]

    def outcomes(self, data: bytes) -> Iterator[QueueOutcome]:
        """What became of the work, of the memory's ``data`` behind it. Raises ValueError where a
        queue failed."""
        head = np.frombuffer(data, HEAD, 1)[0]
        lines = np.frombuffer(data, LINE, len(self.work), HEAD.itemsize)
        if head["code"]:
            raise ValueError(_failure(int(head["code"]), int(head["ended"]), lines))
        for line, (piece, plan) in zip(lines, self.work, strict=True):
            place = plan.outputs.address - self.base
            own = data[place : place + plan.outputs.size]
            sums = plan.image.results(own, len(piece.x), plan.output_pitch)
            yield QueueOutcome(
                piece, plan, sums, *(int(line[name]) for name in ("cycles", "busy", "computing"))
            )


def _failure(code: int, ended: int, lines: NDArray) -> str:
    if code in CODES:
        return f"the system's engine {CODES[code]}"
    if code == STOPPED:
        line = lines[ended]
        told = f"at command {line['command']}, cause {line['cause']}"
        return f"queue {ended} of {len(lines)} stopped {told}"
    what = "a sum left its bits" if code == OVERFLOWED else f"code {code}"
    return f"queue {ended} of {len(lines)} failed: {what}"


def fill_memories(
    config: EngineConfig, base: int, size: int, work: Iterable[Piece]
) -> Iterator[QueueMemory]:
    """As few memories as the pieces fill, one behind the other; a piece that does not fit an empty
    one is halved. Raises ValueError where a single vector does not fit."""
    waiting = list(work)[::-1]
    memory = QueueMemory(config, base, size)
    while waiting:
        piece = waiting.pop()
        if memory.takes(piece):
            continue
        if memory.work:
            yield memory
            memory = QueueMemory(config, base, size)
            waiting.append(piece)
        elif len(piece.x) == 1:
            raise ValueError(f"RAM of {size} bytes does not hold one vector with its weights")
        else:
            waiting += reversed(piece.halves())
    if memory.work:
        yield memory
