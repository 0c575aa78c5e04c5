"""cimforge energy on the command line."""

import shutil
from pathlib import Path

import pytest

from cimforge.scripts.tests.small_onnx import write_network
from cimforge.scripts.tests.test_bad_input import check_refused

pytest.importorskip("onnx", reason="needs onnx")
SG13G2 = Path(__file__).parents[2] / "flow" / "tests" / "data" / "sg13g2_typ.lib.gz"
BINARY = "--set multiply=xnor --set weight_bits=1 --set input_bits=1"
GIVEN = ("--macro-energy", 50, "--set", "storage=latch")


@pytest.fixture
def model(folder) -> Path:
    """A convolution and a product."""
    path = folder / "small.onnx"
    write_network(path)
    return path


def test_json_and_table(cimforge, model, folder):
    done = cimforge("energy", model, *GIVEN, "--json")
    assert (done.status, done.err) == (0, "")
    told = done.json
    assert [each["operator"] for each in told["layers"]] == ["Convolution", "FullyConnected"]
    assert told["macs"] == 5 * 4 * 18 * 6 + 120 * 7
    for design in ("macros", "von_neumann"):
        total = sum(each[design]["uj"]["total"] for each in told["layers"])
        assert told[design]["uj"]["total"] == pytest.approx(total, abs=1e-5)
        assert 0 < told[design]["moving_share"] < 1
    # A convolution's 20 passes of 64 x 16 x 8 x 8 1b-MACs of 50 fJ.
    assert told["layers"][0]["macros"]["uj"]["compute"] == pytest.approx(20 * 65536 * 5e-8)
    assert told["constants"]["dram_pj"] == 10_000

    shown = cimforge("energy", model, *GIVEN, "-o", "picture.svg")
    for text in ("0 Convolution 18 x 6", "1 FullyConnected 120 x 7", "v.N. SRAM", "times less"):
        assert text in shown.out
    assert "surveys of compute-in-memory" in shown.out
    assert (folder / "picture.svg").read_text().startswith("<?xml")


def test_constants_are_the_user_s(cimforge, model, folder):
    (folder / "mine.toml").write_text("dram_pj = 0\n")
    options = ("--energy", "mine.toml", "--constant", "sram_pj=0", "--constant", "compute_pj=2")
    told = cimforge("energy", model, *GIVEN, *options, "--json").json
    assert told["macros"]["moving_share"] == told["von_neumann"]["moving_share"] == 0
    assert told["von_neumann"]["uj"]["total"] == pytest.approx(told["macs"] * 2e-6)


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no iverilog on PATH; install Icarus Verilog"
)
def test_energy_of_the_macro_is_measured(cimforge, model):
    tiny = ("--config", "tiny", "--set", "storage=latch", "--liberty", SG13G2)
    told = cimforge("energy", model, *tiny, "--macro-energy", "measured", "--json").json
    assert 50 < told["fj_per_1b_mac"] < 200


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("small.onnx", "--macro-energy: must be given, fJ a 1b-MAC (for example 53.03"),
        ("small.onnx --macro-energy x", "must be fJ a 1b-MAC, at least 0, or measured, not 'x'"),
        ("small.onnx --macro-energy -1", "at least 0"),
        ("small.onnx --macro-energy 1 --liberty x", "--liberty: only with --macro-energy measured"),
        ("small.onnx --macro-energy 1 --constant dram=1", "did you mean 'dram_pj'?"),
        ("small.onnx --macro-energy 1 --energy nix", "neither a file nor one of survey, horowitz"),
        ("small.onnx --macro-energy 1 -o x.png", "name a file that ends in .svg"),
        ("nix.onnx --macro-energy 1", "nix.onnx"),
        ("small.txt --macro-energy 1", "must be a network in a .tflite or .onnx file"),
        ("small.onnx --macro-energy 1 --resident", "3 tiles of weights must fit the 1 banks"),
        (f"small.onnx --macro-energy 1 {BINARY}", "a network needs integers"),
    ],
)
def test_what_is_refused(cimforge, model, words, rule):
    check_refused(cimforge("energy", *words.split()), rule)
