"""A layer as a program of a system: its numbers, golden's results, and the system's own."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.soc.layer_program import FIRST, LayerProgram, digest, noise
from cimforge.compiler.soc.layer_run import run_layer
from cimforge.fpga.cpu.simulated_system import default_system, simulated_system
from cimforge.fpga.cpu.toolchain import GCC, has_compiler
from cimforge.golden.engine import EngineModel
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_config import EngineConfig

RAM = 1 << 28
SMALL = {"act_bytes": 256, "acc_vectors": 8, "channels": 8}
ENGINE = EngineConfig(macro=MacroConfig(rows=8, cols=4, tree="behavioral", banks=2), **SMALL)
PROGRAM = LayerProgram(ENGINE, 16, 8, 3, base=RAM)
needs_system = pytest.mark.skipif(
    not has_compiler() or find_spec("pythondata_cpu_picorv32") is None,
    reason=f"no PicoRV32, or no RISC-V C compiler (ziglang or {GCC})",
)


def test_noise_is_marsaglias():
    """The first numbers behind 1 of xorshift32 with 13, 17 and 5."""
    told = np.frombuffer(noise(4, 1), "<u4").tolist()
    assert told == [270369, 67634689, 2647435461, 307599695]


def test_a_digest_is_by_hand():
    words = np.array([1, 2, 0x08000000], "<u4")
    assert digest(words[:2].tobytes()) == (1 << 5) + 2
    assert digest(words.tobytes()) == (34 << 5) + 0x08000000
    assert digest(np.array([0x80000000, 0], "<u4").tobytes()) == 1 << 4  # around


def test_what_the_core_makes_is_what_the_plan_wants():
    made = noise((16 * 8 + 16 * 3) // 4)
    _, tiles = next(PROGRAM.plan.segments())
    assert tiles == made[: 16 * 8]
    assert PROGRAM.layer.matrix.shape == (8, 16)


def test_golden_computes_the_digest():
    plan = PROGRAM.plan
    memory = np.zeros(plan.end - RAM, np.uint8)
    for address, data in plan.segments():
        memory[address - RAM :][: len(data)] = np.frombuffer(data, np.uint8)
    vectors = np.frombuffer(noise((16 * 8 + 16 * 3) // 4)[16 * 8 :], np.uint8)
    memory[plan.inputs.address - RAM :][: len(vectors)] = vectors
    result = EngineModel(ENGINE, memory, RAM).run_queue(plan.queue.address, len(plan.commands))
    assert (result.error, result.overflow) == (None, False)
    given = memory[plan.outputs.address - RAM :][: plan.outputs.size].tobytes()
    assert digest(given) == PROGRAM.digest


def test_areas_are_told_in_c():
    texts = PROGRAM.source()
    told = dict(re.findall(r"#define (\w+) (0x\w+)u", texts["engine_sizes.h"]))
    told = {name: int(value, 16) for name, value in told.items()}
    plan = PROGRAM.plan
    assert (told["LAYER_WEIGHTS"], told["LAYER_WEIGHTS_WORDS"]) == (plan.weights.address, 16 * 2)
    assert (told["LAYER_VECTORS"], told["LAYER_VECTORS_WORDS"]) == (plan.inputs.address, 3 * 4)
    assert (told["LAYER_RESULTS"], told["LAYER_RESULTS_WORDS"]) == (plan.outputs.address, 3 * 2)
    assert (told["NETWORK_SEGMENTS"], told["LAYER_FIRST"]) == (2, FIRST)
    assert texts["engine_data.c"].count("static const uint32_t segment_") == 2


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((ENGINE, 12, 8, 3), r"inputs must be a multiple of 8, not 12 \(nearest legal value: 16\)"),
        ((ENGINE, 16, 3, 3), r"outputs must be a multiple of 4, not 3 \(nearest legal value: 4\)"),
        ((ENGINE, 0, 4, 3), r"inputs must be a multiple of 8, not 0 \(nearest legal value: 8\)"),
        ((EngineConfig(macro=load_config("tiny")), 8, 4, 1), "must be 8, not 4 and 4"),
        ((EngineConfig(macro=MacroConfig(rows=7, cols=4)), 7, 4, 1), "rows of 7 inputs leave gaps"),
        ((ENGINE, 16, 8, 0), "batch must be at least 1, not 0"),
    ],
)
def test_other_layers_are_refused(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        LayerProgram(*arguments)


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A system with the engine."""
    return simulated_system(default_system(ENGINE), tmp_path_factory.mktemp("layer"))


@needs_system
def test_the_system_computes_it(target, monkeypatch):
    folder = target.design.folder
    told = run_layer(target, PROGRAM, folder, lambda _: None)
    passes = 2 * 2 * 3  # tiles of 8 x 4, vectors
    assert (told["exact"], told["computing"]) == (True, passes * 8)
    assert told["computing"] < told["busy"] < told["cycles"]
    assert told["utilisation"] == pytest.approx(told["computing"] / told["cycles"], abs=1e-4)
    assert told["macs"] == 16 * 8 * 3

    monkeypatch.setattr(LayerProgram, "digest", PROGRAM.digest ^ 1)
    assert not run_layer(target, PROGRAM, folder, lambda _: None)["exact"]
    texts = PROGRAM.source()
    empty = re.sub(r"(COMMANDS) 0x\w+", r"\1 0x0", texts["engine_sizes.h"])
    monkeypatch.setattr(LayerProgram, "source", lambda _: {**texts, "engine_sizes.h": empty})
    with pytest.raises(SimulationError, match="it says 'error engine failed'"):
        run_layer(target, PROGRAM, folder, lambda _: None)
