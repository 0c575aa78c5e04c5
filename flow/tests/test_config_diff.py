"""Differences of two macros: what breaks connections and software, and what does not."""

import pytest

from cimforge.flow.config_diff import Change, ConfigDiff
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

BASE = MacroConfig(rows=20, cols=3, weight_bits=4, input_bits=4, banks=2)


def told(**changed) -> dict:
    return ConfigDiff(BASE, BASE.model_copy(update=changed)).as_json()


def names(changes: list[dict], breaks: bool) -> set[str]:
    return {change["what"] for change in changes if change["breaks"] == breaks}


def test_nothing_differs_of_a_macro_from_itself():
    same = told()
    assert not any(value for value in same.values() if isinstance(value, list))
    assert not same["breaks_connections"]
    assert not same["breaks_wrapper_connections"]
    assert not same["breaks_software"]


def test_another_tree_is_taken_in_place():
    other = told(tree="ripple")
    assert other["parameters"] == [Change("tree", "csa", "ripple")._asdict()]
    assert names(other["registers"], False) == {"hash.digest"}
    assert not other["breaks_connections"]
    assert not other["breaks_software"]


def test_fewer_rows_break_ports_and_software():
    fewer = told(rows=10)
    assert {"x_data", "y_data", "w_row"} <= names(fewer["ports"], True)
    assert "w_start.row" in names(fewer["registers"], True)  # rows that there are no more
    assert "geometry.rows" in names(fewer["registers"], False)
    assert Change("load of a bank, row by row", 20, 10)._asdict() in fewer["cycles"]
    assert fewer["breaks_connections"]
    assert fewer["breaks_software"]


def test_more_rows_break_software_only_where_windows_move():
    old, new = (
        MacroConfig(rows=20, cols=3, weight_bits=4, input_bits=4),
        MacroConfig(rows=24, cols=3, weight_bits=4, input_bits=4),
    )
    grown = ConfigDiff(old, new).as_json()
    assert grown["breaks_connections"]
    assert not grown["breaks_software"]
    assert "w_start.row" in names(grown["registers"], False)


def test_a_port_that_is_new_breaks_if_it_is_an_input():
    old = load_config("tiny")
    grouped = load_config("tiny", ["group=2"])
    found = ConfigDiff(old, grouped).ports
    assert [(change.what, change.before, change.breaks) for change in found] == [
        ("w_fill", None, True)
    ]
    (gone,) = ConfigDiff(grouped, old).ports
    assert (gone.after, gone.breaks) == (None, True)


def test_a_wrapper_goes_on_until_its_addresses_are_wider():
    nine, many = told(rows=19), told(rows=20, cols=40)
    assert nine["breaks_connections"]
    assert (nine["wrapper_ports"], nine["breaks_wrapper_connections"]) == ([], False)
    assert names(many["wrapper_ports"], True) == {"wb_adr"}
    assert many["breaks_wrapper_connections"]


@pytest.mark.parametrize(("k", "unsigned"), [(1, 4), (2, 2), (4, 1)])
def test_cycles_are_goldens(k, unsigned):
    found = ConfigDiff(BASE, BASE.model_copy(update={"bits_per_cycle": k})).cycles
    cycles = {change.what: change.after for change in found}
    assert cycles.get("result to result, unsigned inputs", 4) == unsigned
