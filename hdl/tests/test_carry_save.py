"""Sums kept in two words: plans against plain sums, the accumulator against its equation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimforge.flow.formal.kept_places import kept_places, left_places
from cimforge.hdl.arith.carry_save import NEGATE, flipped_sum, plan_planes, plan_words
from cimforge.hdl.arith.plan import Operand
from cimforge.hdl.arith.segmented import stage_segments
from cimforge.hdl.macro.column import build_accumulator
from cimforge.hdl.macro.kept_words import KeptWords
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.netlist.module import distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.trees import FINAL_ADDERS
from cimforge.hdl.tests.test_sums import WIDE, prove_equal, write_design

WIDTHS = st.lists(st.integers(1, 6), min_size=1, max_size=12)
KEPT = {
    "one_bit": (1, 1, 1, 1),
    "one_plane": (3, 2, 4, 1),
    "two_planes": (2, 2, 4, 2),
    "bit_parallel": (3, 2, 3, 3),
    "odd": (3, 1, 2, 1),
}


def kept(rows: int, weight_bits: int, input_bits: int, k: int, **more) -> MacroConfig:
    """A small macro of one column whose sums are kept in two words."""
    shape = {"rows": rows, "cols": 1, "weight_bits": weight_bits, "input_bits": input_bits}
    return MacroConfig(**shape, bits_per_cycle=k, accumulate="carry_save", **more)


def weighted(bits: np.ndarray, widths: list[int], planes: int, negate: bool) -> np.ndarray:
    """The planes' sum, the top one's negated, in plain integers."""
    weights = [1 << place for width in widths for place in range(width)]
    sums = bits.reshape(len(bits), planes, -1).astype(object) @ np.array(weights, object)
    signs = [1 << plane for plane in range(planes)]
    signs[-1] *= -1 if negate else 1
    return sums @ np.array(signs, object)


@given(WIDTHS, st.integers(1, 4), st.integers(3, 16), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_planes_are_summed_and_the_top_one_negated(widths, planes, limit, compressors, seed):
    """Modulo 2^limit, and flipped_sum too much of a negated plane; two bits a place at most."""
    plan = plan_planes(widths, planes, limit, compressors=compressors)
    bits = np.random.default_rng(seed).integers(0, 2, (20, planes * sum(widths)))
    bits[0], bits[1] = 0, 1
    for negate in (False, True):
        found = plan.evaluate(bits, {NEGATE: int(negate)})
        wanted = weighted(bits, widths, planes, negate)
        wanted += flipped_sum(widths, planes) if negate else 0
        assert ((found - wanted) % (1 << limit) == 0).all()
    places = [plan.places.count(place) for place in range(limit)]
    assert max(places) <= 2
    assert sum(places) == len(plan.result)
    assert not plan.counts()["ha"]


@given(WIDTHS, st.integers(0, 4), st.integers(1, 12), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_words_are_summed_without_a_carry_chain(widths, shift, width, compressors, seed):
    """Full adders alone, as the rule of columns that the proof goes by has it."""
    starts = np.cumsum([0, *widths])
    operands = [
        Operand(tuple(range(low, low + size)), index % (shift + 1))
        for index, (low, size) in enumerate(zip(starts.tolist(), widths, strict=False))
    ]
    bits = np.random.default_rng(seed).integers(0, 2, (20, sum(widths)))
    places = [place for each in operands for place, _ in enumerate(each.bits, each.shift)]
    if all(place >= width for place in places):
        return
    plan = plan_words(operands, width, compressors=compressors)
    wanted = bits.astype(object) @ np.array([1 << place for place in places], object)
    assert ((plan.evaluate(bits) - wanted) % (1 << width) == 0).all()
    assert plan.places == left_places(places, width)


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=16),
    st.integers(0, 4),
    st.sampled_from([*FINAL_ADDERS]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_segments_add_two_words(counts, stages, final, seed):
    """One step between two ranks: a segment's carry is taken by the next step's segment."""
    places = [place for place, count in enumerate(counts) for _ in range(count)]
    if not places:
        return
    staging = stage_segments(places, len(counts), stages, final)
    plan = staging.plan
    bits = np.random.default_rng(seed).integers(0, 2, (20, len(places)))
    wanted = bits @ (1 << np.array(places))
    assert (plan.evaluate(bits) == wanted % (1 << len(counts))).all()
    assert plan.levels <= stages + 1 == staging.ranks + 1
    assert set(plan.counts()) <= {final}
    assert list(staging.stages) == [cell.level - 1 for cell in plan.cells]


@pytest.mark.parametrize("stages", [1, 2])
def test_what_crosses_a_rank_is_a_bit_a_place_and_the_carries(stages):
    """Of 23 bits, each rank."""
    config = MacroConfig(accumulate="carry_save", final_stages=stages)
    staging = stage_segments(kept_places(config).kept, config.y_bits, stages, "ripple")
    for rank in range(1, stages + 1):
        assert config.y_bits <= staging.crossing(rank) <= config.y_bits + stages


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("compressors", [False, True])
def test_places_are_those_of_the_rule(name, compressors):
    config = kept(*KEPT[name], tree="csa42" if compressors else "csa")
    accumulator = build_accumulator(config)
    assert isinstance(accumulator, KeptWords)
    at, found = kept_places(config), accumulator.sum
    assert tree_plan(config).places == at.total == found.totals
    assert (found.start, found.feedback, found.plan.places) == (at.start, at.feedback, at.kept)
    assert bool(at.feedback) == (config.max_planes > 1)


def references(config: MacroConfig) -> tuple[str, str]:
    """What KeptWords must do in a cycle; negate is offered with restart only. ``total`` is what a
    tree makes of two words, any two: while negate is high less than nothing by flipped_sum."""
    k, y_bits, place = config.bits_per_cycle, config.y_bits, config.weight_bits - 1
    at = kept_places(config)
    header = (
        f"(input clk, input enable, input restart, input negate, input [{len(at.total) - 1}:0] "
        f"total, input [{config.correction_bits - 1}:0] correction, output [{y_bits - 1}:0] y);"
    )
    bits = [f"({{{WIDE}'d0, total[{i}]}} << {p})" for i, p in enumerate(at.total)]
    flipped = f"(negate & restart ? {WIDE}'d{flipped_sum(config.operand_widths, k)} : 0)"
    wide = f"({{{WIDE}'d0, correction}} << {place})"
    start = f"(-{WIDE}'d{config.rows} << {place + k})"
    old = f"(restart ? {start} : y_q << {k})" if config.restarts else start
    terms = " + ".join([old, *bits, wide])
    gold = (
        f"module gold {header}\n  reg [{y_bits - 1}:0] y_q;\n  assign y = y_q;\n"
        f"  always @(posedge clk) if (enable) y_q <= {terms} - {flipped};\n"
        "endmodule\n"
    )
    pins = ["clk", "enable", "total", "correction", "y", *(["restart"] * config.restarts)]
    gate = (
        f"module gate {header}\n  {config.module}_accumulator dut (.negate(negate & restart), "
        f"{', '.join(f'.{pin}({pin})' for pin in pins)});\nendmodule\n"
    )
    return gold, gate


@pytest.mark.parametrize("name", KEPT)
def test_accumulator_keeps_what_it_would_add(name, tmp_path):
    """By induction over cycles: two words of equal sums stay so, whatever the inputs."""
    config = kept(*KEPT[name])
    text = modules_to_verilog(distinct_modules(build_accumulator(config)))
    write_design(tmp_path, text, *references(config))
    prove_equal(tmp_path, "-set-init-zero -tempinduct -maxsteps 2")


def test_the_proof_notices_a_wrong_start(tmp_path):
    config = kept(*KEPT["one_plane"])
    gold, gate = references(config)
    text = modules_to_verilog(distinct_modules(build_accumulator(config)))
    write_design(tmp_path, text, gold.replace(" - (negate", " + (negate"), gate)
    with pytest.raises(AssertionError, match="proof did fail"):
        prove_equal(tmp_path, "-set-init-zero -tempinduct -maxsteps 2")
