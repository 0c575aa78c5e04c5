"""Rows from words: padding, how many are held, and what a clear leaves."""

from random import Random

import pytest

from cimforge.hdl.engine.row_assembler import RowAssembler
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.tests.configs import macro
from cimforge.hdl.tests.read_memory import Sink, Source, simulate

# words of a row: one, three with padding, three that are full
CONFIGS = {
    "one_word": EngineConfig(macro=macro(4, 3, 7, 2)),
    "padded": EngineConfig(macro=macro(4, 23, 3, 2)),
    "full": EngineConfig(macro=macro(4, 12, 8, 2)),
}
every_config = pytest.mark.parametrize("name", CONFIGS)


def assembled(config: EngineConfig, words: list[int]) -> list[dict[str, int]]:
    """The whole rows that words make."""
    count = config.row_words
    rows = [words[place : place + count] for place in range(0, len(words) - count + 1, count)]
    values = (sum(word << 32 * place for place, word in enumerate(row)) for row in rows)
    return [{"data": value % (1 << config.row_bits)} for value in values]


@every_config
@pytest.mark.parametrize(("offer", "take"), [(1.0, 1.0), (1.0, 0.3), (0.4, 0.9)])
def test_words_become_rows(name, offer, take):
    config, random = CONFIGS[name], Random(f"{name} {offer} {take}")
    block = RowAssembler(config)
    values = [random.getrandbits(32) for _ in range(40 * config.row_words)]
    words = Source(block.words, random, offer, [{"data": value} for value in values])
    rows = Sink(block.rows, random, take)
    cycles = []

    async def bench(ctx):
        while len(rows.beats) < 40:
            for part in (words, rows):
                part.drive(ctx)
            ready = ctx.get(block.words.ready)
            ctx.set(block.rows.ready, 1 - ctx.get(block.rows.ready))
            assert ctx.get(block.words.ready) == ready  # a register's
            ctx.set(block.rows.ready, 1 - ctx.get(block.rows.ready))
            words.see(ctx)
            rows.see(ctx)
            cycles.append(len(rows.beats))
            await ctx.tick()

    simulate(block, bench)
    assert rows.beats == assembled(config, values)
    if (offer, take) == (1.0, 1.0):
        assert len(cycles) == len(values) + 1  # the last row is taken in the cycle after its word


@every_config
def test_two_rows_are_held_and_one_clear_drops_them(name):
    config = CONFIGS[name]
    block, taken = RowAssembler(config), []

    async def bench(ctx):
        for begun in range(config.row_words):  # words of a third row, or of none
            ctx.set(block.words.valid, 1)
            words = 0
            while ctx.get(block.words.ready):
                ctx.set(block.words.data, words)
                words += 1
                await ctx.tick()
            taken.append(words)
            ctx.set(block.words.valid, 0)
            ctx.set(block.clear, 1)
            await ctx.tick()
            ctx.set(block.clear, 0)
            for _ in range(3):
                assert not ctx.get(block.rows.valid)
                assert ctx.get(block.words.ready)
                await ctx.tick()
            ctx.set(block.words.valid, 1)
            for _ in range(begun):
                await ctx.tick()
            ctx.set(block.clear, 1)
            await ctx.tick()
            ctx.set(block.clear, 0)

    simulate(block, bench)
    assert taken == [2 * config.row_words] * config.row_words
