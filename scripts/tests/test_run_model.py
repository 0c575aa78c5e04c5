"""cimforge run FILE: a network from a file gives onnxruntime's numbers, layer by layer, on golden
and on the Verilog; what differs is shown alone."""

import json
import subprocess
import sys

import numpy as np
import pytest

from cimforge.scripts.tests.conftest import SIMULATOR, environment

pytest.importorskip("onnx", reason="networks from .onnx files need onnx (make models)")

from cimforge.scripts.tests.small_onnx import INPUT, write_floats, write_network

# Of write_network's network and these inputs, as onnxruntime 1.32 computes them.
X = np.random.default_rng(5).integers(0, 256, (4, *INPUT[1:])).astype(np.uint8)
Y = np.array(
    [
        [87, 111, 115, 125, 105, 105, 126],
        [143, 132, 114, 77, 124, 127, 97],
        [127, 116, 138, 159, 139, 123, 118],
        [105, 112, 118, 137, 114, 120, 128],
    ],
    np.uint8,
)
KEYS = ["model", "macro", "macros", "backend", "bit_exact", "checked", "images", "macs"]
KEYS += ["host_macs", "cycles", "seconds", "backend_seconds", "remarks", "layers", "kept_jobs"]
RUN = ("run", "small.onnx", "--input", "x.npy", "--check", "y.npy", "--config", "tiny")
TALL = ("--set", "rows=20", "--set", "weight_bits=8", "--set", "input_bits=8")


@pytest.fixture
def network(folder):
    """A folder with a network, inputs and outputs."""
    write_network(folder / "small.onnx")
    np.save("x.npy", X)
    np.save("y.npy", Y)
    return folder


def test_a_network_gives_onnxruntimes_numbers(cimforge, network):
    done = cimforge(*RUN, "--backend", "golden", "--json", "-o", "out")
    assert done.status == 0, done.err
    told = done.json
    assert list(told) == KEYS
    assert (told["bit_exact"], told["checked"], told["images"]) == (True, True, 4)
    assert told["macs"] == 4 * (20 * 18 * 6 + 120 * 7) == sum(n["macs"] for n in told["layers"])
    assert [n["cycles"] for n in told["layers"]] == [n["predicted_cycles"] for n in told["layers"]]
    assert told["cycles"] == sum(layer["cycles"] for layer in told["layers"])
    stored = np.load("out/y.npy")
    assert stored.dtype == np.uint8
    assert (stored == Y).all()
    assert json.loads((network / "out/report.json").read_text()) == told


def test_the_verilog_gives_them_too_and_takes_what_was_predicted(cimforge, network):
    done = cimforge(*RUN, "--macros", "2", "-o", "out")
    assert done.status == 0, done.err
    told = json.loads((network / "out/report.json").read_text())
    assert (told["bit_exact"], told["checked"], told["backend"]) == (True, True, "rtl")
    for layer in told["layers"]:
        assert layer["cycles"] == layer["predicted_cycles"] > 0
    for word in ("conv", "classes", "Convolution", "FullyConnected", "equal", "predicted"):
        assert word in done.out
    assert (network / "out/layers.svg").read_text().startswith("<?xml")
    assert not (network / "out/kept").exists()


def test_chosen_layers_go_to_hardware_the_rest_to_numpy(cimforge, network):
    done = cimforge(*RUN, *TALL, "--backend", "golden", "--layers", "1", "--json")
    assert done.status == 0, done.err
    assert [layer["on"] for layer in done.json["layers"]] == ["host", "macro"]
    assert (done.json["macs"], done.json["host_macs"]) == (4 * 840, 4 * 2160)


def test_workers_change_nothing_but_the_time(cimforge, network):
    told = []
    for place in ("local", "local:2"):
        done = cimforge(*RUN, "--cluster", place, "--json", "-o", f"o{place[6:]}")
        assert done.status == 0, done.err
        told.append({key: done.json[key] for key in KEYS if not key.endswith("seconds")})
    assert "jobs of all layers, on workers" in done.err
    assert told[0] == told[1]
    assert told[1]["kept_jobs"] == 0
    assert (np.load("o2/y.npy") == Y).all()
    assert not (network / "o2/kept").exists()


@pytest.mark.parametrize(
    "words", [("--sources", "small.onnx"), ("--backend", "uart-sim"), ("--backend", "soc")]
)
def test_a_cluster_runs_the_emitted_verilog_alone(cimforge, network, words):
    done = cimforge(*RUN, "--cluster", "local:2", *words)
    assert done.status == 2
    assert "--cluster: runs the emitted Verilog (--backend rtl) or golden alone" in done.err


def test_verilog_that_is_wrong_is_shown_alone(cimforge, network):
    assert cimforge("generate", "tiny", "-o", "bad").status == 0
    (source,) = (network / "bad").glob("cim_r*.v")
    text = source.read_text()
    assert text.count("assign products = ~ n_0;") == 1
    source.write_text(text.replace("assign products = ~ n_0;", "assign products = n_0;"))
    done = cimforge(*RUN, "--sources", "bad", "--json", "-o", "out")
    assert done.status == 1
    assert (done.json["checked"], done.json["images"]) == (None, 0)
    found = done.json["divergence"]
    assert (found["layer"], found["tile"], found["vector"]) == ("conv", 0, 0)
    assert found["planes"] == list(range(4))
    assert "layer 'conv' (Convolution), tile 0 of macro 0 (inputs 0..7)" in done.messages[-1]
    again = [sys.executable, "out/divergence/reproduce.py", SIMULATOR]
    shown = subprocess.run(again, env=environment(), capture_output=True, text=True)
    assert shown.returncode == 1, shown.stderr
    assert "DIFFERS" in shown.stdout
    log = (network / "out/divergence/run/sim.log").read_text()
    assert f"column 0: got {found['got']}, right is {found['expected']}" in log
    assert (
        "export COCOTB_REWRITE_ASSERTION_FILES ="
        in (network / "out/divergence/Makefile").read_text()
    )
    # The Verilog as it was: the same case is right.
    source = network / "out/divergence/verilog" / source.name
    source.write_text(text)
    assert subprocess.run(again, env=environment()).returncode == 0


def test_an_expected_tensor_that_differs_is_named(cimforge, network):
    np.savez("y.npz", a=np.zeros((4, 6, 5, 4), np.uint8))
    asked = ("--check", "y.npz", "--backend", "golden", "--json")
    done = cimforge("run", "small.onnx", "--input", "x.npy", "--config", "tiny", *asked)
    assert done.status == 1
    assert (done.json["checked"], done.json["difference"]["tensor"]) == (False, "a")
    assert "tensor 'a'" in done.messages[-1]


def test_nothing_of_another_run_stays_beside_the_results(cimforge, network):
    asked = ("run", "small.onnx", "--input", "x.npy", "--backend", "golden", "-o", "out")
    assert cimforge(*asked).status == 0
    np.save("y.npy", Y + 1)
    assert cimforge(*asked, "--check", "y.npy").status == 1
    left = {path.name for path in (network / "out").iterdir() if path.is_file()}
    assert left == {"manifest.json", "report.json"}
    assert json.loads((network / "out/report.json").read_text())["checked"] is False


def test_a_network_of_floats_is_refused(cimforge, folder):
    write_floats(folder / "floats.onnx")
    done = cimforge("run", "floats.onnx", "--backend", "golden")
    assert done.status == 2
    assert done.messages == [
        "cimforge: floats.onnx: has no product of integers, so nothing of it goes to a macro; "
        "quantise it first"
    ]


def test_floats_may_differ_by_what_is_allowed(cimforge, network):
    write_network(network / "small.onnx", floats=True)
    real = ((Y.astype(np.float32) - np.float32(120)) * np.float32(0.7)).astype(np.float32)
    np.save("y.npy", real)
    asked = (*RUN, "--backend", "golden")
    assert cimforge(*asked).status == 0
    np.save("y.npy", real + np.float32(0.25))
    assert cimforge(*asked).status == 1
    assert cimforge(*asked, "--tolerance", "0.3").status == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--layers", "7"), "--layers: 7 is beyond 0..1"),
        (("--layers", "nobody"), "'nobody' is no layer with products; they are 0 conv, 1 classes"),
        (("--layers", ","), "--layers: names no layer"),
        (("--macros", "0"), "--macros"),
        (("--images", "3"), "--images: is the number of random items"),
        (("--input", "absent.npy"), "absent.npy: No such file"),
        (("--cocotb",), "--cocotb: is of --backend rtl alone"),
        (("--sources", "."), "--sources: is of --backend rtl"),
        (("--rule", "litert"), "small.onnx: is computed by onnx, not litert"),
        (("--engine",), "--engine: runs digits alone"),
        (("--set", "multiply='xnor'", "--set", "weight_bits=1", "--set", "input_bits=1"), "plain"),
    ],
)
def test_what_cannot_be_run_is_one_line(cimforge, network, options, told):
    done = cimforge(*RUN, "--backend", "golden", *options)
    assert done.status == 2
    assert done.out == ""
    assert len(done.messages) == 1
    assert told in done.messages[0]


def test_a_file_that_is_no_network_is_one_line(cimforge, folder):
    for name, text in (("a.onnx", b"\x08"), ("b.tflite", b"TFL3"), ("c.onnx", b"")):
        (folder / name).write_bytes(text)
        done = cimforge("run", name)
        assert (done.status, done.out, len(done.messages)) == (2, "", 1), name
        assert name in done.messages[0]
    assert cimforge("run", "absent.onnx").status == 2
    assert cimforge("run", "x.txt").status == 2
    done = cimforge("run", "digits", "--macros", "2")
    assert done.messages == [
        "cimforge: --macros: is of a network from a file, and digits brings its own"
    ]


def test_random_items_need_no_file_and_are_the_same_again(cimforge, network):
    asked = ("run", "small.onnx", "--backend", "golden", "--images", "3", "--seed", "4")
    first = cimforge(*asked, "-o", "a", "--json")
    assert first.status == 0, first.err
    again = cimforge(*asked, "-o", "b")
    assert again.status == 0
    assert "half the cycles" in again.out
    assert first.json["remarks"] == ["3 random items, seed 4"]
    assert (network / "a/y.npy").read_bytes() == (network / "b/y.npy").read_bytes()
    assert (network / "a/layers.svg").read_bytes() == (network / "b/layers.svg").read_bytes()
