"""The table of constants, and what a user changes in it."""

import re

import pytest

from cimforge.compiler.energy.constants import load_constants
from cimforge.hdl.params.config_file import InputError


def test_defaults_are_the_survey_s():
    told = load_constants()
    assert (told.dram_pj, told.sram_pj, told.compute_pj) == (10_000, 50, 5)
    assert (told.dram_bits, told.sram_bits, told.reuse) == (64, 64, 1)
    assert (told.dram_byte, told.sram_byte) == (1250, 6.25)
    assert "surveys" in told.source


def test_another_table():
    told = load_constants("horowitz")
    assert (told.dram_pj, told.sram_pj, told.compute_pj) == (1950, 20, 0.3)
    assert "ISSCC 2014" in told.source


def test_a_file_and_single_changes(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('sram_pj = 7\nsource = "mine"\n')
    told = load_constants(str(path), ["reuse = 16", "dram_pj=1e3"])
    assert (told.sram_pj, told.reuse, told.dram_pj) == (7, 16, 1000)
    assert told.source == "mine; changed: reuse = 16, dram_pj=1e3"
    assert told.compute_pj == 5


@pytest.mark.parametrize(
    ("text", "changes", "rule"),
    [
        ("sram = 3", [], "sram is not a parameter; did you mean 'sram_pj'?"),
        ("sram_pj = -1", [], "sram_pj must be a number of at least 0, not -1"),
        ("sram_bits = 0", [], "sram_bits must be a number of at least 1, not 0"),
        ("reuse = true", [], "reuse must be a number of at least 1, not True"),
        ("dram_pj = inf", [], "dram_pj must be a number of at least 0, not inf"),
        ("source = 3", [], "source must be a text, not 3"),
        ("sram_pj = ", [], "is not read as TOML"),
        ("", ["sram_pj"], "--constant: must be KEY=VALUE, for example sram_pj=20, not 'sram_pj'"),
        ("", ["sram_pj=x"], "--constant sram_pj=x: must be a number, not 'x'"),
        ("", ["source=1"], "source must be a text, not 1.0"),
    ],
)
def test_errors_are_one_line(tmp_path, text, changes, rule):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(rule)) as caught:
        load_constants(str(path), changes)
    assert "\n" not in str(caught.value)


def test_a_name_that_is_none():
    with pytest.raises(InputError, match="--energy nix: neither a file nor one of survey, horowit"):
        load_constants("nix")
