"""cimforge example: each is run on Verilog, compared with other code, and refused in one line."""

import json
import sys
from dataclasses import replace

import pytest

from cimforge.compiler.applications.catalogue import EXAMPLES
from cimforge.compiler.applications.outcome import Outcome
from cimforge.scripts import example as verb
from cimforge.scripts.tests.conftest import SIMULATOR

KEYS = ["example", "macro", "seed", "equal", "bit_exact", "tiles", "passes", "macs", "utilisation"]
KEYS += ["cycles", "seconds"]
SIZED = ("--set", "rows=24", "--set", "cols=16", "--simulator", SIMULATOR)


def test_without_a_task_they_are_listed(cimforge):
    done = cimforge("example")
    assert (done.status, done.err) == (0, "")
    assert all(name in done.out and known.about in done.out for name, known in EXAMPLES.items())
    assert cimforge("example", "--json").json == {n: known.about for n, known in EXAMPLES.items()}


@pytest.mark.parametrize("task", ["genes", "clmul"])
def test_it_runs_on_verilog_and_writes_its_report(cimforge, folder, task):
    done = cimforge("example", task, *SIZED, "--set", "banks=2", "--json", "-o", "out")
    assert done.status == 0, done.err
    report = done.json
    assert list(report)[: len(KEYS)] == KEYS
    assert (report["example"], report["equal"], report["bit_exact"]) == (task, True, True)
    assert report["cycles"] > report["passes"] > report["tiles"] > 1
    assert json.loads((folder / "out/report.json").read_text()) == report
    assert (folder / "out/rtl/manifest.json").exists()
    assert done.messages == []


def test_golden_needs_no_simulator_and_shows_a_table(cimforge, folder):
    done = cimforge("example", "crc32", "--backend", "golden", "--seed", "5")
    assert done.status == 0, done.err
    assert "yes: every CRC by zlib.crc32" in done.out
    assert "seed 5" in done.out
    assert "cycles" not in done.out
    [written] = (folder / "build").iterdir()
    assert [path.name for path in written.iterdir() if path.suffix == ".json"] != []
    assert not (written / "rtl").exists()


def test_a_configuration_of_one_s_own_takes_the_place_of_the_example_s(cimforge, folder):
    (folder / "my.toml").write_text("rows = 9\ncols = 5\nweight_bits = 3\n")
    words = ("example", "ternary", "--config", "my.toml", "--backend", "golden", "--json")
    report = cimforge(*words).json
    assert (report["equal"], report["weight_bits"]) == (True, 3)
    assert report["tiles"] == 29 * 52  # of 256 x 256


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"equal": False}, "cimforge: results differ from the reference: by other code"),
        ({"bit_exact": False}, "cimforge: the Verilog's results differ from the golden model's"),
    ],
)
def test_what_differs_ends_with_status_1(cimforge, monkeypatch, wrong, message):
    class Runner:
        bit_exact, cycles, seconds = wrong.get("bit_exact", True), 1, 0.0

        def run_job(self, config, job):
            """Not asked for anything here."""

    outcome = Outcome(wrong.get("equal", True), "by other code", {}, [("a", "b")])
    known = replace(EXAMPLES["clmul"], run=lambda config, run_job, seed: outcome)
    monkeypatch.setitem(verb.EXAMPLES, "clmul", known)
    monkeypatch.setattr(verb, "_open", lambda *_: Runner())
    monkeypatch.setattr(verb, "check_simulator", lambda _: None)
    done = cimforge("example", "clmul")
    assert (done.status, done.messages) == (1, [message])
    assert "NO" in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("hamming", "--config", "tiny"),
            "example hamming needs a macro of -1 and 1, and multiply = plain has integers (nearest "
            "legal value: --set multiply=xnor --set weight_bits=1 --set input_bits=1)",
        ),
        (
            ("crc32", "--set", "multiply=xnor"),
            "example crc32 needs integers, and multiply = xnor has -1 and 1 alone (nearest legal "
            "value: --set multiply=plain)",
        ),
        (
            ("crc32", "--set", "tree=approx1"),
            "example crc32 needs exact sums, and those of tree = approx1 are not (nearest legal "
            "value: --set tree=csa)",
        ),
        (
            ("ternary", "--set", "input_bits=4", "--backend", "golden"),
            "example ternary: x[0, 1] = -30 does not fit input_bits = 4: 4-bit signed holds -8..7",
        ),
        (("genes", "--config", "tinny"), "CONFIG: no preset 'tinny'; did you mean 'tiny'?"),
        (("gnes",), "Invalid value for '[TASK]': 'gnes' is not one of"),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(cimforge, words, message):
    done = cimforge("example", *words)
    assert done.status == 2
    assert done.out == ""
    [line] = done.messages
    assert line.startswith(f"cimforge: {message}"), line


def test_digits_without_scikit_learn_say_how_to_get_it(cimforge, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setattr("cimforge.compiler.applications.example_binary.load", _without_sklearn)
    done = cimforge("example", "binary", "--backend", "golden")
    assert done.status == 2
    [line] = done.messages
    assert line.startswith("cimforge: example binary: needs sklearn; run ")


def _without_sklearn():
    raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")
