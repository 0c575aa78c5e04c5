"""An engine tells of every error as golden does, moves nothing after it, and goes on."""

from collections.abc import Iterator
from random import Random

import cocotb
import numpy as np

from cimforge.cocotb_tests.engine.engine_access import job_bench
from cimforge.cocotb_tests.engine.engine_coverage import ENGINE_COVERAGE
from cimforge.cocotb_tests.engine.engine_session import EngineSession
from cimforge.cocotb_tests.engine.program_draw import Descriptor, packed
from cimforge.flow.simulate.job import load_job
from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_WORDS,
    DescriptorError,
    check_descriptor,
    operations,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import EngineConfig

LENGTH = 6  # descriptors of a queue
MALFORMED, RESETS = 30, 40
SHARE = 0.3  # of the illegal bits, which are tried; other seeds try others
CAUSES = ("read", "write", "channel")


def malformed(config: EngineConfig, words: list[int], rng: Random) -> list[int]:
    """A descriptor with one field, or a bit anywhere, that makes it illegal."""
    known = operations(config)[words[0] & 0xFF].fields
    while True:
        broken = list(words)
        if rng.random() < 0.3:
            broken[rng.randrange(DESCRIPTOR_WORDS)] ^= 1 << rng.randrange(32)
        else:
            field = rng.choice(known)
            least = rng.choice((0, field.most + 1, field.least - 1, rng.getrandbits(field.width)))
            value = least & (1 << field.width) - 1
            broken[field.word] = broken[field.word] & ~field.mask | value << field.low
        if is_wrong(config, broken):
            return broken


def is_wrong(config: EngineConfig, words: list[int]) -> bool:
    """Whether golden refuses a descriptor."""
    try:
        check_descriptor(config, words)
    except DescriptorError:
        return True
    return False


async def begin(dut) -> EngineSession:
    """An engine whose state is written."""
    session = EngineSession(job_bench(dut), load_job().get("length", LENGTH))
    await session.start()
    return session


@cocotb.test()
async def test_malformed_descriptors_are_refused(dut):
    """The first illegal field is told; what comes before has its effect, what comes after none, and
    the engine goes on with the state that it had."""
    session = await begin(dut)
    for _ in range(load_job().get("malformed", MALFORMED)):
        descriptors = session.draw()
        words = packed(session.config, descriptors).view("<u4").reshape(-1, DESCRIPTOR_WORDS)
        place = session.rng.randrange(len(descriptors))
        whole = [int(word) for word in words[place]]
        words[place] = malformed(session.config, whole, session.rng)
        before = [name for name, _ in descriptors[:place]]
        if "end" in before:
            continue
        error = await session.fails(descriptors, words.view(np.uint8).ravel())
        ENGINE_COVERAGE.fail(error.cause)
        if session.rng.random() < 0.2:
            await session.check(session.draw())
    await session.check(session.draw())
    ENGINE_COVERAGE.save(session.compared)


def every_wrong_bit(config: EngineConfig, rng: Random) -> Iterator[list[int]]:
    """Of each operation a legal descriptor with each field at its first illegal values, and with
    each reserved bit."""
    for operation in operations(config):
        legal = pack_descriptor(config, operation.name, {})
        used = [0] * DESCRIPTOR_WORDS
        for field in operation.fields:
            used[field.word] |= field.mask
            step = rng.randrange(1, field.step) if field.step > 1 else 1
            for value in (field.most + 1, field.least - 1, max(field.least, 0) + step):
                wrong = list(legal)
                bits = (value & (1 << field.width) - 1) << field.low
                wrong[field.word] = wrong[field.word] & ~field.mask | bits
                if is_wrong(config, wrong):
                    yield wrong
        for place in range(32 * DESCRIPTOR_WORDS):
            if not used[place // 32] >> place % 32 & 1:
                wrong = list(legal)
                wrong[place // 32] |= 1 << place % 32
                yield wrong


@cocotb.test()
async def test_each_illegal_bit_is_refused(dut):
    """Each reserved bit of each operation, and the values next to each field's range, alone."""
    session = await begin(dut)
    session.bench.pace(0)
    for wrong in every_wrong_bit(session.config, session.rng):
        if session.rng.random() > load_job().get("share", SHARE):
            continue
        queue = np.array(wrong, "<u4").view(np.uint8)
        error = await session.fails([("wrong", {})], queue, paced=False)
        ENGINE_COVERAGE.fail(error.cause)
    await session.check(session.draw())
    ENGINE_COVERAGE.save(session.compared)


def failing(session: EngineSession, cause: str) -> list[Descriptor]:
    """A queue in whose midst a descriptor meets this error; those behind it wait for its end."""
    drawn, rng = session.draw(), session.rng
    drawn = [d for d in drawn if d[0] != "end"]
    place = rng.randrange(len(drawn))
    far = session.base ^ (1 << 31)
    kinds = {"read": ("load", "copy"), "write": ("store",), "channel": ("copy",)}[cause]
    while True:
        name, fields = rng.choice(session.draw())
        channels = bool(fields.get("channels"))
        if name in kinds and (cause != "channel" or channels):
            break
    values = {**fields, "beside": 0}
    if cause == "channel":
        spoil(session, values)
    else:
        values["target" if name == "store" else "source"] = far
    after = [(each, {**told, "beside": 0}) for each, told in drawn[place:]]
    return [*drawn[:place], (name, values), *after]


def spoil(session: EngineSession, copy: dict[str, int]) -> None:
    """Make one of the channels that a COPY reads illegal, in memory."""
    rng, place = session.rng, copy["source"] - session.base
    place += 16 * rng.randrange(copy["count"])
    offset, word = rng.choice(((4, 1 << 31), (8, 32), (8, -32)))
    data = np.array([word & 0xFFFFFFFF], "<u4").view(np.uint8)
    for image in (session.bench.image, session.model.memory.data):
        image[place + offset : place + offset + 4] = data


@cocotb.test()
async def test_errors_of_memory_and_channels_are_told(dut):
    """Memory that answers a read or a write with an error, and an illegal channel, end the queue;
    nothing behind it begins; a soft reset makes the engine whole."""
    session = await begin(dut)
    for number in range(load_job().get("failures", 4 * len(CAUSES))):
        cause = CAUSES[number % len(CAUSES)]
        descriptors = failing(session, cause)
        error = await session.fails(descriptors, packed(session.config, descriptors))
        assert error.cause == cause, error
        ENGINE_COVERAGE.fail(cause)
        if session.rng.random() < 0.7:
            await session.bench.soft_reset()
        await session.renew()
    ENGINE_COVERAGE.save(session.compared)


@cocotb.test()
async def test_a_soft_reset_ends_whatever_is_under_way(dut):
    """Reset at any cycle of a queue: memory gets what it was promised, and the next program runs as
    on a new engine."""
    session = await begin(dut)
    for _ in range(load_job().get("resets", RESETS)):
        descriptors = session.draw()
        session.write(packed(session.config, descriptors))
        session.bench.pace(session.rng.randrange(3))
        cycles = int(2 ** (session.rng.random() * 11))
        await session.bench.start(session.base, len(descriptors), cycles)
        await session.bench.soft_reset()
        await session.renew()
    ENGINE_COVERAGE.save(session.compared)
