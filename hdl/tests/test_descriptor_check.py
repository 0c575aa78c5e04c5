"""Descriptors are refused by hardware as by the table's own check: the same field, first."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from cimforge.hdl.engine.descriptor_check import RESERVED, DescriptorCheck
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.descriptors import (
    OPERATIONS,
    DescriptorError,
    check_descriptor,
    operations,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import EngineConfig

SEED = 11
CONFIGS = {
    "base": EngineConfig(macro=load_config("base", ["banks=3"]), acc_vectors=100, channels=40),
    "streams": EngineConfig(
        **{"macro": MacroConfig(rows=37, cols=5, input_bits=12, slice_bits=2, group=2)},
        **{"bus_bits": 128, "streams": True, "weight_zeros": True, "macros": 3},
    ),
    "binary": EngineConfig(
        macro=MacroConfig(rows=9, cols=3, weight_bits=1, input_bits=1, multiply="xnor"),
        bus_bits=512,
    ),
}


def expected(config, words):
    """The number of the field that is refused, or None."""
    try:
        check_descriptor(config, words)
    except DescriptorError as error:
        if error.field == "reserved":
            return RESERVED
        known = operations(config)
        return known[min(words[0] & 255, len(known) - 1)].field(error.field).number
    return None


def descriptors(config, count=600):
    """Legal ones, and each field of each at and beyond its ends; then random bits."""
    draw = np.random.default_rng(SEED)
    for operation in operations(config):
        legal = pack_descriptor(config, operation.name, {})
        yield legal
        for field in operation.fields:
            for value in (field.least - 1, field.least, field.most, field.most + 1, 0, -1, 1):
                words = list(legal)
                raw = (value << field.low) & field.mask
                words[field.word] = words[field.word] & ~field.mask | raw
                yield words
        for bit in range(0, 512, 7):
            words = list(legal)
            words[bit // 32] ^= 1 << bit % 32
            yield words
    for _ in range(count):
        name = OPERATIONS[draw.integers(len(OPERATIONS))]
        values = {}
        for field in operations(config)[OPERATIONS.index(name)].fields[2:]:
            ends = [field.least, field.most - field.most % field.step]
            middle = int(draw.integers(field.least, field.most + 1)) // field.step * field.step
            values[field.name] = [*ends, max(middle, field.least)][draw.integers(3)]
        yield pack_descriptor(config, name, values)


@pytest.mark.parametrize("name", CONFIGS)
def test_hardware_refuses_what_the_table_refuses(name):
    config = CONFIGS[name]
    check = DescriptorCheck(config)
    seen: dict[int | None, int] = {}

    async def bench(ctx):
        for words in descriptors(config):
            ctx.set(check.words, sum(word << 32 * n for n, word in enumerate(words)))
            for _ in range(check.latency):
                await ctx.tick()
            wanted = expected(config, words)
            got = ctx.get(check.field) if ctx.get(check.wrong) else None
            assert got == wanted, [hex(word) for word in words]
            seen[wanted] = seen.get(wanted, 0) + 1

    simulator = Simulator(check)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    print(f"seed {SEED}: {seen}")
    assert seen[None] > 30
    assert seen[RESERVED] > 30
    assert len(seen) > 15
