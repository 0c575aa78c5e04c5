"""The builder: turns any adder plan into a structural module of leaf cells, word adders and
pipeline registers."""

from itertools import groupby, pairwise

from cimforge.hdl.arith.plan import Bit, Cell, Plan
from cimforge.hdl.netlist.drivers import spread
from cimforge.hdl.netlist.structure import Bus, Structure

__all__ = ["build_adder"]

LEAVES = {"fa": ("cim_fa", ("a", "b", "ci")), "ha": ("cim_ha", ("a", "b"))}


def build_adder(module: str, comment: str, plan: Plan, stages: int = 0) -> Structure:
    """Module ``module``: ``total = sum of the plan's operands`` over the input bits ``terms``,
    unsigned.

    Ports: ``terms`` (input_bits) and ``total`` (result bits); with ``stages`` > 0 also ``clk`` and
    ``enable``. Latency: ``stages`` enabled cycles, one vector a cycle; combinational at 0. Every
    register holds while ``enable`` is low; nothing is reset, since control discards what the
    pipeline held. The plan's widths hold the largest sum, so nothing overflows beyond the stated
    modulus. Wires are named by cell: ``s12`` and ``c12`` are the sum and carry of cell 12, ``a12``
    a word adder's result, ``_q2`` the second register after one.
    """
    return _Builder(module, comment, plan, stages).build()


class _Builder:
    def __init__(self, module: str, comment: str, plan: Plan, stages: int):
        self.plan = plan
        self.stages = stages
        self.out = Structure(module, comment)
        self.text: dict[int, str] = {}  # bit -> the net that drives it
        self.words: dict[int, tuple[Bus, int]] = {}  # bit -> vector and place, for slices in words
        self.made_in: dict[int, int] = {}  # bit -> pipeline stage of its driver
        self.used_in: dict[int, int] = {}  # bit -> last pipeline stage that uses it

    def build(self) -> Structure:
        if self.stages:
            self.out.port("input", "clk")
            self.out.port("input", "enable")
        terms = self.out.port("input", "terms", self.plan.input_bits)
        total = self.out.port("output", "total", len(self.plan.result))
        self._time_bits()
        self._name_vector(terms, range(self.plan.input_bits))
        self._name_cells()
        for number, cell in enumerate(self.plan.cells):
            self._place(number, cell)
        self._place_registers()
        self.out.assign(total, self._word(self.plan.result, self.stages, len(self.plan.result)))
        return self.out

    def _stage(self, cell: Cell) -> int:
        return self.plan.stage(cell.level, self.stages)

    def _time_bits(self) -> None:
        self.made_in = dict.fromkeys(range(self.plan.input_bits), 0)
        for cell in self.plan.cells:
            self.made_in |= dict.fromkeys(cell.outputs, self._stage(cell))
            for bit in (bit for word in cell.inputs for bit in word if bit is not None):
                self.used_in[bit] = max(self.used_in.get(bit, 0), self._stage(cell))
        self.used_in |= {bit: self.stages for bit in self.plan.result if bit is not None}

    def _name_vector(self, bus: Bus, bits) -> None:
        for place, bit in enumerate(bits):
            self.text[bit] = bus.bits(place)
            self.words[bit] = (bus, place)

    def _name_cells(self) -> None:
        scalars = []
        for number, cell in enumerate(self.plan.cells):
            if cell.kind == "add":
                self._name_vector(self.out.wire(f"a{number}", len(cell.outputs)), cell.outputs)
                continue
            for letter, bit in zip("sc", cell.outputs, strict=False):
                self.text[bit] = f"{letter}{number}"
                scalars.append(self.text[bit])
        self.out.scalars("wire", scalars)

    def _place(self, number: int, cell: Cell) -> None:
        stage = self._stage(cell)
        if cell.kind == "add":
            size = len(cell.outputs)
            operands = " + ".join(self._word(word, stage, size) for word in cell.inputs)
            self.out.assign(f"a{number}", operands)
            return
        inputs = [self._net(word[0], stage) for word in cell.inputs]
        if cell.kind == "xor":
            self.out.assign(f"s{number}", " ^ ".join(inputs))
            return
        leaf, pins = LEAVES[cell.kind]
        outputs = {"s": f"s{number}", "co": f"c{number}"}
        self.out.instance(
            leaf, f"{cell.kind}{number}", **dict(zip(pins, inputs, strict=True)), **outputs
        )

    def _net(self, bit: Bit, stage: int) -> str:
        """The net that carries ``bit`` in pipeline stage ``stage``."""
        if bit is None:
            return "1'h0"
        ranks = stage - self.made_in[bit]
        return f"{self._flat(bit)}_q{ranks}" if ranks else self.text[bit]

    def _flat(self, bit: int) -> str:
        return self.text[bit].replace("[", "_").replace("]", "")

    def _word(self, word: tuple[Bit, ...], stage: int, size: int) -> str:
        """A concatenation of ``size`` bits, runs of one vector written as slices."""
        parts: list[str] = []
        place = 0
        while place < len(word):
            run = self._run(word, place, stage)
            bit = word[place]
            if run > 1 and bit is not None:
                bus, low = self.words[bit]
                parts.append(bus.bits(low, run))
            else:
                parts.append(self._net(bit, stage))
            place += run
        if size > len(word):
            parts.append(f"{size - len(word)}'h0")
        return parts[0] if len(parts) == 1 else "{" + ", ".join(reversed(parts)) + "}"

    def _run(self, word: tuple[Bit, ...], place: int, stage: int) -> int:
        """Number of bits from ``place`` on that are consecutive in one vector and not
        registered."""
        length = 1
        for bit, following in pairwise(word[place:]):
            if bit not in self.words or following not in self.words:
                break
            bus, index = self.words[bit]
            if (
                self.words[following] != (bus, index + 1)
                or self.made_in[following] != stage
                or self.made_in[bit] != stage
            ):
                break
            length += 1
        return length

    def _place_registers(self) -> None:
        moves = []
        for bit, made in self.made_in.items():
            for ranks in range(1, self.used_in.get(bit, 0) - made + 1):
                moves.append((f"{self._flat(bit)}_q{ranks}", self._net(bit, made + ranks - 1)))
        self.out.scalars("reg", [target for target, _ in moves])
        enable = spread(self.out, Bus("enable"), len(moves), 1)
        for driver, registers in groupby(range(len(moves)), key=enable):
            self.out.line(f"always @(posedge clk) if ({driver}) begin")
            for target, source in (moves[register] for register in registers):
                self.out.line(f"  {target} <= {source};")
            self.out.line("end")
