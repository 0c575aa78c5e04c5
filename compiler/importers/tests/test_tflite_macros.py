"""Networks from files with their products on a macro: every tensor is what NumPy gives."""

import pytest

pytest.importorskip("tflite", reason="package tflite is not installed: no file to write")

from cimforge.compiler.importers.tests.tflite_cases import CASES, drawn
from cimforge.compiler.importers.tflite_import import import_tflite
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.reference.execution import execute
from cimforge.hdl.params.config import MacroConfig

BYTES = MacroConfig(rows=32, cols=4, weight_bits=8, input_bits=8, banks=2)
WIDE = MacroConfig(rows=32, cols=4, weight_bits=8, input_bits=16, banks=2)
ON_BYTES = (
    *("convolution", "convolution_groups", "convolution_int4", "convolution_uint8", "depthwise"),
    *("connected", "connected_int4_odd", "connected_uint8", "transposed_same", "matrices"),
    *("attention", "lstm", "lstm_batch", "residual", "unrolled_gru"),
)
ON_WIDE = ("convolution_int16", "connected_int16", "transposed_int16")


@pytest.mark.parametrize(
    ("name", "config"), [(n, BYTES) for n in ON_BYTES] + [(n, WIDE) for n in ON_WIDE]
)
def test_a_macro_gives_the_same_numbers(name, config, tmp_path):
    assert name in CASES
    model = drawn(name, 0)
    (tmp_path / "m.tflite").write_bytes(model.octets())
    graph, feeds = import_tflite(tmp_path / "m.tflite", "litert"), model.feeds(0)
    macro = MacroProducts(config)
    found, wanted = execute(graph, feeds, macro), execute(graph, feeds)
    for tensor, array in wanted.items():
        assert (found[tensor] == array).all(), tensor
    assert sum(use.passes for use in macro.uses.values()) > 0
