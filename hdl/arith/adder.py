"""The builder: turns any adder plan into a structural module of leaf cells, word adders and
pipeline registers."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from cimforge.hdl.arith.cell_kinds import KINDS
from cimforge.hdl.arith.final_adder import WORD_ADDERS, build_final
from cimforge.hdl.arith.plan import Bit, Cell, Plan
from cimforge.hdl.arith.staging import Staging, unstaged
from cimforge.hdl.netlist.drivers import spread
from cimforge.hdl.netlist.structure import Bus, Net, Structure, concat, constant

__all__ = ["build_adder"]

LETTERS = "sct"  # of the nets of a cell's outputs, in their order
CHAIN = 8  # bits of the shortest carry chain that is not joined with another


def build_adder(
    prefix: str,
    kind: str,
    comment: str,
    plan: Plan | Staging,
    *,
    role: str,
    lead: int = 0,
    chained: bool = False,
) -> Structure:
    """Module ``prefix_kind``: ``total = sum of the plan's operands`` over the input bits ``terms``,
    unsigned.

    Ports: ``terms`` (input_bits), the plan's controls and ``total`` (result bits); with registers
    also ``clk`` and ``enable``. Latency: the staging's ranks in enabled cycles from the terms, one
    vector a cycle; combinational for a plan alone. The controls come ``lead`` cycles before the
    terms. Every register holds while ``enable`` is low; nothing is reset, since control discards
    what the pipeline held. The plan's widths hold the largest sum, so nothing overflows beyond the
    stated modulus. ``chained`` puts word adders of a level on one carry chain until it has an
    even number of bits, CHAIN at least: FPGAs build chains of two bits a cell, and short ones of
    LUTs. Wires are named by cell: ``s12`` and ``c12`` are the sum and carry of cell 12, ``a12`` a
    word adder's result, ``_q2`` the second register after one.
    """
    staging = unstaged(plan) if isinstance(plan, Plan) else plan
    out = Structure(prefix, kind, comment, role, staging.ranks)
    return _Builder(out, staging, lead, chained).build()


@dataclass(frozen=True)
class _Driven:
    """A bit of the plan as hardware: the net that drives it, the vector and place it has there, and
    the pipeline stages in which it is made and used last."""

    net: Net
    made: int
    used: int = 0
    vector: Bus | None = None
    place: int = 0

    @property
    def flat(self) -> str:
        """A plain name, for the registers behind it."""
        return self.net.replace("[", "_").replace("]", "")

    def after(self, ranks: int) -> Net:
        """The bit ``ranks`` registers later."""
        return Net(f"{self.flat}_q{ranks}", 1) if ranks else self.net

    def precedes(self, other: "_Driven", stage: int) -> bool:
        """Whether ``other`` is the next bit of the same vector, both unregistered in ``stage``."""
        together = self.vector is not None and other.vector == self.vector
        return together and other.place == self.place + 1 and self.made == other.made == stage


class _Builder:
    def __init__(self, out: Structure, staging: Staging, lead: int, chained: bool):
        self.out, self.staging, self.plan, self.lead = out, staging, staging.plan, lead
        self.chained = chained
        self.waiting: dict[tuple[int, int], list[tuple[int, Cell]]] = {}  # by stage and level
        self.bits: dict[int, _Driven] = {}
        self.lines: dict[tuple[Bit, int], Iterator[Net]] = {}
        self.finals: dict[tuple[int, int], Structure] = {}

    def build(self) -> Structure:
        if self.staging.ranks or (self.lead and self.plan.controls):
            self.out.port("input", "clk")
            self.out.port("input", "enable")
        terms = self.out.port("input", "terms", self.plan.input_bits)
        for name, bit in self.plan.control_bits.items():
            self.bits[bit] = _Driven(self.out.port("input", name), -self.lead)
        total = self.out.port("output", "total", len(self.plan.result))
        self._drive_vector(terms, range(self.plan.input_bits), 0)
        self._drive_cells()
        self._note_uses()
        self._spread_controls()
        for number, (cell, stage) in enumerate(self._staged_cells()):
            self._place(number, cell, stage)
        for (stage, _), chain in self.waiting.items():
            self._add(chain, stage)
        self._place_registers()
        ranks, size = self.staging.ranks, len(self.plan.result)
        self.out.assign(total, self._word(self.plan.result, ranks, size))
        return self.out

    def _staged_cells(self) -> Iterator[tuple[Cell, int]]:
        """The cells, each with the pipeline stage in which it stands."""
        return zip(self.plan.cells, self.staging.stages, strict=True)

    def _drive_vector(self, bus: Bus, bits: Iterable[int], stage: int) -> None:
        for place, bit in enumerate(bits):
            self.bits[bit] = _Driven(bus.bits(place), stage, vector=bus, place=place)

    def _drive_cells(self) -> None:
        """Name what every cell makes, and declare it."""
        scalars: list[str] = []
        for number, (cell, stage) in enumerate(self._staged_cells()):
            if not KINDS[cell.kind].places:
                bus = self.out.wire(f"a{number}", len(cell.outputs))
                self._drive_vector(bus, cell.outputs, stage)
                continue
            for letter, bit in zip(LETTERS, cell.outputs, strict=False):
                scalars.append(f"{letter}{number}")
                self.bits[bit] = _Driven(Net(scalars[-1], 1), stage)
        self.out.scalars("wire", scalars)

    def _note_uses(self) -> None:
        for bit, stage in self.staging.used.items():
            self.bits[bit] = replace(self.bits[bit], used=stage)

    def _spread_controls(self) -> None:
        """Drivers of the controls in each stage, for as many cells as take them there."""
        uses = Counter(
            (word[0], stage)
            for cell, stage in self._staged_cells()
            for word in cell.inputs
            if word[0] in self.plan.control_bits.values()
        )
        for (bit, stage), count in uses.items():
            line = spread(self.out, Bus(self._net(bit, stage), 1), count, 1, self.out.role)
            self.lines[bit, stage] = map(line, range(count))

    def _place(self, number: int, cell: Cell, stage: int) -> None:
        if cell.kind == "add":
            self._place_add(number, cell, stage)
            return
        if cell.kind in WORD_ADDERS:
            self._place_final(number, cell, stage)
            return
        inputs = [
            next(self.lines[word[0], stage])
            if (word[0], stage) in self.lines
            else self._net(word[0], stage)
            for word in cell.inputs
        ]
        kind = KINDS[cell.kind]
        if kind.leaf is None:
            self.out.assign(f"s{number}", kind.expression(inputs))
            return
        taken = dict(zip(kind.pins[0], inputs, strict=True))
        made = {
            pin: Net(f"{letter}{number}", 1)
            for pin, letter in zip(kind.pins[1], LETTERS, strict=False)
        }
        name = f"{cell.kind}_{number}" if cell.kind[-1].isdigit() else f"{cell.kind}{number}"
        self.out.place(kind.leaf, name, **taken, **made)

    def _place_add(self, number: int, cell: Cell, stage: int) -> None:
        """A word adder, perhaps on one chain with those before it: no carry crosses, for the top
        bit of neither operand is used."""
        if not self.chained or len(cell.outputs) <= max(map(len, cell.inputs)):
            self._add([(number, cell)], stage)
            return
        chain = self.waiting.setdefault((stage, cell.level), [])
        chain.append((number, cell))
        bits = sum(len(each.outputs) for _, each in chain)
        if bits >= CHAIN and bits % 2 == 0:
            self._add(self.waiting.pop((stage, cell.level)), stage)

    def _add(self, adders: list[tuple[int, Cell]], stage: int) -> None:
        """One carry chain of the adders, the first lowest."""
        cells = [cell for _, cell in adders]
        words = [
            concat(self._word(cell.inputs[side], stage, len(cell.outputs)) for cell in cells)
            for side in (0, 1)
        ]
        sums = concat(Net(f"a{number}", len(cell.outputs)) for number, cell in adders)
        self.out.assign(sums, " + ".join(words))

    def _place_final(self, number: int, cell: Cell, stage: int) -> None:
        """A final adder, as a module of its own, named by its widths where there are several."""
        first, second = (len(word) for word in cell.inputs)
        kind, name = f"{self.out.kind}_final" if self.out.kind else "final", "add_words"
        if sum(each.kind in WORD_ADDERS for each in self.plan.cells) > 1:
            kind = f"{self.out.kind}_{first}_{second}_final"
            name = f"add_words{number}"
        if (first, second) not in self.finals:
            made = build_final(self.out.prefix, kind, cell.kind, (first, second), self.out.role)
            self.finals[first, second] = made
        words = [Net(self._word(word, stage, len(word)), len(word)) for word in cell.inputs]
        total = Bus(f"a{number}", len(cell.outputs))
        self.out.place(self.finals[first, second], name, terms=concat(words), total=total)

    def _net(self, bit: Bit, stage: int) -> Net:
        """The net that carries ``bit`` in pipeline stage ``stage``."""
        if bit is None:
            return constant(0, 1)
        return self.bits[bit].after(stage - self.bits[bit].made)

    def _word(self, word: tuple[Bit, ...], stage: int, size: int) -> Net:
        """A concatenation of ``size`` bits, runs of one vector written as slices."""
        parts: list[Net] = []
        for run in self._runs(word, stage):
            first = self.bits.get(run[0]) if run[0] is not None else None
            if len(run) > 1 and first and first.vector is not None:
                parts.append(first.vector.bits(first.place, len(run)))
            else:
                parts.append(self._net(run[0], stage))
        if size > len(word):
            parts.append(constant(0, size - len(word)))
        return concat(parts)

    def _runs(self, word: tuple[Bit, ...], stage: int) -> list[list[Bit]]:
        """The word's bits, those that are neighbours in a vector together."""
        runs: list[list[Bit]] = []
        for bit in word:
            before = runs[-1][-1] if runs else None
            if before is None or bit is None:
                runs.append([bit])
            elif self.bits[before].precedes(self.bits[bit], stage):
                runs[-1].append(bit)
            else:
                runs.append([bit])
        return runs

    def _place_registers(self) -> None:
        moves = [
            (driven.after(ranks), driven.after(ranks - 1))
            for driven in self.bits.values()
            for ranks in range(1, driven.used - driven.made + 1)
        ]
        self.out.scalars("reg", [target for target, _ in moves])
        enable = spread(self.out, Bus("enable", 1), len(moves), 1, self.out.role)
        for driver, registers in groupby(range(len(moves)), key=enable):
            self.out.line(f"always @(posedge clk) if ({driver}) begin")
            for target, source in (moves[register] for register in registers):
                self.out.line(f"  {target} <= {source};")
            self.out.line("end")
