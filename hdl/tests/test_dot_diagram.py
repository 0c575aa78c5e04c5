"""Dot diagrams: every bit and every cell is drawn, where its weight says."""

from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from cimforge.hdl.arith.final_adder import FINALS
from cimforge.hdl.arith.planners import PLANNERS, plan_column, plan_sum, word_operands
from cimforge.hdl.arith.staging import divided
from cimforge.hdl.emit.dot_diagram import COLOURS, GAP, MARGIN, draw_plan

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("tree", PLANNERS)
@pytest.mark.parametrize("widths", [[1], [4] * 8, [3] * 11], ids=str)
def test_every_cell_is_outlined_in_its_colour(tree, widths):
    bits = sum(2**width - 1 for width in widths).bit_length()
    operands = word_operands(widths)
    plan = plan_column(tree, widths, bits)
    picture = ET.fromstring(draw_plan(plan, operands, "a tree"))
    outlined = Counter(box.get("stroke") for box in picture.iter(f"{SVG}rect"))
    del outlined[None]
    assert outlined == {COLOURS[kind]: count for kind, count in plan.counts().items()}


@pytest.mark.parametrize("final", FINALS)
def test_a_final_adder_encloses_two_rows_of_its_columns(final):
    """Behind 4:2 compressors; no band where nothing stands."""
    operands = word_operands([5] * 24)
    plan = plan_column("csa42", [5] * 24, 10, final)
    staging = divided(plan, 1)
    picture = ET.fromstring(draw_plan(staging, operands, ""))
    (box,) = (b for b in picture.iter(f"{SVG}rect") if b.get("stroke") == COLOURS[final])
    (cell,) = (cell for cell in plan.cells if cell.kind == final)
    taken = [place for word in cell.inputs for place, bit in enumerate(word) if bit is not None]
    assert float(box.get("width")) == 14 * (max(taken) - min(taken)) + 12
    assert float(box.get("height")) == 14 + 12
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert f"1 {final} adder" in texts
    assert f"{staging.registers} registers in 1 ranks" in texts
    bands = [text.text for text in picture.iter(f"{SVG}text") if text.get("x") == "4"]
    assert bands == list(map(str, sorted({cell.level for cell in plan.cells})))


@pytest.mark.parametrize("tree", PLANNERS)
def test_words_of_different_widths_are_drawn(tree):
    operands = word_operands([3, 1, 5, 2, 2, 4])
    plan = plan_sum(tree, operands, 7)
    outlines = list(ET.fromstring(draw_plan(plan, operands, "")).iter(f"{SVG}rect"))
    assert len(outlines) == 1 + len(plan.cells)


def test_pairs_of_rows_worked_by_hand():
    """Three one-bit rows: two dots in an OR at weight 0, the third kept there; the OR's result one
    place to the left, where the third joins it in a read-back."""
    operands = word_operands([1] * 3)
    picture = ET.fromstring(draw_plan(plan_column("approx1", [1] * 3, 2), operands, ""))
    boxes = {
        b.get("stroke"): float(b.get("x")) + 6 for b in picture.iter(f"{SVG}rect") if b.get("x")
    }
    right, left = MARGIN + 21, MARGIN + 7
    assert boxes[COLOURS["or"]] == boxes[COLOURS["hold"]] == right
    assert boxes[COLOURS["lift"]] == left


def test_a_tree_of_three_bits_worked_by_hand():
    """Three dots of weight 0 in one outline; then a sum at weight 0 and a carry to its left."""
    operands = word_operands([1, 1, 1])
    picture = ET.fromstring(draw_plan(plan_sum("csa", operands, 2), operands, "three"))
    dots = [(float(c.get("cx")), float(c.get("cy"))) for c in picture.iter(f"{SVG}circle")][1:]
    right, left = MARGIN + 21, MARGIN + 7
    top, low = 38 + GAP, 38 + 2 * GAP + 3 * 14
    assert sorted(dots[:3]) == [(right, top), (right, top + 14), (right, top + 28)]
    assert sorted(dots[3:]) == [(left, low), (right, low)]
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert texts == ["three", "1 full adder", "1", "0", "1"]


@pytest.mark.parametrize("ranks", [0, 1, 3])
def test_a_bit_behind_registers_is_a_square(ranks):
    operands = word_operands([4] * 12)
    staging = divided(plan_sum("csa", operands, 8), ranks)
    picture = ET.fromstring(draw_plan(staging, operands, ""))
    squares = [box for box in picture.iter(f"{SVG}rect") if box.get("fill") == "#222222"]
    held = [bit for bit, stage in staging.used.items() if stage > staging.made.get(bit, 0)]
    legend = int(ranks > 0)
    assert len(squares) == len(held) + legend
    assert bool(held) == bool(ranks)
