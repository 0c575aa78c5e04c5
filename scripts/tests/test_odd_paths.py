"""Folders that make, Verilator or a shell could not take: the commands work there all the same."""

import numpy as np
import pytest

from cimforge.hdl.tests.tools import needs_icarus
from cimforge.scripts.tests.conftest import verify_folder

ODD = "on 2024-05-01 12:30;x#é$(y)\"'%="


@pytest.fixture
def odd(folder, monkeypatch):
    """Works in a folder with an odd name."""
    (folder / "my work").mkdir()
    monkeypatch.chdir(folder / "my work")
    return folder / "my work"


@pytest.mark.parametrize("simulator", [pytest.param("icarus", marks=needs_icarus), "verilator"])
def test_products_and_regression(cimforge, odd, simulator):
    np.save("x.npy", np.ones((3, 8), int))
    np.save("w.npy", np.ones((8, 4), int))
    (odd / ODD).mkdir()
    files = ("--weights", "w.npy", "--inputs", "x.npy", "-o", f"{ODD}/y.npy")
    done = cimforge("mvm", "tiny", *files, "--simulator", simulator)
    assert (done.status, done.messages) == (0, [])
    assert (np.load(f"{ODD}/y.npy") == 8).all()
    (macro,) = (odd / ODD / "build").iterdir()
    words = ("verify", "tiny", "-o", macro, "--simulator", simulator, "--test", "drawn_timing")
    done = cimforge(*words, "--json")
    assert (done.status, done.messages) == (0, [])
    assert "building" not in done.err
    assert (macro / verify_folder(simulator) / "results.xml").exists()


def test_netlists(cimforge, odd):
    done = cimforge("synth", "tiny", "--target", "ice40", "-o", ODD, "--json")
    assert (done.status, done.messages) == (0, [])
