"""ONNX's own cases of each operator: what is read passes, what is not is refused in one line."""

import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest

from cimforge.compiler.graph.graph import GraphError
from cimforge.compiler.importers.onnx_import import import_onnx
from cimforge.compiler.importers.onnx_operators import READERS
from cimforge.compiler.importers.tests.onnx_writer import onnx, saved
from cimforge.compiler.map.macro_products import MacroProducts
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.reference.execution import execute
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

CONFIG = MacroConfig(rows=16, cols=4, weight_bits=8, input_bits=8, banks=2)
# operators of integer products and of their scales: passed, refused
SCALED = {
    "ConvInteger": (2, 0),
    "DequantizeLinear": (8, 6),
    "DynamicQuantizeLinear": (3, 0),
    "MatMulInteger": (1, 0),
    "QLinearConv": (1, 0),
    "QLinearMatMul": (8, 0),
    "QuantizeLinear": (8, 5),
}


@pytest.fixture(scope="module")
def cases() -> list[Any]:
    """All of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own casts overflow
        from onnx.backend.test.case.node import collect_testcases

        return collect_testcases(None)


def kinds(case: Any) -> set[tuple[str, str]]:
    return {(node.domain, node.op_type) for node in case.model.graph.node}


def outcome(case: Any, folder: Any, products: MacroProducts | None = None) -> str:
    """``passed`` or why it is refused, with products by golden, or as given. All inputs but the
    first become constants, as scales and shapes are in networks."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    given, wanted = case.data_sets[0]
    names = [each.name for each in model.graph.input]
    for name, value in list(zip(names, given, strict=False))[1:]:
        held = value if isinstance(value, onnx.TensorProto) else constant(value)
        held.name = name
        model.graph.initializer.append(held)
    try:
        graph = import_onnx(saved(model, folder))
        feeds = {name: array(given[names.index(name)]) for name in graph.inputs}
        with np.errstate(all="ignore"):
            told = execute(graph, feeds, products or MacroProducts(CONFIG))
    except GraphError as error:
        return str(error)
    for name, value in zip(graph.outputs, wanted, strict=True):
        check(told[name], array(value), case)
    return "passed"


def array(value: Any) -> np.ndarray:
    """Of fewer than 8 bits an element they are protobufs."""
    if not isinstance(value, onnx.TensorProto):
        return np.asarray(value)
    found = onnx.numpy_helper.to_array(value)
    return found if found.dtype.kind in "iufb" else found.astype(np.int64)


def constant(value: Any) -> Any:
    if not isinstance(value, np.ndarray | np.generic):
        return onnx.helper.make_tensor("", onnx.TensorProto.STRING, [1], [b"no tensor"])
    return onnx.numpy_helper.from_array(np.asarray(value))


def check(found: np.ndarray, wanted: np.ndarray, case: Any) -> None:
    assert found.shape == wanted.shape, case.name
    if wanted.dtype.kind in "iub":
        assert (found.astype(np.int64) == wanted.astype(np.int64)).all(), case.name
        return
    assert np.allclose(
        *(found.astype(np.float64), wanted.astype(np.float64)),
        rtol=max(case.rtol, 1e-5),
        atol=max(case.atol, 1e-6),
        equal_nan=True,
    ), case.name


@pytest.mark.parametrize("kind", SCALED)
def test_integer_products_and_scales_by_onnxs_own_cases(kind, cases, tmp_path):
    """Refused are floats of 8 and 4 bits, of bfloat16, and scales of blocks."""
    told = Counter()
    for case in cases:
        if kinds(case) == {("", kind)}:
            why = outcome(case, tmp_path)
            told[why == "passed"] += 1
            reasons = ("float8", "float4", "bfloat16", "uint64", "blocks", "precision")
            assert why == "passed" or any(each in why for each in reasons), (case.name, why)
            assert "\n" not in why
    assert (told[True], told[False]) == SCALED[kind]


def test_integer_products_on_emitted_verilog(cases, tmp_path):
    """Each operator of products with each kind that it takes, on a macro of 4 bits: in digits."""
    macro = MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4, banks=2)
    emit_macro(macro, tmp_path / "macro")
    products = MacroProducts(macro, PlayerBackend(tmp_path / "macro"))
    passed = 0
    for kind in ("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"):
        for case in (case for case in cases if kinds(case) == {("", kind)}):
            assert outcome(case, tmp_path, products) == "passed", case.name
            passed += 1
    assert passed == 12
    assert products.runner.bit_exact
    assert products.runner.compared > 100


def test_host_operators_by_onnxs_own_cases(cases, tmp_path):
    scaled = {("", kind) for kind in SCALED}
    rest = [case for case in cases if kinds(case) <= {*READERS} and not kinds(case) & scaled]
    told = Counter(outcome(case, tmp_path) == "passed" for case in rest)
    print(f"{told[True]} of ONNX's node cases pass, {told[False]} are refused in a line")
    assert told[True] >= 840


def test_operators_that_are_not_computed_are_refused_by_name(cases, tmp_path):
    count = 0
    for case in cases:
        if not kinds(case) <= {*READERS}:
            with pytest.raises(GraphError) as told:
                import_onnx(saved(case.model, tmp_path))
            assert "computed here" in str(told.value) or "must " in str(told.value), case.name
            count += 1
    print(f"{count} of ONNX's node cases have operators that are not read")
