"""cimforge size on the command line."""

import shutil
from pathlib import Path

import pytest

from cimforge.compiler.size.candidates import kept_figures
from cimforge.scripts.tests.test_bad_input import check_refused

SG13G2 = Path(__file__).parents[2] / "flow" / "tests" / "data" / "sg13g2_typ.lib.gz"
DEMAND = ("--memory", "2MB", "--rate", "100GOPS")
OWN = ("--config", "tiny", "--set", "storage=latch", "--bits", "4x4")

needs_timing = pytest.mark.skipif(
    shutil.which("sta") is None, reason="no sta on PATH; install OpenSTA (Debian: opensta)"
)


def test_five_tiers(cimforge):
    done = cimforge("size")
    assert (done.status, done.err) == (0, "")
    for told in ("wearable", "smart camera", "mobile", "AR/VR", "driving", "512 MB, 256 TOPS"):
        assert told in done.out
    assert "macro 1: cimforge generate base --set" in done.out

    demands = cimforge("size", "--json").json["demands"]
    assert [each["gops"] for each in demands] == [100, 16_000, 32_000, 64_000, 256_000]
    for each in demands:
        best, others = each["chosen"], each["others"]
        assert best["memory_bytes"] >= each["memory_bytes"]
        assert best["gops"] >= each["gops"]
        assert all(best["area_mm2"] <= other["area_mm2"] for other in others)
        assert len(others) == len(kept_figures()) - 1


def test_one_demand_lists_every_candidate(cimforge):
    done = cimforge("size", *DEMAND)
    assert done.status == 0
    assert "2 MB at 100 GOPS" in done.out
    assert done.out.count("→") == 1
    (only,) = cimforge("size", *DEMAND, "--json").json["demands"]
    assert only["chosen"]["macros"] == -(-(2 << 20) // only["chosen"]["macro_bytes"])


def test_a_macro_with_figures_of_its_own(cimforge):
    """16 bytes of weights and 16 GOPS at 2 ns: 1 kB are 64 of 100 um2."""
    own = (*OWN, "--memory", "1kB", "--rate", "1GOPS", "--area", 100, "--period", 1)
    (told,) = cimforge("size", *own, "--json").json["demands"]
    best = told["chosen"]
    assert (best["macros"], best["macro_gops"], best["limit"]) == (64, 16, "memory")
    assert (best["area_mm2"], best["clock_mhz"], told["others"]) == (0.0064, 1000, [])


@needs_timing
def test_a_macro_is_measured_once(cimforge, folder):
    own = ("size", *OWN, "--memory", "1kB", "--rate", "1GOPS", "--liberty", SG13G2)
    first = cimforge(*own, "--json", "--keep", "kept.json")
    assert "1 of 1: synthesising cim_r8c4_w4x4_k1_b1_latch_csa" in first.err
    assert first.json["demands"][0]["chosen"]["library"] == "sg13g2_stdcell_typ_1p20V_25C"
    again = cimforge(*own, "--json")
    assert "synthesising" not in again.err
    assert again.json == first.json
    assert "area_um2" in (folder / "kept.json").read_text()


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("--memory 2MB", "--memory: needs --rate beside it"),
        ("--rate 1TOPS", "--rate: needs --memory beside it"),
        ("--memory 2 --rate 1TOPS", "must be a number above 0 and one of B, kB, MB, GB"),
        ("--memory 2MB --rate fast", "for example 100GOPS, not 'fast'"),
        ("--bits 8", "must be weight bits x input bits, each 1..16, for example 8x8, not '8'"),
        ("--bits 4x4", "--bits: no figures of cim_r64c16_w4x4_k1_b1_latch_csa come with the"),
        ("--bits 8x16", "measure it with --liberty FILE"),
        ("--set rows=3", "--set: needs --config beside it"),
        ("--area 3 --period 2", "--area: needs --config beside it"),
        ("--config tiny --area 3", "--area: needs --period beside it"),
        ("--config tiny --area 0 --period 3", "must be above 0, not 0"),
        ("--config tiny --area 3 --period 2 --liberty x.lib", "--area: not with --liberty"),
        ("--config tiny", "--config: no figures of cim_r8c4_w4x4_k1_b1_flop_csa come with"),
        ("--config tiny --area 3 --period 2", "holds 4b x 4b at most, not 8b x 8b"),
        ("--config base --set storage=sram", "RAMs of storage sram are not measured; give the"),
        ("--config fpga_bram", "bram"),
        ("--liberty nix.lib", "nix.lib"),
        ("--config nix", "nix"),
    ],
)
def test_what_is_refused(cimforge, words, rule):
    check_refused(cimforge("size", *words.split()), rule)
