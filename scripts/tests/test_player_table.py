"""The table of the player beside cocotb: its rows, and what it refuses."""

import json

from click.testing import CliRunner

from cimforge.scripts import player_table
from cimforge.scripts.player_table import Run, main

ALONE = ("--design", "tiny", "--batch", "3", "--no-cocotb")


def test_a_design_and_its_twin_take_the_same_cycles(tmp_path):
    found = CliRunner().invoke(main, [*ALONE, "--twin", "--json", "-o", str(tmp_path)])
    assert found.exit_code == 0, found.output
    first, twin = json.loads(found.stdout)["runs"]
    assert first["cycles"] == twin["cycles"] > 0
    assert first["macs"] == 3 * 2 * 8 * 4
    assert "behavioral" in twin["design"]


def test_a_way_that_differs_is_an_error(tmp_path, monkeypatch):
    def played(config, folder, job, way):
        counts = {"player": 90, "cocotb": 91}
        return Run(config.module, way, 0.0, 0.0, counts[way], 1.0, 1.0, 5), job.weights

    monkeypatch.setattr(player_table, "played", played)
    found = CliRunner().invoke(main, [*ALONE[:-1], "-o", str(tmp_path)])
    assert found.exit_code == 1
    assert "not what the first run gave" in found.stderr


def test_the_ratio_is_that_of_multiply_accumulates_a_second():
    cells = Run("d", "player", 1.26, 2.0, 4000, 2.0, 1.5, 6_000_000).row(beside=1_500_000.0)
    assert cells[:4] == ("d", "player", "1.3", "2.0")
    assert cells[4:] == ("4000", "2.00", "1.50", "2.0", "3.00", "2.0")


def test_unknown_designs_are_named(tmp_path):
    found = CliRunner().invoke(main, ["--design", "nosuch", "-o", str(tmp_path)])
    assert found.exit_code == 1
    assert "nosuch" in found.stderr
    assert not isinstance(found.exception, (KeyError, ValueError))
