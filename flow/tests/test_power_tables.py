"""What is read of a library's tables, energies and leakage: against numbers worked out by hand."""

from pathlib import Path

import pytest

from cimforge.flow.liberty.characterisation import read_physics
from cimforge.flow.liberty.liberty_text import POWER, Group, read_groups
from cimforge.flow.liberty.lookup_table import LookupTable, TableError, read_table

HEAD = """library (l) {
  time_unit : "10ps"; voltage_unit : "1V"; capacitive_load_unit (10, ff);
  leakage_power_unit : "1uW"; nom_voltage : 1.5;
  lu_table_template (swapped) {
    variable_1 : total_output_net_capacitance; variable_2 : input_net_transition;
    index_1 ("1, 3"); index_2 ("2, 4, 8");
  }
  power_lut_template (hidden) { variable_1 : input_transition_time; index_1 ("2, 4"); }
"""
CELL = """  cell (X) {
    cell_leakage_power : 7;
    leakage_power () { when : "A"; value : 3; }
    pin (A) {
      direction : input; capacitance : 2;
      internal_power () { rise_power (hidden) { values ("1, 2"); } }
    }
    pin (Y) {
      direction : output; function : "!A";
      timing () {
        related_pin : "A"; timing_sense : negative_unate;
        cell_rise (swapped) { values ("10, 20, 40", "30, 40, 60"); }
        rise_transition (swapped) { values ("1, 1, 1", "1, 1, 1"); }
      }
      internal_power () {
        related_pin : "A"; when : "A";
        fall_power (scalar) { values ("5"); }
      }
    }
  }
}
"""


@pytest.fixture
def physics(tmp_path):
    (tmp_path / "l.lib").write_text(HEAD + CELL)
    return read_physics([tmp_path / "l.lib"], ["X"])["X"]


def test_values_between_and_beyond_the_points():
    table = LookupTable((1.0, 3.0), (0.0, 10.0), ((0.0, 10.0), (4.0, 34.0)))
    assert table.value(1.0, 0.0) == 0.0
    assert table.value(2.0, 5.0) == 12.0  # the mean of the four
    assert table.value(5.0, 0.0) == 8.0  # the line goes on
    assert table.value(1.0, -5.0) == -5.0
    assert LookupTable((0.0,), (0.0,), ((2.5,),)).value(9.0, 9.0) == 2.5


def test_units_and_the_order_of_axes(physics):
    """10 ps and 10 fF: a load of 30 fF is 3 of them, a slew of 0.04 ns is 4."""
    (arc,) = physics.arcs["Y"]
    assert arc.cause == {"rise": "fall", "fall": "rise"}
    assert arc.delays["rise"][0].value(0.04, 30.0) == pytest.approx(0.4)
    assert arc.delays["rise"][0].value(0.08, 10.0) == pytest.approx(0.4)
    assert arc.delays["fall"] == ()
    assert physics.capacitance == {"A": pytest.approx(20.0)}
    assert physics.voltage == 1.5


def test_energies_are_capacitance_times_volt_squared(physics):
    """1 is 10 fF V^2 = 10 fJ; an edge that is not told takes none."""
    (hidden,) = physics.energies["A"]
    assert hidden.tables["rise"].value(0.03, 0.0) == pytest.approx(15.0)
    assert hidden.tables["fall"].value(0.03, 0.0) == 0.0
    (output,) = physics.energies["Y"]
    assert (output.related, output.when.text()) == ("A", "A")
    assert output.tables["fall"].value(1.0, 1.0) == pytest.approx(50.0)


def test_leakage_of_states_and_of_all_others(physics):
    told = [(leak.when.text() if leak.when else None, leak.value) for leak in physics.leakage]
    assert told == [("A", pytest.approx(3000.0)), (None, pytest.approx(7000.0))]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('values ("10, 20, 40", "30, 40, 60")', 'values ("10, 20")', "X: cell_rise has 2 values"),
        ('index_2 ("2, 4, 8")', 'index_2 ("2, 8, 4")', "where its axes say 6"),
        ('values ("10, 20, 40"', 'values ("10, twenty, 40"', "could not convert string"),
        ("cell_leakage_power : 7", "cell_leakage_power : seven", "X: 'seven' is no number"),
        ("variable_2 : input", "variable_3 : input", "cell_rise has three axes"),
    ],
)
def test_tables_that_are_none_are_refused(old, new, message, tmp_path):
    text = HEAD + CELL
    assert old in text
    (tmp_path / "l.lib").write_text(text.replace(old, new))
    with pytest.raises(TableError, match=message):
        read_physics([tmp_path / "l.lib"], ["X"])


def test_the_first_library_that_has_a_cell_is_asked(tmp_path):
    (tmp_path / "a.lib").write_text(HEAD + CELL)
    (tmp_path / "b.lib").write_text(HEAD + CELL.replace("capacitance : 2", "capacitance : 5"))
    paths = [Path(tmp_path / name) for name in ("b.lib", "a.lib")]
    assert read_physics(paths, ["X", "Z"])["X"].capacitance["A"] == pytest.approx(50.0)


def test_power_groups_are_kept_for_those_who_ask(tmp_path):
    (tmp_path / "l.lib").write_text(HEAD + CELL)
    for further, count in ((frozenset(), 0), (POWER, 1)):
        (library,) = read_groups(tmp_path / "l.lib", further)
        pin = library.all("cell")[0].all("pin")[1]
        assert len(pin.all("internal_power")[0].groups) == count


def test_a_table_may_have_axes_of_its_own():
    values = [("index_1", ("1, 2",)), ("index_2", ("1, 2",)), ("values", ("1, 2", "3, 4"))]
    table = read_table(Group("cell_rise", ("none",), {}, values), {}, 1.0, 1.0, 1.0)
    assert (table.slews, table.loads, table.value(2.0, 1.0)) == ((1.0, 2.0), (1.0, 2.0), 3.0)


def test_a_table_of_equal_points_gives_its_first_value():
    """As a library whose unit of time is 0 has them."""
    table = LookupTable((0.0, 0.0), (1.0, 3.0), ((5.0, 7.0), (9.0, 11.0)))
    assert table.value(0.0, 2.0) == table.value(4.0, 2.0) == 6.0
