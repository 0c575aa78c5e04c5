"""Planners: pure functions from operands to an adder plan. A new tree topology is a new function
here."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import accumulate

from cimforge.hdl.arith.approximate import plan_pairs
from cimforge.hdl.arith.carry_save import plan_planes
from cimforge.hdl.arith.compression import RIPPLE, plan_csa
from cimforge.hdl.arith.plan import Bit, Cell, Operand, Plan
from cimforge.hdl.params.trees import TREES, TreeTraits

__all__ = ["PLANNERS", "plan_column", "plan_sum", "register_planner", "word_operands"]


def word_operands(widths: Sequence[int]) -> list[Operand]:
    """Unsigned words of these widths, one behind the other in the input bits."""
    starts = accumulate(widths, initial=0)
    return [
        Operand(tuple(range(low, low + width))) for low, width in zip(starts, widths, strict=False)
    ]


def plan_sum(
    topology: str,
    operands: Sequence[Operand],
    width: int,
    arrival: Sequence[int] | None = None,
    final: str = RIPPLE,
) -> Plan:
    """Plan the exact sum of ``operands`` modulo ``2**width`` in the named topology (a key of
    PLANNERS).

    ``arrival[i]`` is the level at which input bit i is ready (default 0); only column compression
    makes use of it, and has another ``final`` adder than ripple.
    """
    inputs = 1 + max(bit for operand in operands for bit in operand.bits)
    return PLANNERS[topology](inputs, operands, width, arrival or [0] * inputs, final)


def plan_column(topology: str, widths: Sequence[int], bits: int, final: str = RIPPLE) -> Plan:
    """Plan a column's tree, from operands of these ``widths`` to ``bits``: the sum of plan_sum, or
    what an approximate topology makes of it."""
    operands, pairings = word_operands(widths), TREES[topology].pairings
    if pairings:
        return plan_pairs(pairings, operands, bits, final)
    return plan_sum(topology, operands, bits, final=final)


def _plan_words(
    inputs: int,
    operands: Sequence[Operand],
    width: int,
    add: Callable[
        [tuple[Bit, ...], tuple[Bit, ...], int, int, int], tuple[list[Cell], tuple[Bit, ...]]
    ],
) -> Plan:
    """Balanced binary tree of two-word adders; ``add`` plans one adder and says which bits it
    makes."""
    words = [(((None,) * operand.shift + operand.bits)[:width], 0) for operand in operands]
    cells: list[Cell] = []
    new = inputs
    while len(words) > 1:
        paired = []
        for (a, level_a), (b, level_b) in zip(words[::2], words[1::2], strict=False):
            level = max(level_a, level_b) + 1
            made, total = add(a, b, width, new, level)
            cells += made
            new += sum(len(cell.outputs) for cell in made)
            paired.append((total, level))
        words = paired + words[len(paired) * 2 :]
    total = words[0][0][:width]
    return Plan(inputs, tuple(cells), total + (None,) * (width - len(total)))


def _low_wires(a: tuple[Bit, ...], b: tuple[Bit, ...]) -> int:
    """Number of low places where at most one of the words has a bit, so that no adder is needed
    there."""
    places = 0
    for x, y in zip(a, b, strict=False):
        if x is not None and y is not None:
            break
        places += 1
    return places


def _add_ripple(a, b, width, new, level):
    """Ripple-carry adder: half adder at the first shared place, full adders above, half adders past
    the shorter."""
    low = _low_wires(a, b)
    total = [x if x is not None else y for x, y in zip(a[:low], b[:low], strict=True)]
    cells: list[Cell] = []
    carry: Bit = None
    for place in range(low, min(max(len(a), len(b)), width)):
        bits = [word[place] if place < len(word) else None for word in (a, b)] + [carry]
        bits = [bit for bit in bits if bit is not None]
        if len(bits) < 2:
            total.append(bits[0] if bits else None)
            carry = None
            continue
        top = place == width - 1
        outputs = (new,) if top else (new, new + 1)
        kind = "xor" if top else "fa" if len(bits) == 3 else "ha"
        cells.append(Cell(kind, tuple((bit,) for bit in bits), outputs, level))
        total.append(new)
        carry = None if top else new + 1
        new += len(outputs)
    return cells, tuple(total if carry is None else [*total, carry])


def _add_word(a, b, width, new, level):
    """One word adder, left to the synthesiser; low places with a single bit pass by as wires."""
    low = _low_wires(a, b)
    wires = tuple(x if x is not None else y for x, y in zip(a[:low], b[:low], strict=True))
    high_a, high_b = a[low:], b[low:]
    if not high_a or not high_b:
        return [], wires + high_a + high_b
    size = min(max(len(high_a), len(high_b)) + 1, width - low)
    outputs = tuple(range(new, new + size))
    return [Cell("add", (high_a[:size], high_b[:size]), outputs, level)], wires + outputs


def _plan_ripple(inputs, operands, width, arrival, final):
    """Binary tree of ripple-carry adders: the textbook tree, kept for comparison."""
    return _plan_words(inputs, operands, width, _add_ripple)


def _plan_behavioral(inputs, operands, width, arrival, final):
    """Binary tree of ``+``: the synthesiser chooses the adders (carry chains on an FPGA)."""
    return _plan_words(inputs, operands, width, _add_word)


PLANNERS: dict[str, Callable[..., Plan]] = {}


def register_planner(
    name: str,
    planner: Callable[..., Plan],
    about: str,
    *,
    pairings: int = 0,
    columns: bool = False,
    compressors: bool = False,
    words: bool = False,
) -> None:
    """Make a topology known: to plan_sum and plan_column, and to configurations, which ask for its
    levels. ``planner`` is exact; rows are paired ``pairings`` times before a column's tree; one
    that compresses ``columns``, perhaps with 4:2 ``compressors``, has any final adder."""

    @cache
    def levels(widths: tuple[int, ...], bits: int, final: str, planes: int = 0) -> int:
        if planes:
            return plan_planes(widths, planes, bits, compressors=compressors).levels
        return plan_column(name, widths, bits, final).levels

    PLANNERS[name] = planner
    traits = TreeTraits(levels, about, pairings, columns, compressors, words)
    TREES.register(name, traits)


def _register_columns(
    name: str,
    planner: Callable[..., Plan],
    about: str,
    pairings: int = 0,
    *,
    compressors: bool = False,
) -> None:
    told = name, planner, about
    register_planner(*told, pairings=pairings, columns=True, compressors=compressors)


_register_columns("csa", plan_csa, "column compression to one bit a column: fewest adders")
register_planner("ripple", _plan_ripple, "binary tree of ripple-carry adders, for comparison")
register_planner(
    "behavioral", _plan_behavioral, "binary tree of +: carry chains on an FPGA", words=True
)
_register_columns(
    "csa42",
    partial(plan_csa, compressors=True),
    "csa of 4:2 compressors, for libraries that have one",
    compressors=True,
)
_register_columns("approx1", plan_csa, "csa behind pairs of rows, half ORed and half ANDed", 1)
_register_columns("approx2", plan_csa, "csa behind two levels of such pairs", 2)
