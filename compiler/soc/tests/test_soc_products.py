"""A network's products on the engine of a simulated system: its numbers stay what they are."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.graph.graph import Graph, GraphError, Node
from cimforge.compiler.graph.operator import Convolution, FullyConnected, MatrixProduct, Reshape
from cimforge.compiler.graph.tensor import Quantisation, Tensor
from cimforge.compiler.reference.execution import execute
from cimforge.compiler.soc import soc_products
from cimforge.compiler.soc.queue_memory import QueueMemory, QueueOutcome
from cimforge.compiler.soc.soc_products import LEAST_RAM, SocProducts
from cimforge.compiler.soc.tests.test_queue_memory import by_golden
from cimforge.fpga.cpu.simulated_system import default_system, simulated_system
from cimforge.fpga.cpu.toolchain import GCC, has_compiler
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig

MACRO = MacroConfig(rows=18, cols=4, tree="behavioral", banks=2)
ENGINE = EngineConfig(macro=MACRO, act_bytes=256, acc_vectors=8, channels=8)
needs_system = pytest.mark.skipif(
    not has_compiler() or find_spec("pythondata_cpu_picorv32") is None,
    reason=f"no PicoRV32, or no RISC-V C compiler (ziglang or {GCC})",
)


def constant(name: str, data: np.ndarray, kind: str, scale: float) -> Tensor:
    return Tensor(name, data.shape, kind, Quantisation((scale,), (0,)), data)


def network() -> Graph:
    """x (1, 5, 4, 4) → depthwise 3 x 3 → 1 x 1 → 9 classes; a product of 16 bits by 8."""
    draw = np.random.default_rng(4)
    tensors = [
        Tensor("x", (1, 5, 4, 4), "int8", Quantisation((0.1,), (-3,))),
        constant("w0", draw.integers(-128, 128, (4, 3, 3, 1)), "int8", 0.02),
        Tensor("a", (1, 5, 4, 4), "uint8", Quantisation((0.4,), (99,))),
        constant("w1", draw.integers(-128, 128, (5, 1, 1, 4)), "int8", 0.01),
        Tensor("b", (1, 5, 4, 5), "int8", Quantisation((0.4,), (-20,))),
        Tensor("c", (1, 100), "int8", Quantisation((0.4,), (-20,))),
        constant("w2", draw.integers(-128, 128, (9, 100)), "int8", 0.05),
        Tensor("y", (1, 9), "int8", Quantisation((4.0,), (0,))),
        Tensor("d", (1, 3, 4), "int16", Quantisation((0.001,), (0,))),
        Tensor("e", (1, 4, 6), "int16", Quantisation((0.01,), (0,))),
        Tensor("f", (1, 3, 6), "int16", Quantisation((0.1,), (0,))),
    ]
    nodes = (
        Node("deep", Convolution(padding=((1, 1), (1, 1)), groups=4), ("x", "w0"), ("a",)),
        Node("point", Convolution(activation="relu6"), ("a", "w1"), ("b",)),
        Node("flat", Reshape(), ("b",), ("c",)),
        Node("full", FullyConnected(), ("c", "w2"), ("y",)),
        Node("wide", MatrixProduct(), ("d", "e"), ("f",)),
    )
    told = {tensor.name: tensor for tensor in tensors}
    return Graph("network", "tflite", told, nodes, ("x", "d", "e"), ("y", "f"))


def feeds(items: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(3)
    return {
        "x": draw.integers(-128, 128, (items, 5, 4, 4)),
        "d": draw.integers(-32768, 32768, (items, 3, 4)),
        "e": draw.integers(-32768, 32768, (items, 4, 6)),
    }


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A system with the engine."""
    system = replace(default_system(ENGINE), ram_bytes=LEAST_RAM)
    return simulated_system(system, tmp_path_factory.mktemp("products"))


@needs_system
def test_the_engine_gives_numpys_numbers_in_every_tensor(target):
    graph, given, begun, told = network(), feeds(3), [], []
    products = SocProducts(
        *(target, target.design.folder, lambda _: None),
        *(lambda *counts: told.append(counts), None, begun.append),
    )
    found, wanted = execute(graph, given, products), execute(graph, given)
    for name, array in wanted.items():
        assert (found[name] == array).all(), name
    assert len(np.unique(wanted["y"])) > 8
    assert products.bit_exact
    assert begun == ["deep", "point", "full", "wide"]
    assert all(0 <= done <= total for done, total in told)
    deep, point, full, wide = products.uses.values()
    # two channels of 9 inputs side by side in 18 rows: 2 tiles of 60 positions
    assert (deep.tiles, deep.passes, deep.macs) == (2, 120, 60 * 4 * 9)
    assert (point.tiles, point.passes, point.macs) == (2, 120, 60 * 4 * 5)
    assert (full.tiles, full.passes, full.pass_cycles) == (6 * 3, 54, 54 * 8)
    # of each item 2 x 2 digits in 2 tiles, 3 vectors
    assert (wide.tiles, wide.passes) == (3 * 2 * 2 * 2, 3 * 2 * 2 * 2 * 3)
    assert products.macs == sum(use.macs for use in products.uses.values())
    assert products.pass_cycles == sum(use.pass_cycles for use in products.uses.values())
    assert products.pass_cycles < products.busy < products.cycles
    facts = products.facts()
    assert facts["queues"] == 2 + 1 + 1 + 3 * 2 * 2
    assert products.busy == pytest.approx(facts["predicted_cycles"], rel=0.05)
    assert products.cycles < facts["simulated_cycles"]


def one_node() -> tuple[Graph, dict[str, np.ndarray]]:
    graph = network()
    nodes, tensors = graph.nodes[4:], {n: graph.tensors[n] for n in "def"}
    given = {name: array for name, array in feeds(1).items() if name != "x"}
    return Graph("network", "tflite", tensors, nodes, ("d", "e"), ("f",)), given


def refused(target, match: str) -> None:
    graph, given = one_node()
    products = SocProducts(target, target.design.folder, lambda _: None)
    with pytest.raises(SimulationError, match=match):
        execute(graph, given, products)


@needs_system
def test_what_the_system_refuses_is_told(target, monkeypatch):
    other = replace(target.config, engine=ENGINE.model_copy(update={"acc_vectors": 9}))
    monkeypatch.setattr(soc_products, "MARGIN", -(10**6))
    monkeypatch.setattr(soc_products, "QUEUE_MARGIN", 250_100)
    refused(target, r"no end within \d{4} cycles")
    monkeypatch.undo()

    class Other(type(target)):  # whose program is for another engine
        def build_program(self, *arguments):
            super().build_program.__func__(replace(target, config=other), *arguments)

    refused(Other(target.config, target.design), "engine is of another configuration")
    image = QueueMemory.image

    def astray(memory):
        """The second queue lies where no memory is."""
        data = bytearray(image(memory))
        data[64:68] = (0x50000000).to_bytes(4, "little")
        return bytes(data)

    monkeypatch.setattr(QueueMemory, "image", astray)
    refused(target, r"queue 1 of 4 stopped at command 0, cause \d")


def test_what_is_not_chosen_is_numpys():
    graph, given = one_node()
    products = SocProducts(None, None, chosen=())
    assert (execute(graph, given, products)["f"] == execute(graph, given)["f"]).all()
    assert products.uses == {}


class Described:
    """A system that is never run."""

    def __init__(self, engine: EngineConfig, ram_bytes: int):
        self.engine, self.ram, self.ram_bytes = engine, 1 << 28, ram_bytes


def test_what_no_engine_computes_is_refused():
    graph, given = one_node()
    macro = MacroConfig(rows=8, cols=4, weight_bits=1, input_bits=1, multiply="xnor")
    signs = EngineConfig(macro=macro)
    with pytest.raises(GraphError, match="MatrixProduct 'wide': a network needs integers"):
        execute(graph, given, SocProducts(Described(signs, 1 << 16), None))
    with pytest.raises(InputError, match="ram_bytes: must be at least 32768 for a network"):
        execute(graph, given, SocProducts(Described(ENGINE, 1 << 14), None))


def test_numbers_that_differ_are_noticed(monkeypatch):
    graph, given = one_node()
    wrong = 0

    def ran(_, memories: list[QueueMemory]) -> list[QueueOutcome]:
        told = [each for memory in memories for each in memory.outcomes(by_golden(memory))]
        told[-1].sums[-1, -1] += wrong
        return told

    monkeypatch.setattr(SocProducts, "_run", ran)
    for wrong in (0, 1):
        products = SocProducts(Described(ENGINE, 1 << 15), None)
        execute(graph, given, products)
        assert products.bit_exact == (not wrong)
