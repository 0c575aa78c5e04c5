"""Pipeline stages of a plan: which cells stand between which register ranks, as data."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cimforge.hdl.arith.cell_kinds import KINDS
from cimforge.hdl.arith.final_adder import FINALS
from cimforge.hdl.arith.plan import Bit, Cell, Plan

__all__ = [
    "CARRY",
    "CONTROL",
    "FRONT",
    "REGISTER",
    "SUM",
    "Staging",
    "delay",
    "divided",
    "levelled",
    "settling",
    "stage_cells",
    "unstaged",
]

# Times are in thirds of a full adder's sum. A carry is there earlier (FA_X1 of Nangate45: 0.105 and
# 0.07 ns), a half adder takes less (HA_X1: 0.06 and 0.04 ns), a word adder is a carry chain. A
# register takes about an adder, from the clock to its output and before the next clock.
SUM, CARRY, WORD, GATE, REGISTER = 3, 2, 6, 1, 3
HALF = 1  # what a half adder is faster by

# From the critical paths of base in Nangate45: a register of planes, drivers and product before a
# tree take about three adders, as do the lines that steer an accumulator.
FRONT = CONTROL = 3 * SUM

Behind = Callable[[Sequence[int]], int]


@dataclass(frozen=True)
class Staging:
    """A plan with ``ranks`` register ranks: ``stages[i]`` (0..ranks) is the stage of cell i.

    Inputs come in stage 0, the result leaves in stage ``ranks``; a bit made in one stage and used
    in a later one goes through a register for each rank between them. Stages rise along every path,
    so all paths pass the same number of registers. Controls come ``lead`` cycles before the inputs.
    ``tail[i]`` is the time at which bit i of the result is there, counted from the clock edge of
    the last rank; ``longest`` the time of the longest stage, with what stands behind the plan where
    that is known. ``area`` is that which waits for the longest stage, in adders, registers left
    out.
    """

    plan: Plan
    ranks: int
    stages: tuple[int, ...]
    tail: tuple[int, ...]
    longest: int
    area: int

    @cached_property
    def made(self) -> dict[int, int]:
        """The stage in which each bit of a cell is made; inputs and controls come in 0."""
        of_cells = zip(self.plan.cells, self.stages, strict=True)
        return {bit: stage for cell, stage in of_cells for bit in cell.outputs}

    @cached_property
    def used(self) -> dict[int, int]:
        """The stage in which each bit that is used is used last."""
        last: dict[int, int] = {}
        for cell, stage in zip(self.plan.cells, self.stages, strict=True):
            for bit in taken(cell):
                last[bit] = max(last.get(bit, 0), stage)
        return last | {bit: self.ranks for bit in self.plan.result if bit is not None}

    @property
    def registers(self) -> int:
        """Flip-flops of all ranks."""
        return sum(stage - self.made.get(bit, 0) for bit, stage in self.used.items())

    @property
    def cost(self) -> int:
        """Time by area, in adders: a register counts as one."""
        return self.longest * (self.area + self.registers)

    def crossing(self, rank: int) -> int:
        """Bits that a rank (1..ranks) keeps: made before it, used behind it."""
        return sum(self.made.get(bit, 0) < rank <= stage for bit, stage in self.used.items())


def adders(plan: Plan) -> int:
    """The size of a plan, one for each bit of a word adder, two a 4:2 compressor."""
    words = (len(cell.outputs) for cell in plan.cells if not KINDS[cell.kind].places)
    counts = plan.counts()
    return sum(counts[kind] for kind in counts if KINDS[kind].places) + counts["c42"] + sum(words)


def taken(cell: Cell) -> list[int]:
    """The bits that a cell takes."""
    return [bit for word in cell.inputs for bit in word if bit is not None]


def delay(cell: Cell, output: int) -> int:
    """Time from a cell's last input to its output number ``output``."""
    if cell.kind in FINALS:
        return CARRY * FINALS[cell.kind].delay(len(cell.outputs)) + SUM + CARRY
    if cell.kind == "add":
        return WORD
    if cell.kind == "c42":
        return (2 * SUM, SUM + CARRY, CARRY)[output]
    if not KINDS[cell.kind].exact:
        return GATE
    whole = CARRY if output else SUM
    return whole - HALF if len(cell.inputs) == 2 else whole


def settling(plan: Plan, arrival: Sequence[int] = ()) -> dict[Bit, int]:
    """Time at which each bit is there, those of ``arrival`` (inputs, in order) and others at 0."""
    times: dict[Bit, int] = dict(enumerate(arrival))
    for cell in plan.cells:
        start = max((times.get(bit, 0) for bit in taken(cell)), default=0)
        times |= {bit: start + delay(cell, output) for output, bit in enumerate(cell.outputs)}
    return times


def stage_cells(plan: Plan, limit: int, front: int = REGISTER) -> Staging:
    """The fewest ranks, and registers, with which no stage takes longer than ``limit``; the inputs
    come ``front`` after the clock edge of stage 0. The area is twice the plan's, for the array in
    front of a tree is as large.

    Each cell stands in the earliest stage in which it settles in time. As no cell makes more bits
    than it takes, no rank saves a register by standing nearer to the inputs, so this is the least
    number of registers for the limit (Leiserson, Saxe, "Retiming synchronous circuitry", 1991,
    where circuits of any cells need a linear program). A cell slower than the limit has a stage
    alone.
    """
    made: dict[Bit, tuple[int, int]] = {}
    stages: list[int] = []
    longest = front
    for cell in plan.cells:
        stage, time = max((made.get(bit, (0, front)) for bit in taken(cell)), default=(0, front))
        most = max(delay(cell, output) for output in range(len(cell.outputs)))
        if time > REGISTER and time + most > limit:
            stage, time = stage + 1, REGISTER
        for output, bit in enumerate(cell.outputs):
            made[bit] = (stage, time + delay(cell, output))
        stages.append(stage)
        longest = max(longest, time + most)
    ranks = max(stages, default=0)
    ends = (made.get(bit, (0, front if bit is not None else 0)) for bit in plan.result)
    tail = tuple(time if stage == ranks else REGISTER for stage, time in ends)
    return Staging(plan, ranks, tuple(stages), tail, longest, 2 * adders(plan))


def delayed(staging: Staging, ranks: int) -> Staging:
    """The same with ``ranks`` ranks, those beyond its own behind all cells, where fewest bits
    are."""
    if ranks == staging.ranks:
        return staging
    return replace(staging, ranks=ranks, tail=(REGISTER,) * len(staging.tail))


def unstaged(plan: Plan, front: int = REGISTER) -> Staging:
    """All cells in one stage."""
    longest = max(settling(plan, [front] * plan.input_bits).values(), default=front)
    return stage_cells(plan, longest, front)


def levelled(plan: Plan, ranks: int) -> Staging:
    """The plan with ``ranks`` ranks behind its levels, evenly, the last one behind the last level:
    with as many as levels, one behind each, as carry chains of an FPGA want it."""
    levels = max(1, plan.levels)
    stages = tuple((cell.level - 1) * ranks // levels for cell in plan.cells)
    tail, longest = (REGISTER,) * len(plan.result), REGISTER + -(-levels // max(1, ranks)) * WORD
    return Staging(plan, ranks, stages, tail, longest, 2 * adders(plan))


def divided(
    plan: Plan,
    ranks: int,
    front: int = REGISTER,
    behind: Behind = lambda tail: max(tail, default=0),
    area: int | None = None,
) -> Staging:
    """The plan with ``ranks`` ranks, where time by area (Staging.cost) is least; of equals the
    fastest. Raises ValueError for a negative number.

    ``behind(tail)`` is the time at which what stands behind the plan, in its last stage, is done,
    where the result's bits come at ``tail``; alone a plan stands between registers. ``area`` is
    that of stage_cells if nothing else is said.
    """
    if ranks < 0:
        raise ValueError(f"ranks must be at least 0, not {ranks!r}")

    def weighed(found: Staging) -> Staging:
        found = delayed(found, max(ranks, found.ranks))
        size = found.area if area is None else area
        return replace(found, longest=max(found.longest, behind(found.tail)), area=size)

    def keeps(limit: int) -> bool:
        found = weighed(stage_cells(plan, limit, front))
        return found.ranks == ranks and found.longest <= limit

    def price(limit: int) -> tuple[int, int]:
        found = weighed(stage_cells(plan, limit, front))
        return found.cost, found.longest

    whole = weighed(unstaged(plan, front))
    limits = range(front, whole.longest + 1)
    best = limits[bisect_left(limits, True, key=keeps)]
    # A longer limit may spare registers, but not more than there are.
    for limit in range(best + 1, whole.longest + 1):
        if limit * whole.area > price(best)[0]:
            break
        best = min(best, limit, key=price)
    return weighed(stage_cells(plan, best, front))
