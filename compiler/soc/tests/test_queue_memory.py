"""Products cut into queues of an engine: nothing is lost, and golden's engine computes them from
each filling of memory."""

import re

import numpy as np
import pytest

from cimforge.compiler.precision import Precision
from cimforge.compiler.reference.lowering import Part
from cimforge.compiler.soc.engine_piece import blocks, pieces
from cimforge.compiler.soc.loaded_memory import memory_bytes, memory_text
from cimforge.compiler.soc.queue_memory import (
    HEAD,
    LINE,
    STACK_BYTES,
    TABLE_BYTES,
    QueueMemory,
    fill_memories,
)
from cimforge.golden.engine import EngineModel
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig

BASE = 1 << 28
SMALL = {"act_bytes": 256, "acc_vectors": 8, "channels": 8}
ENGINE = EngineConfig(macro=MacroConfig(rows=20, cols=4, tree="behavioral", banks=2), **SMALL)
FUSED = EngineConfig(macro=MacroConfig(rows=8, cols=4, weight_bits=8, slice_bits=4), **SMALL)
INT8 = Precision(8, True), Precision(8, True)


def drawn(seed: int, held: Precision, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).integers(held.low, held.high + 1, shape)


def by_golden(memory: QueueMemory) -> bytes:
    """RAM behind the program, with golden's engine."""
    image = memory.image()
    data = np.frombuffer(image.ljust(memory.size, b"\0"), np.uint8).copy()
    head, lines = data[: HEAD.itemsize].view(HEAD)[0], data[HEAD.itemsize : TABLE_BYTES].view(LINE)
    engine = EngineModel(memory.config, data, memory.base)
    for number, line in enumerate(lines[: head["queues"]]):
        told = engine.run_queue(int(line["address"]), int(line["commands"]))
        assert (told.error, told.overflow) == (None, False)
        line["code"], line["cycles"] = 0, 100 + number
    head["code"], head["ended"] = 0, head["queues"]
    return data.tobytes()


@pytest.mark.parametrize("config", [ENGINE, FUSED])
@pytest.mark.parametrize(
    "held",
    [
        INT8,
        (Precision(16, True), Precision(8, True)),
        (Precision(8, False), Precision(12, False)),
        (Precision(32, True), Precision(16, True)),
        (Precision(3, False), Precision(2, True)),
    ],
)
def test_pieces_add_up_to_the_product(config, held):
    """Digits, columns, inputs and vectors are cut; least and greatest values are there."""
    x, w = drawn(1, held[0], (21, 70)), drawn(2, held[1], (70, 11))
    x[:2], w[:, :2] = np.array([[held[0].low], [held[0].high]]), (held[1].low, held[1].high)
    (block,) = blocks(config, [Part(x, w, 0)])
    found, count = np.zeros((21, 11), np.int64), 0
    for piece in pieces(config, 0, block, held, room=1000):
        sums = piece.x @ piece.layer.matrix.T
        rows, cols = slice(piece.vector, piece.vector + len(sums)), sums.shape[1]
        found[rows, piece.output : piece.output + cols] += sums << piece.shift
        count += 1
    assert (found == x @ w).all()
    assert count > 4


def test_no_sum_leaves_the_engines_bits():
    """Of 14 bits by 14 bits 31 products fit 32 bits, 28 in whole tiles; the rest is added later."""
    macro = MacroConfig(rows=4, cols=2, weight_bits=14, input_bits=14, tree="behavioral")
    held = Precision(14, True), Precision(14, True)
    x, w = np.full((1, 30), held[0].low), np.full((30, 2), held[1].low)
    (block,) = blocks(EngineConfig(macro=macro, **SMALL), [Part(x, w, 0)])
    own = list(pieces(EngineConfig(macro=macro, **SMALL), 0, block, held, 1 << 16))
    assert {piece.x.shape[1] for piece in own} == {28, 2}
    assert max(int((p.x @ p.layer.matrix.T).max()) for p in own) < 1 << 31
    wide = EngineConfig(macro=macro, acc_bits=48, **SMALL)
    assert [piece.x.shape[1] for piece in pieces(wide, 0, block, held, 1 << 16)] == [30]


def test_small_parts_share_a_pass():
    parts = [Part(drawn(n, INT8[0], (3, 9)), drawn(n + 9, INT8[1], (9, 1)), n) for n in range(5)]
    parts.append(Part(drawn(7, INT8[0], (3, 4)), drawn(8, INT8[1], (4, 1)), 5))
    told = list(blocks(ENGINE, parts))
    assert [(block.first, block.parts) for block in told] == [(0, 2), (2, 2), (4, 1), (5, 1)]
    for block in told:
        wanted = [part.x @ part.w for part in parts[block.first : block.first + block.parts]]
        assert (block.x @ block.w == np.concatenate(wanted, axis=1)).all()


def test_nothing_is_no_piece():
    for x, w in (((0, 5), (5, 2)), ((3, 0), (0, 2)), ((3, 5), (5, 0))):
        part = Part(np.zeros(x, np.int64), np.zeros(w, np.int64), 0)
        (block,) = blocks(ENGINE, [part])
        assert list(pieces(ENGINE, 0, block, INT8, 1000)) == []


@pytest.mark.parametrize("config", [ENGINE, FUSED])
def test_golden_computes_from_each_filling(config):
    """Two products, one in 16 bits, in memories of 32 kB."""
    products = [
        (drawn(3, INT8[0], (60, 50)), drawn(4, INT8[1], (50, 40)), INT8),
        (drawn(5, Precision(16, True), (4, 31)), drawn(6, INT8[1], (31, 3)), None),
    ]
    work, wanted = [], []
    for number, (x, w, held) in enumerate(products):
        (block,) = blocks(config, [Part(x, w, 0)])
        held = held or (Precision(16, True), INT8[1])
        work += pieces(config, number, block, held, (1 << 15) - TABLE_BYTES - STACK_BYTES)
        wanted.append(x @ w)
    found = [np.zeros_like(each) for each in wanted]
    memories = list(fill_memories(config, BASE, 1 << 15, work))
    assert len(memories) > 3
    assert any(len(memory.work) > 1 for memory in memories)
    for memory in memories:
        for number, told in enumerate(memory.outcomes(by_golden(memory))):
            piece, (rows, cols) = told.piece, told.sums.shape
            into = found[piece.block][piece.vector : piece.vector + rows]
            into[:, piece.output : piece.output + cols] += told.sums << piece.shift
            assert told.cycles == 100 + number
    for told, each in zip(found, wanted, strict=True):
        assert (told == each).all()


def test_a_vector_that_does_not_fit_is_refused():
    part = Part(np.zeros((1, 20), np.int64), np.ones((20, 2000), np.int64), 0)
    (block,) = blocks(ENGINE, [part])
    work = list(pieces(ENGINE, 0, block, INT8, 1 << 20))
    with pytest.raises(ValueError, match=r"RAM of 16384 bytes does not hold one vector with its"):
        list(fill_memories(ENGINE, BASE, 1 << 14, work))


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (-3, "the system's engine is of another configuration"),
        (-9, "queue 0 of 1 stopped at command 7, cause 2"),
        (-10, "queue 0 of 1 failed: a sum left its bits"),
        (-8, "queue 0 of 1 failed: code -8"),
    ],
)
def test_a_queue_that_failed_is_told(code, rule):
    part = Part(np.ones((1, 20), np.int64), np.ones((20, 2), np.int64), 0)
    (block,) = blocks(ENGINE, [part])
    (memory,) = fill_memories(ENGINE, BASE, 1 << 14, pieces(ENGINE, 0, block, INT8, 4096))
    data = np.frombuffer(memory.image(), np.uint8).copy()
    data[: HEAD.itemsize].view(HEAD)[0]["code"] = code
    line = data[HEAD.itemsize :][: LINE.itemsize].view(LINE)[0]
    line["command"], line["cause"] = 7, 2
    with pytest.raises(ValueError, match=f"^{re.escape(rule)}$"):
        list(memory.outcomes(data.tobytes()))


@pytest.mark.parametrize("word", [4, 8, 16])
def test_memory_is_told_in_words(word, tmp_path):
    data = bytes(range(1, 32))
    text = memory_text(data, word)
    assert text.splitlines()[0] == data[:word][::-1].hex()
    (tmp_path / "saved.hex").write_text(f"// 0x00000000\n{text}")
    assert memory_bytes(tmp_path / "saved.hex", word) == data.ljust(32, b"\0")
    assert memory_text(b"", word) == ""
