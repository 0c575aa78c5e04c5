"""Queues that end: by an end, by a descriptor, a channel or an address that is illegal."""

import re

import numpy as np
import pytest

from cimforge.golden.engine import EngineError, EngineModel
from cimforge.golden.engine_channels import ChannelError
from cimforge.golden.engine_memory import AccessError
from cimforge.golden.tests.engine_programs import (
    ACTIVATIONS,
    CHANNELS,
    LOAD,
    ROWS,
    TARGET,
    WEIGHTS,
    channel,
    copy,
    copy_channels,
    elements,
    engine,
    fully_connected,
    raw,
    run,
    write_queue,
)
from cimforge.hdl.params.descriptors import DescriptorError


def test_an_end_ends_the_queue_and_interrupts_are_told() -> None:
    end = ("end", {"interrupt": 1})
    steps = [("load", {**LOAD[1], "interrupt": 1}), copy(4), end, copy(4, interrupt=1)]
    model, result = run(engine(), steps, {WEIGHTS: ROWS})
    assert result == (3, None, False, (0, 2))
    assert model.run_queue(0, 2) == (2, None, False, (0,))
    assert model.run_queue(0, 0) == (0, None, False, ())


def test_a_malformed_descriptor_is_refused_and_named() -> None:
    """The third of four: the two before it have ended, nothing of it or behind it moves."""
    config = engine()
    model = EngineModel(config, np.full(0x1000, 0xA5, np.uint8))
    steps = [LOAD, copy(4), fully_connected(4), raw()]
    write_queue(config, model.memory.data, *steps)
    words = model.memory.data[:0x100].view("<u4").reshape(4, 16)
    good = words.copy()
    # a word of descriptor 2, a RUN, what makes it wrong, and the field
    wrongs = [
        *((0, 0xFF, "op"), (0, 3 | 1 << 12, "reserved"), (1, 0x101, "bank")),
        *((1, 9 << 16, "bits"), (2, 17, "vectors"), (5, 4, "lines"), (6, 5 << 16 | 4, "length")),
        *((12, 4 << 16, "skip"), (12, 1, "skip_x"), (12, 1 << 8, "skip_y")),
        *((13, 1, "reserved"), (15, 1 << 31, "reserved")),
    ]
    for word, value, field in wrongs:
        words[:] = good
        words[2, word] = value
        result = model.run_queue(0, 4)
        assert result == (2, EngineError("descriptor", 2, field), False, ())
        assert not model.sums.any()
        assert (model.memory.data[TARGET:] == 0xA5).all()
    words[:] = good
    assert model.run_queue(0, 4).error is None


@pytest.mark.parametrize(
    ("step", "word", "bits", "field"),
    [
        (LOAD, 1, 1, "source"),
        (LOAD, 2, 1, "rows"),  # 1 + 4 rows
        (copy(4), 3, 1, "target"),
        (copy(4), 5, 65, "count"),  # 69
        (("copy", {"count": 2, "channels": 1, "source": CHANNELS}), 6, 3, "lines"),  # 2
        (("copy", {"count": 2, "channels": 1, "source": CHANNELS}), 3, 255, "count"),
        (raw(), 4, 1, "outputs"),  # outputs 1 and 2
        (elements(), 5, 255, "channel"),
        (elements(lowest=5, highest=5), 7, 1 << 16, "highest"),  # 4
        (elements(), 5, 3 << 16, "rounding"),
    ],
)
def test_each_operation_refuses_its_fields(step, word: int, bits: int, field: str) -> None:
    config = engine()
    model = EngineModel(config, np.full(0x1000, 0xA5, np.uint8))
    write_queue(config, model.memory.data, step)
    model.memory.data[:64].view("<u4")[word] ^= bits
    before = model.memory.data.copy()
    assert model.run_queue(0, 1) == (0, EngineError("descriptor", 0, field), False, ())
    assert (model.memory.data == before).all()
    assert model.memory.words_read == 0


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (("load", {"source": 0xFF8, "rows": 4}), "read"),  # 2 rows are there
        (("load", {"source": 0xFFFFFFFC}), "read"),
        (copy(5, source=0xFFC), "read"),
        (copy(4, lines=2, source=0xFFC, source_pitch=4), "read"),
        (("copy", {"count": 1, "channels": 1, "source": 0xFF4}), "read"),
        (raw(target=0xFF9), "write"),
        (elements(target=0xFFF), "write"),
        (elements(target=0xFFE, vectors=2, target_pitch=0x1000), "write"),
    ],
)
def test_memory_that_is_missing_ends_the_queue(step, cause: str) -> None:
    steps = [copy(4, interrupt=1), step, copy(4, interrupt=1)]
    model, result = run(engine(), steps, {ACTIVATIONS: b"\1\2\3\4"})
    assert result == (1, EngineError(cause, 1), False, (0,))
    assert model.activation[:5].tolist() == [1, 2, 3, 4, 0]
    assert (model.memory.data[0xFF0:] == 0xA5).all()
    assert model.memory.words_read == 1


def test_descriptors_beyond_memory_are_a_read_error() -> None:
    model = EngineModel(engine(), np.zeros(0x80, np.uint8), base=0x1000)
    write_queue(engine(), model.memory.data, copy(4, source=0x1000), copy(4, source=0x107C))
    assert model.run_queue(0x1000, 3) == (2, EngineError("read", 2), False, ())
    assert model.run_queue(0xFC0, 3) == (0, EngineError("read", 0), False, ())
    assert model.memory.words_read == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (channel(1, 1 << 31, 0), "multiplier must be below 2^31, not 2147483648"),
        (channel(1, 0xFFFFFFFF, 0), "multiplier must be below 2^31, not 4294967295"),
        (channel(1, 1, 32), "shift must be in -31..31, not 32"),
        (channel(1, 1, -32), "shift must be in -31..31, not -32"),
        (channel(1, 1, 0x1F00), "shift must be in -31..31, not 7936"),
    ],
)
def test_illegal_channels_are_an_error_of_their_copy(wrong: bytes, message: str) -> None:
    data = {CHANNELS: channel(1, (1 << 31) - 1, -31) + wrong + channel(7, 7, 7)}
    model, result = run(engine(channels=8), [copy_channels(1, 2), copy_channels(3, 3)], data)
    assert result == (1, EngineError("channel", 1), False, ())
    assert model.channels.multiplier.tolist() == [0, 0, (1 << 31) - 1, 0, 0, 0, 0, 0]
    assert model.channels.shift[2] == -31
    with pytest.raises(ChannelError, match=f"^channel 4: {re.escape(message)}$"):
        model.execute({"op": 2, **copy_channels(3, 3)[1]})


def test_single_descriptors_raise() -> None:
    model = EngineModel(engine(), bytearray(0x100))
    values = model.execute({"op": 2, "count": 4, "source": 0x80})
    assert (values["lines"], values["channels"]) == (1, 0)
    with pytest.raises(DescriptorError, match=r"^count of copy must be in 1\.\.64, not 65$"):
        model.execute({"op": 2, "count": 65})
    with pytest.raises(DescriptorError, match=r"^rows reaches beyond the end$"):
        model.execute({"op": 1, "first": 1, "rows": 4})
    with pytest.raises(AccessError, match=r"^no memory at 0x100 to read$"):
        model.execute({"op": 2, "count": 4, "source": 0x100})
    with pytest.raises(AccessError, match=r"^no memory at 0x100 to write$"):
        model.execute({"op": 4, **raw(target=0xF9)[1]})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: EngineModel(engine(), bytearray(6)),
            "memory's length must be a multiple of 4, a word of the bus, not 6 "
            "(nearest legal value: 4)",
        ),
        (
            lambda: EngineModel(engine(), bytearray(8), 5),
            "base must be a multiple of 4, a word of the bus, not 5 (nearest legal value: 4)",
        ),
        (
            lambda: EngineModel(engine(), bytes(8)),
            "memory must be writable (nearest legal value: a bytearray)",
        ),
        (
            lambda: EngineModel(engine(), bytearray(256)).run_queue(96, 1),
            "base must be a multiple of 64, not 96 (nearest legal value: 64)",
        ),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_a_bytearray_is_shared() -> None:
    memory = bytearray(0x100)
    model = EngineModel(engine(), memory)
    model.sums[0] = 1, -1
    model.execute({"op": 4, **raw(target=0x81)[1]})
    assert memory[0x80:0x8A].hex() == "0001000000ffffffff00"
