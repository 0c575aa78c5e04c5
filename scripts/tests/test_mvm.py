"""cimforge mvm: the user's integers come back multiplied, whatever their shape and dtype."""

import subprocess

import numpy as np
import pytest

from cimforge.scripts.tests.conftest import COMMAND, SIMULATOR, environment

JSON_KEYS = ["bit_exact", "shape", "macs", "cycles", "seconds", "utilisation", "clock_mhz", "gops"]
JSON_KEYS += ["fused"]
PRODUCT = ("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "-o", "y.npy")
RUN = (*PRODUCT, "--simulator", SIMULATOR)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One folder for every product here, so that the simulation is built once."""
    return tmp_path_factory.mktemp("products")


@pytest.fixture
def multiply(cimforge, shared, monkeypatch):
    """Runs x @ w through the command; returns its outcome and the y it wrote, if any."""
    monkeypatch.chdir(shared)
    (shared / "y.npy").unlink(missing_ok=True)

    def run(x, w, *options):
        np.save("x.npy", x)
        np.save("w.npy", w)
        done = cimforge(*RUN, *options)
        y = np.load("y.npy") if (shared / "y.npy").exists() else None
        return done, y

    return run


def integers(seed, low, high, shape, dtype=np.int64):
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def test_a_product_larger_than_the_macro_is_cut_into_tiles(multiply):
    x, w = integers(1, 0, 16, (5, 20)), integers(2, -8, 8, (20, 10))
    done, y = multiply(x, w, "--json")
    assert done.status == 0, done.err
    assert list(done.json) == JSON_KEYS
    assert (done.json["bit_exact"], done.json["shape"]) == (True, [5, 10])
    assert done.json["macs"] == 5 * 20 * 10
    assert done.json["cycles"] > 3 * 3 * 5 * 4  # tiles, vectors, cycles a pass
    assert done.messages == []
    assert y.dtype == np.int64
    assert np.array_equal(y, x @ w)


def test_one_vector_gives_one_vector_and_a_table(multiply):
    x, w = integers(3, -8, 8, (9,), np.int8), integers(4, 0, 4, (9, 4), np.uint64)
    done, y = multiply(x, w)
    assert done.status == 0, done.err
    assert np.array_equal(y, x.astype(int) @ w.astype(int))
    assert "inputs signed 4 bits, weights unsigned" in done.out
    assert "yes, every value" in done.out
    assert done.out.endswith("written to: y.npy\n")


def test_bools_count_and_a_precision_given_is_used(multiply):
    x, w = integers(5, 0, 2, (3, 8), bool), np.asfortranarray(integers(8, 0, 2, (8, 4), ">i4"))
    done, y = multiply(x, w, "--x-precision", "s3", "--w-precision", "s2")
    assert done.status == 0, done.err
    assert np.array_equal(y, x.astype(int) @ w)
    assert "inputs signed 3 bits, weights signed" in done.out


def test_an_empty_batch_gives_an_empty_result(multiply):
    done, y = multiply(np.zeros((0, 8), int), np.ones((8, 3), int), "--json")
    assert done.status == 0, done.err
    assert done.json == {
        "bit_exact": True,
        "shape": [0, 3],
        "macs": 0,
        "cycles": 0,
        "seconds": 0.0,
        "utilisation": 0.0,
        "clock_mhz": 100.0,
        "gops": 0.0,
        "fused": 1,
    }
    assert y.shape == (0, 3)


def test_the_rate_is_the_macros_at_a_stated_clock(multiply):
    x, w = integers(6, 0, 16, (200, 8)), integers(7, -8, 8, (8, 4))
    done, _ = multiply(x, w, "--clock", "250", "--json")
    assert done.status == 0, done.err
    report = done.json
    macs_a_cycle = report["macs"] / report["cycles"]
    assert report["clock_mhz"] == 250
    assert report["gops"] == pytest.approx(2 * macs_a_cycle * 250e6 / 1e9, abs=1e-4)
    assert report["utilisation"] == pytest.approx(macs_a_cycle / (8 * 4 / 4), abs=1e-4)
    assert 0.9 < report["utilisation"] <= 1  # one tile, a long batch: a result every four cycles
    shown, _ = multiply(x, w)
    assert " GOPS at 100 MHz (--clock), 2 a MAC" in shown.out
    assert "MAC/s" not in shown.out


def test_narrow_weights_take_fewer_slices_and_passes(multiply):
    """2-bit weights: 8 outputs a pass instead of 4, unless told to fuse."""
    x, w = integers(8, 0, 16, (30, 8)), integers(9, -2, 2, (8, 8))
    cycles = []
    for fused, options in ((1, ()), (2, ("--fused", "2"))):
        done, y = multiply(x, w, "--set", "slice_bits=2", *options, "--json")
        assert done.status == 0, done.err
        assert np.array_equal(y, x @ w)
        assert (done.json["fused"], done.json["bit_exact"]) == (fused, True)
        cycles.append(done.json["cycles"])
    assert 1.9 < cycles[1] / cycles[0] < 2.1
    shown, _ = multiply(x, w, "--set", "slice_bits=2")
    assert "weights signed 2 bits, 1 of 2 slices fused" in shown.out
    for value, rule in (
        ("3", "fused must be one of 2, 1, not 3 (nearest legal value: 2)"),
        ("17", "17 is not in the range 1<=x<=16"),
    ):
        refused, _ = multiply(x, w, "--set", "slice_bits=2", "--fused", value)
        assert (refused.status, refused.out) == (2, "")
        assert rule in refused.err
    refused, _ = multiply(x, w + 2, "--set", "slice_bits=2", "--fused", "1", "--w-precision", "s4")
    assert "fused = 1 makes weights of 2 bits, and w needs 4" in refused.err


@pytest.mark.parametrize("place", ["results", "build"])
def test_the_macro_is_built_beside_the_result(cimforge, folder, place):
    (folder / place).mkdir()
    np.save("x.npy", np.zeros((0, 8), int))
    np.save("w.npy", np.ones((8, 3), int))
    done = cimforge(*PRODUCT[:-1], f"{place}/y.npy", "--name", "mine", "--simulator", SIMULATOR)
    assert done.status == 0, done.err
    macro = folder / ("build/mine" if place == "build" else "results/build/mine")
    assert (macro / "mine.v").exists()
    assert {path.name for path in folder.iterdir()} == {"x.npy", "w.npy", place}


def test_products_at_the_same_time_do_not_meet(shared, tmp_path):
    runs = []
    for seed in range(2):
        x, w = integers(seed, 0, 16, (40, 24)), integers(seed + 9, -8, 8, (24, 8))
        np.save(tmp_path / f"x{seed}.npy", x)
        np.save(tmp_path / f"w{seed}.npy", w)
        files = ("--weights", f"w{seed}.npy", "--inputs", f"x{seed}.npy", "-o", f"y{seed}.npy")
        command = [*COMMAND, "mvm", "tiny", *files, "--simulator", SIMULATOR]
        started = subprocess.Popen(
            command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        runs.append((started, x @ w))
    for seed, (started, expected) in enumerate(runs):
        _, messages = started.communicate(timeout=120)
        assert started.returncode == 0, messages
        assert np.array_equal(np.load(tmp_path / f"y{seed}.npy"), expected)


def test_a_conftest_in_the_users_folder_takes_no_part(in_folder, tmp_path):
    """cocotb lets pytest look for a conftest.py around the working folder; the user's may not even
    import here."""
    (tmp_path / "conftest.py").write_text("import a_module_of_the_user\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    np.save(tmp_path / "x.npy", integers(1, 0, 16, (2, 8)))
    np.save(tmp_path / "w.npy", integers(2, -8, 8, (8, 4)))
    done = in_folder(tmp_path, *RUN)
    assert (done.status, done.messages) == (0, [])
