"""Dot diagrams of adder plans, as Dadda drew them: a dot a bit, its weight to the left.

One band a level shows the bits that are there before it, and encloses what its cells take: three
dots a full adder, five a 4:2 compressor, two a half adder or a pair of rows, the rows of two words
a word adder or a final one. A square is a bit behind registers. The last band is the result.
"""

from collections import defaultdict
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from cimforge.hdl.arith.cell_kinds import KINDS
from cimforge.hdl.arith.plan import Cell, Operand, Plan
from cimforge.hdl.arith.staging import Staging, unstaged

__all__ = ["draw_plan"]

STEP, RADIUS, GAP, MARGIN = 14, 3.5, 26, 40
COLOURS = {
    **{"fa": "#1f6fb4", "ha": "#d98200", "xor": "#b4411f", "add": "#3a8f4d"},
    **{"c42": "#17406b", "split": "#5a6f2b", "prefix": "#7a2e2e"},
    **{"ripple": "#2b6f6a", "flip": "#9a6a00"},
    **{"or": "#8a4fb8", "and": "#c23b7a", "hold": "#777777", "lift": "#5f9ea0", "mux": "#a0a040"},
}
UNCOUNTED = ("xor", "hold", "lift", "mux")  # what a legend names without a plural


def draw_plan(plan: Plan | Staging, operands: Sequence[Operand], title: str) -> str:
    """An SVG of ``plan``, the sum of ``operands``, and of the registers of its stages."""
    staging = unstaged(plan) if isinstance(plan, Plan) else plan
    return _Drawing(staging, operands).render(title)


class _Drawing:
    def __init__(self, staging: Staging, operands: Sequence[Operand]):
        self.staging, self.plan = staging, staging.plan
        plan = self.plan
        self.place = _places(plan, operands)
        self.made = plan.level_of
        self.levels = sorted({cell.level for cell in plan.cells})
        self.taken: dict[int, Cell] = {}
        for cell in plan.cells:
            for word in cell.inputs:
                self.taken |= {bit: cell for bit in word if bit is not None}
        size = 0 if plan.places else len(plan.result)
        self.bits = 1 + max([size - 1, *self.place.values()])
        self.svg = ET.Element("svg", xmlns="http://www.w3.org/2000/svg")

    def render(self, title: str) -> str:
        """The whole picture."""
        self._text(MARGIN, 20, title, weight="bold")
        y, end = self._legend(38)
        width = max(2 * MARGIN + max(STEP * self.bits, 7 * len(title)), end)
        for level in self.levels:
            y = self._band(level, y)
        y = self._result(y)
        self.svg.attrib |= {"width": str(width), "height": str(round(y + MARGIN / 2))}
        self.svg.attrib |= {"font-family": "sans-serif", "font-size": "11"}
        self.svg.insert(0, ET.Element("rect", width="100%", height="100%", fill="white"))
        return ET.tostring(self.svg, encoding="unicode") + "\n"

    def _legend(self, y: float) -> tuple[float, float]:
        """How many cells of each kind there are, and registers; returns where it ends, down and to
        the right."""
        counts = self.plan.counts()
        x = MARGIN
        for kind in (kind for kind in COLOURS if counts[kind]):
            many = "s" if counts[kind] > 1 and kind not in UNCOUNTED else ""
            told = f"{counts[kind]} {KINDS[kind].about}{many}"
            self._circle(x, y - 4, COLOURS[kind])
            self._text(x + 8, y, told)
            x += 20 + 7 * len(told)
        if self.staging.ranks:
            told = f"{self.staging.registers} registers in {self.staging.ranks} ranks"
            self._square(x, y - 4, "#222222")
            self._text(x + 8, y, told)
            x += 20 + 7 * len(told)
        return y + GAP, x

    def _alive(self, level: int) -> dict[int, list[int]]:
        """The bits that are there before ``level``, by their place; those taken together are
        neighbours."""
        columns: dict[int, list[int]] = defaultdict(list)
        for bit, place in self.place.items():
            cell = self.taken.get(bit)
            if self.made[bit] < level and (cell is None or cell.level >= level):
                columns[place].append(bit)
        order = {id(cell): number for number, cell in enumerate(self.plan.cells)}

        def together(bit: int) -> tuple[bool, int, int]:
            cell = self.taken.get(bit)
            now = cell is not None and cell.level == level
            return (not now, order[id(cell)] if now else 0, bit)

        return {place: sorted(bits, key=together) for place, bits in columns.items()}

    def _band(self, level: int, y: float) -> float:
        columns = self._alive(level)
        where = self._dots(columns, y, level)
        for cell in self.plan.cells:
            if cell.level == level:
                self._enclose(cell, where)
        low = y + STEP * max(map(len, columns.values()), default=1)
        self._text(4, y + 4, str(level))
        return low + GAP

    def _registered(self, bit: int, level: int) -> bool:
        """Whether registers stand in front of what takes ``bit`` in the band of ``level``."""
        last = level > self.plan.levels
        if not last and (bit not in self.taken or self.taken[bit].level != level):
            return False
        return self.staging.used[bit] > self.staging.made.get(bit, 0)

    def _result(self, y: float) -> float:
        columns: dict[int, list[int]] = defaultdict(list)
        for bit in (bit for bit in self.plan.result if bit is not None):
            columns[self.place[bit]].append(bit)
        self._dots(columns, y, self.plan.levels + 1)
        y += STEP * (max(map(len, columns.values()), default=1) - 1)
        for place in range(self.bits):
            self._text(self._x(place) - 3, y + 20, str(place), size="8")
        return y + GAP

    def _x(self, place: int) -> float:
        return MARGIN + STEP * (self.bits - 1 - place) + STEP / 2

    def _dots(
        self, columns: dict[int, list[int]], y: float, level: int
    ) -> dict[int, tuple[float, float]]:
        where = {}
        for place, bits in columns.items():
            for row, bit in enumerate(bits):
                where[bit] = (self._x(place), y + STEP * row)
                draw = self._square if self._registered(bit, level) else self._circle
                draw(*where[bit], "#222222")
        return where

    def _enclose(self, cell: Cell, where: dict[int, tuple[float, float]]) -> None:
        # a carry inside a level (of a ripple adder) is no dot
        points = [where[bit] for word in cell.inputs for bit in word if bit in where]
        kind = KINDS[cell.kind]
        if not kind.exact and kind.places == (0,):
            del points[1:]  # a bit that stays where it is, but in a read-back
        left, top = (min(point[axis] for point in points) - 6 for axis in (0, 1))
        right, low = (max(point[axis] for point in points) + 6 for axis in (0, 1))
        box = {"x": left, "y": top, "width": right - left, "height": low - top, "rx": 6}
        shape = {"fill": "none", "stroke": COLOURS[cell.kind], "stroke-width": "1.4"}
        ET.SubElement(self.svg, "rect", {k: f"{v:g}" for k, v in box.items()} | shape)

    def _circle(self, x: float, y: float, colour: str) -> None:
        ET.SubElement(self.svg, "circle", cx=f"{x:g}", cy=f"{y:g}", r=f"{RADIUS}", fill=colour)

    def _square(self, x: float, y: float, colour: str) -> None:
        side = f"{2 * RADIUS:g}"
        box = {"x": f"{x - RADIUS:g}", "y": f"{y - RADIUS:g}", "width": side, "height": side}
        ET.SubElement(self.svg, "rect", {**box, "fill": colour})

    def _text(
        self, x: float, y: float, told: str, size: str = "11", weight: str = "normal"
    ) -> None:
        place = {"x": f"{x:g}", "y": f"{y:g}", "font-size": size, "font-weight": weight}
        ET.SubElement(self.svg, "text", place).text = told


def _places(plan: Plan, operands: Sequence[Operand]) -> dict[int, int]:
    """The weight of each bit, as a power of two; controls have none."""
    place: dict[int, int] = {}
    for operand in operands:
        for index, bit in enumerate(operand.bits):
            place.setdefault(bit, operand.shift + index)
    for cell in plan.cells:
        known = (
            place[bit] - index
            for word in cell.inputs
            for index, bit in enumerate(word)
            if bit in place
        )
        low = next(known)
        above = KINDS[cell.kind].places or range(len(cell.outputs))
        place |= {bit: low + index for index, bit in zip(above, cell.outputs, strict=True)}
    results = zip(plan.places or range(len(plan.result)), plan.result, strict=True)
    return place | {bit: index for index, bit in results if bit is not None}
