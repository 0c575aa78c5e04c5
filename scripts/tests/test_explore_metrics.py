"""Metrics of cimforge explore beside the verbs that measure the same macro."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cimforge.flow.place_route import build_bitstream
from cimforge.golden.approximate_error import measure_error
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts import sweep_rooms
from cimforge.scripts.tests.conftest import SIMULATOR

SMALL = Path(__file__).parents[2] / "flow" / "tests" / "data" / "sg13g2_typ.lib.gz"
needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no iverilog on PATH; install Icarus Verilog"
)
SHAPE = {"rows": 2, "cols": 1, "weight_bits": 2, "input_bits": 2}
SETS = [word for key, value in SHAPE.items() for word in ("--set", f"{key}={value}")]
FIXED = "".join(f"{key} = {value}\n" for key, value in SHAPE.items() if key != "rows")


def sweep(text: str, axes: str = "rows = [2]") -> str:
    """A sweep file of the tiniest macro."""
    Path("s.toml").write_text(f"preset = 'tiny'\n{text}\n[fixed]\n{FIXED}[axes]\n{axes}\n")
    return "s.toml"


def points() -> list[dict[str, str]]:
    """Every point of the sweep, as its CSV tells it."""
    return list(csv.DictReader(Path("build/explore/s.csv").read_text().splitlines()))


@needs_icarus
def test_energy_is_that_of_power(cimforge, folder):
    metrics = 'metrics = ["energy_per_mac", "tops_per_w"]'
    text = f'targets = [{{ liberty = "{SMALL}" }}]\n{metrics}'
    done = cimforge("explore", sweep(text), "--jobs", "1")
    assert (done.status, done.messages) == (0, [])
    (told,) = points()
    power = cimforge("power", "tiny", *SETS, "--liberty", SMALL, "--json").json
    assert float(told["energy_per_mac"]) == pytest.approx(power["fj_per_1b_mac"], rel=1e-4)
    assert float(told["tops_per_w"]) == pytest.approx(power["tops_per_w"], rel=1e-3)
    again = cimforge("explore", sweep(text), "--jobs", "1", "--json").json
    assert again["fresh"] == 0


def test_errors_of_trees_are_those_that_golden_prints(cimforge, folder):
    metrics = ["error_mred", "error_nmed", "error_bias", "error_nmed_signed"]
    axes = 'rows = [4]\ntree = ["csa", "approx1", "approx2"]'
    assert cimforge("explore", sweep(f"metrics = {metrics}", axes), "--jobs", "1").status == 0
    exact, *approximate = points()
    assert [float(exact[name]) for name in metrics] == [0, 0, 0, 0]
    for told in approximate:
        config = MacroConfig(**SHAPE | {"rows": 4, "tree": told["tree"]})
        unsigned, signed = (measure_error(config, signed=sign) for sign in (False, True))
        for name in ("mred", "nmed", "bias"):
            assert float(told[f"error_{name}"]) == pytest.approx(unsigned[name], rel=1e-5)
            assert float(told[f"error_{name}_signed"]) == pytest.approx(signed[name], rel=1e-5)
    assert float(approximate[0]["error_nmed"]) > 0


def test_a_board_tells_what_fpga_prints(cimforge, folder, monkeypatch):
    """The verb is handed the placement of the sweep, where it asks for the same design."""
    built: dict[str, Any] = {}

    def watched(top, where, name, board, announce, seeds):
        told = (name, board, seeds, (where / f"{top.name}.v").read_text())
        if not built:
            built["told"] = told
            built["report"] = build_bitstream(top, where, name, board, announce, seeds)
        assert built["told"] == told
        return built["report"]

    monkeypatch.setattr(sweep_rooms, "build_bitstream", watched)
    monkeypatch.setattr("cimforge.scripts.fpga.build_bitstream", watched)
    text = 'targets = ["hx8k"]\nmetrics = ["fmax", "gops", "gops_fmax", "board_luts", "board_rams"]'
    done = cimforge("explore", sweep(text), "--jobs", "1")
    assert (done.status, done.messages) == (0, [])
    (told,) = points()
    verb = cimforge("fpga", "hx8k", "tiny", *SETS, "--json").json
    assert float(told["fmax"]) == pytest.approx(verb["fmax_mhz"], rel=1e-4)
    assert float(told["period"]) == pytest.approx(1000 / verb["fmax_mhz"], rel=1e-4)
    assert float(told["gops"]) == pytest.approx(verb["gops_int8"], rel=1e-3)
    ratio = verb["fmax_mhz"] / verb["clock_mhz"]
    assert float(told["gops_fmax"]) == pytest.approx(verb["gops_int8"] * ratio, rel=1e-3)
    assert (int(told["board_luts"]), int(told["board_rams"])) == (verb["luts"], verb["brams"])
    monkeypatch.setattr(sweep_rooms, "build_bitstream", None)
    assert cimforge("explore", sweep(text), "--jobs", "1").status == 0


def test_what_does_not_fit_its_board_is_a_result(cimforge, folder, monkeypatch):
    def full(top, *others):
        if top.name.startswith("cim_r2"):
            raise InputError(
                "nextpnr: the design does not fit the device (no bels); take a smaller"
            )
        raise InputError("nextpnr: a fault of another kind")

    monkeypatch.setattr(sweep_rooms, "build_bitstream", full)
    text = 'targets = ["hx8k"]\nmetrics = ["fmax"]'
    done = cimforge("explore", sweep(text), "--jobs", "1")
    assert (done.status, done.messages) == (0, [])
    assert "do not fit" in done.out
    told = json.loads(Path("build/explore/s.json").read_text())
    assert (told["failed"], told["targets"][0]["feasible"]) == ([], 0)
    assert [each["why"] for each in told["unfit"]] == ["does not fit hx8k"]
    monkeypatch.setattr(sweep_rooms, "build_bitstream", None)
    assert cimforge("explore", sweep(text), "--jobs", "1").status == 0  # known
    monkeypatch.setattr(sweep_rooms, "build_bitstream", full)
    done = cimforge("explore", sweep(text, "rows = [3]"), "--jobs", "1")
    assert done.status == 1
    assert "1 of 1 points failed: nextpnr: a fault of another kind" in done.err


def test_a_verilog_that_fails_its_tests_fulfils_no_constraint(cimforge, folder, monkeypatch):
    original = sweep_rooms.emit_macro

    def broken(config, where):
        original(config, where)
        if config.rows == 3:
            (path,) = where.glob("cim_r3*csa.v")
            path.write_text(path.read_text().replace("= stored |", "= stored &"))

    monkeypatch.setattr(sweep_rooms, "emit_macro", broken)
    monkeypatch.setattr(sweep_rooms, "SIMULATOR", SIMULATOR)  # the quickest to build
    text = 'metrics = ["checked", "cycles"]\nconstraints = "checked == 1"'
    done = cimforge("explore", sweep(text, "rows = [2, 3]"), "--jobs", "1")
    assert (done.status, done.messages) == (0, [])
    assert [(each["rows"], each["checked"], each["feasible"]) for each in points()] == [
        ("2", "1", "1"),
        ("3", "0", "0"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('targets = ["hx9k"]', "targets: no target 'hx9k'; did you mean 'hx8k'?"),
        ('targets = [{ board = "hx9k" }]', "targets: no board 'hx9k'; did you mean 'hx8k'?"),
        ("targets = [{ board = 3 }]", "targets: board: must be a name or a file, not 3"),
        ('targets = [{ board = "hx8k", clock = 900 }]', "(nearest legal value: 500)"),
        ('targets = [{ board = "hx8k", seeds = [1, 1] }]', "seeds: must be a list of different"),
        ('targets = [{ board = "hx8k", pins = 3 }]', "targets: no key 'pins'; keys: board, name"),
        ('targets = ["hx8k"]\nmetrics = ["tops_per_w"]', "is measured on a library alone"),
        ('metrics = ["gops"]', "gops is measured on a board alone: targets = [{ board = NAME }]"),
        ('metrics = ["fmax"]', "fmax is measured on a library or a board alone"),
        ('targets = ["gatemate-evb"]', "area is measured on a target of synthesis alone"),
    ],
)
def test_a_fault_is_told_in_one_line(cimforge, folder, text, told):
    done = cimforge("explore", sweep(text))
    assert done.status == 2
    assert len(done.messages) == 1
    assert told in done.messages[0]
