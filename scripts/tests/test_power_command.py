"""cimforge power on the command line."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cimforge.flow.power import toggle_run
from cimforge.flow.simulate.bounded_run import CommandError
from cimforge.hdl.netlist.yosys import YosysError

SG13G2 = Path(__file__).parents[2] / "flow" / "tests" / "data" / "sg13g2_typ.lib.gz"
KEYS = (
    *("fj_per_1b_mac", "by_role", "leakage_uw", "glitch_share", "tops_per_w"),
    *("data", "library", "period_ns"),
)
TINY = ("power", "tiny", "--set", "storage=latch", "--liberty", SG13G2)

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no iverilog on PATH; install Icarus Verilog"
)


@needs_icarus
def test_json(cimforge):
    done = cimforge(*TINY, "--vectors", 5, "--clock", 5.5, "--wire", 2, "--seed", 3, "--json")
    assert done.status == 0
    report = done.json
    assert set(KEYS) <= set(report)
    assert (report["data"], report["vectors"], report["seed"]) == ("uniform", 5, 3)
    assert (report["period_ns"], report["wire_ff"], report["cycles"]) == (5.5, 2.0, 20)
    assert report["library"] == str(SG13G2)
    assert Path(report["netlist"]).is_file()


@needs_icarus
def test_table(cimforge):
    done = cimforge(*TINY, "--vectors", 5, "--data", "relu")
    assert done.status == 0
    said = ("tree", "dynamic, total", "relu, 5 vectors, seed 0", "every result equal to golden's")
    for word in (*said, "of a computing cycle's dynamic energy", "TOPS/W", str(SG13G2)):
        assert word in done.out


@needs_icarus
def test_the_users_own_numbers(cimforge, folder):
    """Two tiles of rows, their first three vectors each; one vector alone."""
    draw = np.random.default_rng(1)
    np.save("w.npy", draw.integers(-8, 8, (12, 3)))
    np.save("x.npy", draw.integers(0, 16, (5, 12)))
    np.save("v.npy", draw.integers(0, 4, 12))
    own = ("--weights", "w.npy", "--vectors", 3, "--json")
    done = cimforge(*TINY, *own, "--inputs", "x.npy")
    assert done.status == 0
    assert (done.json["data"], done.json["vectors"]) == ("x.npy @ w.npy", 6)
    assert done.json["cycles"] == 6 * 4
    done = cimforge(*TINY, *own, "--inputs", "v.npy")
    assert (done.json["vectors"], done.json["cycles"]) == (2, 2 * 2)


@needs_icarus
def test_a_network(cimforge):
    pytest.importorskip("sklearn")
    done = cimforge(*TINY, "--network", "digits", "--vectors", 1, "--json")
    assert done.status == 0
    assert done.json["data"] == "digits"
    assert done.json["vectors"] > 10, "one a tile"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--vectors", 0), "0 is not in the range 1<=x<=100000"),
        (("--clock", 0), "must be above 0 and at most 1e+06 ns, not 0"),
        (("--clock", "nan"), "must be above 0 and at most 1e+06 ns, not nan"),
        (("--wire", -1), "must be from 0 and at most 10000 fF, not -1"),
        (("--data", "gauss"), "'gauss' is not one of 'uniform', 'relu'"),
        (("--weights", "w.npy"), "--weights: needs --inputs beside it"),
        (("--inputs", "x.npy"), "--inputs: needs --weights beside it"),
        (("--network", "digits", "--data", "relu"), "--network: not together with --data; name"),
        (("--inputs", "x.npy", "--weights", "none.npy"), "none.npy: No such file or directory"),
        (("--inputs", "e.npy", "--weights", "w.npy"), "--inputs e.npy: holds no vector"),
        (("--inputs", "o.npy", "--weights", "w.npy"), "(x is o.npy, w is w.npy)"),
        (("--set", "input_bits=1", "--network", "digits"), "digits needs input_bits >= 2"),
        (("--liberty", "none.lib"), "--liberty none.lib: no such file"),
        (("--cell", "fa=sg13g2_inv_1"), "--cell fa=sg13g2_inv_1: is no full adder"),
        (("--cell", "fa"), "must be role=NAME"),
    ],
)
@needs_icarus
def test_bad_input_is_one_line_and_writes_nothing(cimforge, folder, arguments, message):
    np.save("e.npy", np.zeros((0, 3), np.int64))
    np.save("w.npy", np.ones((3, 3), np.int64))
    np.save("o.npy", np.full((3, 3), 100_000))
    before = sorted(folder.iterdir())
    done = cimforge(*TINY, *arguments)
    assert (done.status, done.out) == (2, "")
    (line,) = [line for line in done.messages if "mapping" not in line]
    assert message in line
    if "--cell" not in arguments:
        assert sorted(folder.iterdir()) == before


def test_without_icarus_it_is_named(cimforge, folder, monkeypatch):
    monkeypatch.setattr(toggle_run.shutil, "which", lambda program: None)
    done = cimforge(*TINY, "--json")
    assert (done.status, done.out) == (2, "")
    hint = "install Icarus Verilog (Debian: apt install iverilog)"
    assert done.messages == [f"cimforge: power: no iverilog on PATH; {hint}"]
    assert list(folder.iterdir()) == []


@needs_icarus
def test_a_clock_too_fast_is_a_failed_check(cimforge):
    done = cimforge(*TINY, "--vectors", 5, "--clock", 0.4, "--json")
    assert done.status == 1
    assert set(KEYS) <= set(done.json)
    assert done.json["fj_per_1b_mac"] is None
    assert done.json["failed"] == "at 0.4 ns the netlist gives no more results"


@needs_icarus
@pytest.mark.parametrize("error", [YosysError("Yosys failed"), CommandError("vvp was ended")])
def test_a_failing_tool_keeps_the_json(cimforge, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("cimforge.scripts.power.measure_power", fail)
    done = cimforge(*TINY, "--json")
    assert done.status == 1
    assert done.json["failed"] == str(error)
    assert set(KEYS) <= set(done.json)
