"""Programs for an engine's testbench: a small layer that is drawn, or a product of one's own."""

import numpy as np
from numpy.typing import NDArray

from cimforge.golden.engine import EngineModel
from cimforge.hdl.emit.engine_testbench import Program
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_layer import LinearLayer, Requantisation
from cimforge.host.engine_plan import EnginePlan, plan_layer

__all__ = ["engine_example", "engine_product"]

Ints = NDArray[np.int64]

SEED = 0xC1F0
BATCH = 3
MOST_TILES = 2048  # of a testbench's product: minutes in Icarus


def engine_example(config: EngineConfig, batch: int = BATCH) -> Program:
    """Random weights and ``batch`` inputs of a layer that is longer than the macro has rows and has
    more results than it has columns, where the engine's buffers hold that: several tiles,
    requantised to bytes, and all of memory behind it by golden."""
    draw = np.random.default_rng(SEED)
    plan = _plan(config, draw, batch)
    outputs, length = np.shape(plan.image.layer.weights)
    told = f"It computes a layer of {length} inputs and {outputs} results for {plan.batch} vectors"
    return _program(plan, _inputs(config, draw, plan), told)


def engine_product(config: EngineConfig, x: Ints, w: Ints) -> Program:
    """``y = x w`` of inputs (batch, K) and weights (K, N): the sums as they are. Inputs have a sign
    where one of them is below 0.

    Raises ValueError with the name, the rule and the value where the engine does not compute it.
    """
    for name, array in (("x", x), ("w", w)):
        if array.dtype.kind not in "iu":
            rule = f"{name} must hold integers, not {array.dtype}; quantise it, or .astype(int)"
            raise ValueError(rule)
        if not array.size:
            raise ValueError(f"{name} must hold at least one number, and has shape {array.shape}")
    signed = bool((x < 0).any())
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[0]:
        raise ValueError(f"x (batch, K) and w (K, N) need the same K, not {x.shape} and {w.shape}")
    tiles = -(-w.shape[0] // config.macro.rows) * -(-w.shape[1] // config.outputs)
    if tiles > MOST_TILES:
        size = f"{config.macro.rows} x {config.outputs}"
        rule = f"is {tiles} tiles of {size}, and a testbench takes at most {MOST_TILES}"
        raise ValueError(f"w {rule}; take a part of it, or a larger macro")
    plan = plan_layer(config, LinearLayer(weights=w.T, input_signed=signed), len(x))
    told = (
        f"y = x w of x {x.shape} and w {w.shape}; vectors of y lie from byte {plan.outputs.address}"
        f" on, {plan.output_pitch} bytes apart, sums of {config.acc_bits} bits"
    )
    return _program(plan, x, told)


def _program(plan: EnginePlan, x: Ints, told: str) -> Program:
    """A plan with its inputs, and memory behind it."""
    config = plan.config
    count, inputs = plan.image.inputs(x)
    assert count == plan.run
    size = -(-plan.end // config.bus_bytes) * config.bus_bytes
    memory = np.zeros(size, np.uint8)
    for address, data in (*plan.segments(), (plan.inputs.address, inputs)):
        memory[address : address + len(data)] = np.frombuffer(data, np.uint8)
    before = memory.tobytes()
    ended = EngineModel(config, memory).run_queue(plan.queue.address, len(plan.commands))
    assert ended.error is None, ended
    place = plan.queue.address, len(plan.commands), plan.cycles
    return Program(told, *place, before, memory.tobytes())


def _plan(config: EngineConfig, draw: np.random.Generator, batch: int) -> EnginePlan:
    """Of the largest layer tried that the engine takes."""
    rows, outputs = config.macro.rows, config.modes[0].outputs
    tries = [(rows + rows // 2 + 1, outputs + 1, batch), (rows, outputs, batch), (rows, 1, 1)]
    refused: ValueError | None = None
    for length, results, vectors in [*tries, (1, 1, 1)]:
        try:
            return plan_layer(config, _layer(config, draw, length, results), vectors)
        except ValueError as error:
            refused = error
    raise AssertionError(refused)


def _layer(
    config: EngineConfig, draw: np.random.Generator, length: int, outputs: int
) -> LinearLayer:
    """Weights of all values; results that use the range of a byte."""
    macro = config.macro
    size = length * (1 << (macro.weight_bits + macro.input_bits))
    rule = Requantisation(multiplier=3 << 29, shift=max(-31, 10 - size.bit_length()))
    weights = _drawn(config, draw, macro.weight_bits, (outputs, length))
    return LinearLayer(weights=weights, bias=draw.integers(-99, 99, outputs), requantise=rule)


def _inputs(config: EngineConfig, draw: np.random.Generator, plan: EnginePlan) -> np.ndarray:
    length = np.shape(plan.image.layer.weights)[1]
    return _drawn(config, draw, config.macro.input_bits, (plan.batch, length))


def _drawn(
    config: EngineConfig, draw: np.random.Generator, bits: int, shape: tuple[int, int]
) -> np.ndarray:
    """Signed integers of so many bits; of a binary macro -1 and 1."""
    if config.macro.binary:
        return draw.choice((-1, 1), shape)
    return draw.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)
