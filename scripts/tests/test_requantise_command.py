"""cimforge requantise: a layer's scaling is an engine's, or the sums that say why not."""

import pytest

pytest.importorskip("onnx", reason="networks from .onnx files need onnx (make models)")

from cimforge.scripts.tests.small_onnx import write_network


def test_each_layer_says_who_scales_it(cimforge, folder):
    write_network(folder / "small.onnx")
    done = cimforge("requantise", "small.onnx", "--json")
    assert done.status == 0, done.err
    conv, classes = done.json["layers"]
    assert (conv["name"], conv["channels"]) == ("conv", 6)
    assert conv["equal"] == (conv["proven"] == 6) == ("worst" not in conv)
    assert (classes["equal"], classes["rounding"], classes["proven"]) == (True, "half_even", 7)
    assert "half_even" in cimforge("requantise", "small.onnx").out


def test_no_network_is_one_line(cimforge, folder):
    done = cimforge("requantise", "absent.onnx")
    assert (done.status, done.out, len(done.messages)) == (2, "", 1)
