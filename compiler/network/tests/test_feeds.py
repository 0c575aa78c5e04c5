"""A user's arrays become items of the model's own shape, or one line says why not."""

import numpy as np
import pytest

from cimforge.compiler.network.arrays import load_arrays
from cimforge.compiler.network.feeds import drawn_feeds, fitted_feeds
from cimforge.compiler.network.tests.small_network import small_network

GRAPH = small_network()
SIZE = 6 * 5 * 4


@pytest.mark.parametrize(
    ("shape", "items"),
    [
        ((1, 6, 5, 4), 1),
        ((6, 5, 4), 1),
        ((SIZE,), 1),
        ((3, SIZE), 3),
        ((3, 6, 5, 4), 3),
        ((3, 1, 6, 5, 4), 3),
        ((6, SIZE), 6),
        ((1, SIZE), 1),
    ],
)
def test_a_batch_of_the_models_size_is_reshaped(shape, items):
    values = np.random.default_rng(1).integers(-128, 128, shape, np.int8)
    feeds = fitted_feeds(GRAPH, {"whatever": values}, "--input x.npy")
    assert feeds.items == items
    assert feeds.arrays["x"].shape == (items, 6, 5, 4)
    assert (feeds.arrays["x"].ravel() == values.ravel()).all()
    last = feeds.some(GRAPH, items - 1, items)["x"]
    assert (last.ravel() == values.ravel()[-SIZE:]).all()


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros((2, 4, 6, 5), np.int8), "has axes in another order: .*transpose"),
        (np.zeros((2, 7), np.int8), r"must hold items of shape \(1, 6, 5, 4\), not .* \(2, 7\)"),
        (np.zeros((0, SIZE), np.int8), "must hold items of shape"),
        (np.zeros((), np.int8), "must hold items of shape"),
        (np.full((1, SIZE), 128), r"must lie in -128\.\.127 \(int8\), not 128 at \[0, 0, 0, 0\]"),
        (np.full((1, SIZE), np.nan), "must be finite"),
        (np.full((1, SIZE), "a"), "must hold numbers, not <U1"),
        (np.full((1, SIZE), 1j), "must hold numbers, not complex128"),
    ],
)
def test_what_does_not_fit_is_one_line(array, told):
    with pytest.raises(ValueError, match=rf"^--input x\.npy: .*{told}") as caught:
        fitted_feeds(GRAPH, {"x": array}, "--input x.npy")
    assert "\n" not in str(caught.value)


def test_floats_are_quantised_and_said():
    feeds = fitted_feeds(GRAPH, {"x": np.full(SIZE, 0.25)}, "x")
    assert (feeds.arrays["x"] == -1).all()  # 2.5 scales round half to even, zero point -3
    assert feeds.remarks == ("input 'x': floats quantised by scale 0.1, zero point -3",)


def test_names_are_checked_where_there_are_several():
    with pytest.raises(ValueError, match="holds 'z'; the network's inputs are x"):
        fitted_feeds(GRAPH, {"x": np.zeros(SIZE), "z": np.zeros(1)}, "x.npz")


def test_random_items_have_a_seed_and_the_whole_range():
    feeds = drawn_feeds(GRAPH, 40, 3)
    assert feeds.arrays["x"].shape == (40, 6, 5, 4)
    assert (feeds.arrays["x"].min(), feeds.arrays["x"].max()) == (-128, 127)
    assert (feeds.arrays["x"] == drawn_feeds(GRAPH, 40, 3).arrays["x"]).all()
    assert feeds.remarks == ("40 random items, seed 3",)


def test_archives_are_read_by_name_and_refused_in_a_line(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.arange(3), b=np.zeros((2, 2)))
    assert {name: array.shape for name, array in load_arrays(path).items()} == {
        "a": (3,),
        "b": (2, 2),
    }
    np.savez(path, a=np.array([None]))
    for text in (b"", b"PK\x03\x04 no archive", path.read_bytes(), path.read_bytes()[:60]):
        path.write_bytes(text)
        with pytest.raises(ValueError, match=r"x\.npz: ") as caught:
            load_arrays(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"absent\.npz: No such file"):
        load_arrays(tmp_path / "absent.npz")
