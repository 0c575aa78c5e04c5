"""Bytes and energy of a layer, against a case counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from cimforge.compiler.energy.constants import EnergyConstants
from cimforge.compiler.energy.movement import (
    layer_energies,
    macro_movement,
    summed,
    von_neumann_movement,
)
from cimforge.compiler.graph.graph import Graph, Node
from cimforge.compiler.graph.operator import FullyConnected
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.hdl.params.config import MacroConfig

CONSTANTS = EnergyConstants("by hand", 800, 64, 40, 32, 3, 2)  # 100 pJ a DRAM byte, 10 an SRAM byte
CONFIG = MacroConfig(rows=8, cols=4, storage="latch")
SCALE = Quantisation((0.5,), (0,))


def network(w_constant=True, vectors=2) -> Graph:
    """x int8 (vectors, 12) by w int8 (6, 12)."""
    w = np.ones((6, 12), np.int8)
    tensors = {
        "x": Tensor("x", (vectors, 12), "int8", SCALE),
        "w": Tensor("w", (6, 12), "int8", SCALE, w if w_constant else None),
        "y": Tensor("y", (vectors, 6), "int8", SCALE),
    }
    node = Node("fc", FullyConnected(), ("x", "w", None), ("y",))
    inputs = ("x",) if w_constant else ("x", "w")
    return Graph("hand", "tflite", tensors, (node,), inputs, ("y",))


@pytest.fixture
def layer():
    """12 x 6 on 8 x 4: four tiles, each with two vectors; 72 weights, 144 MACs."""
    (found,) = layer_energies(network(), CONFIG, CONSTANTS, 50.0)
    return found


def test_the_plan_is_the_one_counted_here(layer):
    plan = layer.plan
    assert (plan.macs, plan.tiles, plan.passes) == (144, 4, 8)
    assert (plan.weight_bytes, plan.input_bytes) == (72, 2 * 12 * 2)  # inputs for each column block
    assert plan.result_bytes == np.ceil(2 * 6 * 2 * CONFIG.y_bits / 8)  # and two blocks of rows
    assert (plan.x_bytes, plan.y_bytes) == (24, 12)


def test_macros(layer):
    """2 x 72 through the buffer, 48 in, 2 x results, 12 out; 8 passes of 8 x 4 x 8 x 8 1b-MACs."""
    moved, results = layer.macros, layer.plan.result_bytes
    sram = 2 * 72 + 48 + 2 * results + 12
    assert (moved.dram, moved.sram, moved.macro) == (72, sram, 72)
    assert moved.dram_pj == pytest.approx(72 * 100)
    assert moved.sram_pj == pytest.approx(sram * 10)
    assert moved.macro_pj == pytest.approx(720)
    assert moved.compute_pj == pytest.approx(8 * 2048 * 50e-3)
    assert moved.total_pj == pytest.approx(7200 + 10 * sram + 720 + 819.2)
    assert moved.share == pytest.approx(1 - 819.2 / moved.total_pj)


def test_von_neumann(layer):
    """72 weights from DRAM into SRAM; 144 MACs of two bytes, each byte for two; 12 out."""
    moved = layer.von_neumann
    assert (moved.dram, moved.sram, moved.macro) == (72, 72 + 144 + 12, 0)
    assert moved.compute_pj == pytest.approx(3 * 144)
    assert moved.total_pj == pytest.approx(7200 + 2280 + 432)
    assert layer.ratio == pytest.approx(moved.total_pj / layer.macros.total_pj)


def test_operands_of_run_time_come_from_no_dram():
    (layer,) = layer_energies(network(w_constant=False), CONFIG, CONSTANTS, 50.0)
    results = layer.plan.result_bytes
    assert (layer.macros.dram, layer.von_neumann.dram) == (0, 0)
    assert layer.macros.sram == 72 + 48 + 2 * results + 12
    assert layer.von_neumann.sram == 144 + 12


def test_items_share_the_weights():
    """Of a network whose items stay apart: one vector an item."""
    (one,) = layer_energies(network(vectors=1), CONFIG, CONSTANTS, 50.0)
    (many,) = layer_energies(network(vectors=1), CONFIG, CONSTANTS, 50.0, items=5)
    for design in ("macros", "von_neumann"):
        assert getattr(many, design).dram == getattr(one, design).dram == 72
        computing = 5 * getattr(one, design).compute_pj
        assert getattr(many, design).compute_pj == pytest.approx(computing)


def test_a_narrow_macro_takes_digits():
    """Four bits a pass: twice the planes' groups, so four times the passes of 8b x 8b at half."""
    narrow = MacroConfig(rows=8, cols=4, weight_bits=8, input_bits=4, storage="latch")
    (wide,) = layer_energies(network(), CONFIG, CONSTANTS, 50.0)
    (digits,) = layer_energies(network(), narrow, CONSTANTS, 50.0)
    assert digits.plan.passes == 2 * wide.plan.passes
    assert digits.macros.compute_pj == pytest.approx(wide.macros.compute_pj)


def test_every_constant_counts(layer):
    plan = layer.plan
    here = (plan, CONFIG)
    for key, value in {"dram_pj": 1600, "dram_bits": 32, "sram_pj": 80, "sram_bits": 16}.items():
        changed = replace(CONSTANTS, **{key: value})
        got = macro_movement(*here, changed, 50.0, True)
        assert getattr(got, f"{key[:4]}_pj") == 2 * getattr(layer.macros, f"{key[:4]}_pj")
    doubled = von_neumann_movement(plan, replace(CONSTANTS, compute_pj=6), 72)
    assert doubled.compute_pj == 2 * layer.von_neumann.compute_pj
    every = von_neumann_movement(plan, replace(CONSTANTS, reuse=1), 72)
    assert every.sram == 72 + 288 + 12


def test_sum_and_json(layer):
    both = summed([layer.macros, layer.macros])
    assert both.total_pj == pytest.approx(2 * layer.macros.total_pj)
    assert both.share == pytest.approx(layer.macros.share)
    told = layer.as_json()
    assert told["macros"]["bytes"]["dram"] == 72
    assert told["von_neumann"]["uj"]["total"] == pytest.approx(9912e-6)
    assert layer.label(3) == "3 FullyConnected 12 x 6"


def test_resident_weights_move_nowhere(layer):
    """Four tiles in two macros of two banks: only inputs, sums and results move."""
    banked = CONFIG.model_copy(update={"banks": 2})
    own = (network(), banked, CONSTANTS, 50.0)
    (kept,) = layer_energies(*own, macros=2, resident=True)
    (loaded,) = layer_energies(*own, macros=2)
    assert (kept.macros.dram, kept.macros.macro, kept.von_neumann.dram) == (0, 0, 0)
    assert kept.macros.sram == loaded.macros.sram - 2 * 72
    assert kept.von_neumann.sram == loaded.von_neumann.sram - 72 == 144 + 12
    assert kept.macros.compute_pj == loaded.macros.compute_pj
    rule = "4 tiles of weights must fit the 2 banks of all macros to be resident"
    with pytest.raises(ValueError, match=rule):
        layer_energies(*own, resident=True)
