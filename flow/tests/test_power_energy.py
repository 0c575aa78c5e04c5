"""Energies of small netlists, worked out by hand."""

import numpy as np
import pytest

from cimforge.flow.liberty.characterisation import read_physics
from cimforge.flow.liberty.library import read_library
from cimforge.flow.power.clock_network import clock_network
from cimforge.flow.power.clocking import clocking
from cimforge.flow.power.energy import CellEnergies, cell_energies, net_activity
from cimforge.flow.power.flat_netlist import ONE, FlatCell, FlatNetlist
from cimforge.flow.power.operating_point import net_loads, operating_point
from cimforge.flow.power.toggles import Toggles

LIBRARY = """library (l) {
  time_unit : "1ns"; voltage_unit : "1V"; capacitive_load_unit (1, ff);
  leakage_power_unit : "1nW"; nom_voltage : 2.0;
  cell (INV) { area : 1; cell_leakage_power : 4;
    leakage_power () { when : "A"; value : 10; }
    pin (A) { direction : input; capacitance : 3; }
    pin (Y) { direction : output; function : "!A"; timing () { related_pin : "A";
      timing_sense : negative_unate; cell_rise (scalar) { values ("0.3"); }
      cell_fall (scalar) { values ("0.1"); } rise_transition (scalar) { values ("0.2"); }
      fall_transition (scalar) { values ("0.2"); } }
      internal_power () { related_pin : "A"; rise_power (scalar) { values ("6"); }
        fall_power (scalar) { values ("2"); } } } }
  cell (XOR) { area : 1;
    pin (A) { direction : input; capacitance : 5; }
    pin (B) { direction : input; capacitance : 5; internal_power () { when : "A";
      rise_power (scalar) { values ("8"); } fall_power (scalar) { values ("8"); } } }
    pin (Y) { direction : output; function : "A^B";
      timing () { related_pin : "A B"; cell_rise (scalar) { values ("0.4"); }
        cell_fall (scalar) { values ("0.4"); } rise_transition (scalar) { values ("0.2"); }
        fall_transition (scalar) { values ("0.2"); } }
      internal_power () { related_pin : "A"; rise_power (scalar) { values ("10"); }
        fall_power (scalar) { values ("10"); } }
      internal_power () { related_pin : "B"; when : "A"; rise_power (scalar) { values ("40"); }
        fall_power (scalar) { values ("40"); } }
      internal_power () { related_pin : "B"; when : "!A"; rise_power (scalar) { values ("20"); }
        fall_power (scalar) { values ("20"); } } } }
  cell (DFF) { area : 1; ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; }
    pin (CK) { direction : input; capacitance : 1; internal_power () { when : "!Q & QN";
        rise_power (scalar) { values ("4"); } fall_power (scalar) { values ("0"); } }
      internal_power () { when : "Q & !QN"; rise_power (scalar) { values ("8"); }
        fall_power (scalar) { values ("0"); } } }
    pin (D) { direction : input; capacitance : 1; }
    pin (Q) { direction : output; function : "IQ"; timing () { related_pin : "CK";
      timing_type : rising_edge; cell_rise (scalar) { values ("0.5"); }
      cell_fall (scalar) { values ("0.5"); } rise_transition (scalar) { values ("0.2"); }
      fall_transition (scalar) { values ("0.2"); } } }
    pin (QN) { direction : output; function : "IQN"; } }
}
"""


def energies(tmp_path, cells: list[FlatCell], toggles: Toggles) -> tuple[CellEnergies, float]:
    """Energies of cells whose clock is net 0, and the longest path."""
    (tmp_path / "l.lib").write_text(LIBRARY)
    library = read_library(tmp_path / "l.lib")
    kinds = {cell.kind for cell in cells}
    physics = read_physics([tmp_path / "l.lib"], kinds)
    clocks = {kind: found for kind in kinds if (found := clocking(library.cells[kind]))}
    netlist = FlatNetlist(tuple(cells), len(toggles.all), {"clk": (0,)}, frozenset())
    clock = clock_network(netlist, physics, clocks, 0)
    loads = net_loads(netlist, physics, 0.0)
    point = operating_point(netlist, physics, clocks, clock, loads)
    known = (library.cells, physics, clocks, clock.nets)
    activity = net_activity(toggles, clock.nets)
    return cell_energies(netlist, *known, activity, loads, point.slews), point.longest


def toggles(*nets: tuple[int, int, int]) -> Toggles:
    """Of each net in 10 cycles: all toggles, functional ones, cycles that end at 1."""
    return Toggles(10, *(np.array(column) for column in zip(*nets, strict=True)))


def test_an_inverter(tmp_path):
    """2 toggles a cycle at (6 + 2) / 2 fJ, half of them glitches; the next one's pin of 3 fF at
    2 V: 6 fJ each; it leaks 10 nW while A is 1, three tenths of the time, and else 4."""
    cells = [FlatCell("a", "INV", "tree", {"A": 1, "Y": 2}), FlatCell("b", "INV", "", {"A": 2})]
    found, _ = energies(tmp_path, cells, toggles((0, 0, 0), (20, 20, 3), (20, 10, 7)))
    assert found.internal[0] == pytest.approx(2 * 4)
    assert found.switching[0] == pytest.approx(2 * 6)
    assert found.glitch[0] == pytest.approx((8 + 12) / 2)
    assert found.leakage[0] == pytest.approx(0.3 * 10 + 0.7 * 4)
    assert found.clock.tolist() == [0, 0]
    assert found.internal[1] == found.switching[1] == 0, "nothing is wired to its output"


def test_an_output_is_weighted_by_what_makes_it_toggle(tmp_path):
    """A toggles once a cycle and costs 10, B three times and costs 40 while A is 1 (a quarter of
    the time) and 20 else: 4 toggles of the output at (10 + 3 * 25) / 4. B itself costs 8 an edge
    while A is 1."""
    cells = [FlatCell("x", "XOR", "tree", {"A": 1, "B": 2, "Y": 3})]
    nets = ((0, 0, 0), (10, 10, 2), (30, 10, 5), (40, 10, 5))
    found, _ = energies(tmp_path, cells, toggles(*nets))
    share = 0.2
    mean = (1 * 10 + 3 * (share * 40 + (1 - share) * 20)) / 4
    assert found.internal[0] == pytest.approx(4 * mean + 3 * share * 8)
    assert found.switching[0] == 0, "no load"


def test_a_constant_input_makes_nothing_toggle(tmp_path):
    cells = [FlatCell("x", "XOR", "tree", {"A": 1, "B": ONE, "Y": 2})]
    found, _ = energies(tmp_path, cells, toggles((0, 0, 0), (10, 10, 2), (10, 10, 8)))
    assert found.internal[0] == pytest.approx(10)


def test_a_flip_flops_clock_pin_is_of_the_clock(tmp_path):
    """An edge costs (4 + 0) / 2 while the state is 0 and (8 + 0) / 2 while it is 1, and QN, which
    is not wired, is the state's inverse; an inverter before it is of the clock too."""
    cells = [
        FlatCell("i", "INV", "input", {"A": 0, "Y": 1}),
        FlatCell("f", "DFF", "input", {"CK": 1, "D": 2, "Q": 3}),
    ]
    nets = ((20, 0, 0), (20, 0, 10), (5, 5, 5), (5, 5, 4))
    found, _ = energies(tmp_path, cells, toggles(*nets))
    assert found.internal[1] == pytest.approx(2 * (0.6 * 2 + 0.4 * 4))
    assert found.clock[1] == found.internal[1]
    assert found.clock[0] == found.internal[0] + found.switching[0] == pytest.approx(2 * (4 + 2))
    assert found.glitch.tolist() == [0, 0]


def test_the_longest_path_counts_mid_cycle_twice(tmp_path):
    """Flip-flop 0.5, XOR 0.4, inverter 0.3 to rise; sampled by an inverted clock it has half."""
    cells = [
        FlatCell("f", "DFF", "", {"CK": 0, "D": 9, "Q": 1}),
        FlatCell("x", "XOR", "", {"A": 1, "B": 8, "Y": 2}),
        FlatCell("i", "INV", "", {"A": 2, "Y": 3}),
        FlatCell("g", "DFF", "", {"CK": 0, "D": 3, "Q": 4}),
    ]
    still = [(0, 0, 0)] * 10
    assert energies(tmp_path, cells, toggles(*still))[1] == pytest.approx(1.2)
    cells[3] = FlatCell("g", "DFF", "", {"CK": 5, "D": 3, "Q": 4})
    cells.append(FlatCell("n", "INV", "", {"A": 0, "Y": 5}))
    assert energies(tmp_path, cells, toggles(*still))[1] == pytest.approx(2.4)
