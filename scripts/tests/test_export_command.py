"""cimforge export on the command line."""

import shutil
from pathlib import Path

import pytest

from cimforge.scripts.tests.test_bad_input import check_refused

SG13G2 = Path(__file__).parents[2] / "flow" / "tests" / "data" / "sg13g2_typ.lib.gz"
TINY = ("tiny", "--set", "storage=latch")
NAME = "cim_r8c4_w4x4_k1_b1_latch_csa"
needs_tools = pytest.mark.skipif(
    not (shutil.which("iverilog") and shutil.which("sta")),
    reason="no iverilog or no sta on PATH; install Icarus Verilog and OpenSTA",
)


@pytest.mark.parametrize(
    ("tool", "files"),
    [
        ("zigzag", ["_zigzag.yaml", "_zigzag_mapping.yaml", "_zigzag_imc.yaml"]),
        ("accelforge", ["_accelforge.yaml"]),
        ("cim-tuner", ["_cim_tuner.cfg"]),
    ],
)
def test_files_of_each_tool(cimforge, folder, tool, files):
    done = cimforge("export", tool, *TINY, "--json")
    assert (done.status, done.err) == (0, "")
    told = done.json
    place = f"build/{NAME}-{tool}"
    assert told["files"] == [f"{place}/{NAME}{file}" for file in files]
    assert told["absent"] == ["area", "period", "energy"]
    for file in told["files"]:
        text = (folder / file).read_text()
        if "mapping" not in file:
            assert f"made by cimforge export {tool} tiny --set storage=latch" in text
            assert "# energy was not measured" in text
    table = cimforge("export", tool, *TINY)
    assert table.out.count("absent") == 3
    assert f"file: {place}" in table.out


@needs_tools
def test_measured_numbers(cimforge, folder):
    options = ("--liberty", SG13G2, "--macro-energy", "measured", "-o", "out", "--json")
    told = cimforge("export", "cim-tuner", *TINY, *options).json
    assert told["absent"] == []
    assert 15_000 < told["area_um2"] < 25_000
    text = (folder / "out" / f"{NAME}_cim_tuner.cfg").read_text()
    assert f"macro_area = {told['area_um2']:.2f}" in text
    assert f"frequency = {int(1000 / told['period_ns'])}\n" in text
    joule = told["fj_per_1b_mac"] * 16 / 1000
    assert f"energy_efficiency = {2 / joule:.4g}\n" in text


def test_what_zigzag_imc_does_not_take_is_said(cimforge):
    told = cimforge("export", "zigzag", *TINY, "--set", "rows=9", "--json").json
    assert len(told["files"]) == 2
    assert "rows must be a power of 2 for ZigZag-IMC (nearest legal value: 8)" in told["notes"][0]


def test_a_file_of_the_user_s_is_kept(cimforge, folder):
    (folder / "out").mkdir()
    (folder / "out" / f"{NAME}_accelforge.yaml").write_text("mine")
    check_refused(cimforge("export", "accelforge", *TINY, "-o", "out"), "so it is kept")


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("nix tiny", "'nix' is not one of 'zigzag', 'accelforge', 'cim-tuner'"),
        ("zigzag nix", "nix"),
        ("zigzag tiny --macro-energy measured", "measured: needs --liberty beside it"),
        ("zigzag tiny --macro-energy much", "must be fJ a 1b-MAC, at least 0, or measured"),
        ("zigzag tiny --constant dram_bits=0", "dram_bits must be a number of at least 1, not 0"),
        (
            "cim-tuner base --set multiply=xnor --set weight_bits=1 --set input_bits=1",
            "inputs and weights of -1 and 1 have no place in these models",
        ),
        ("zigzag base --set storage=sram --liberty x.lib", "RAMs of storage sram are not measure"),
        ("zigzag fpga_bram --liberty x.lib", "bram"),
        ("zigzag tiny --liberty nix.lib", "nix.lib"),
    ],
)
def test_what_is_refused(cimforge, words, rule):
    check_refused(cimforge("export", *words.split()), rule)
