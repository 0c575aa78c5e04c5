"""The words of memory that a program moves, in their order, and whose each is."""

from collections.abc import Iterator
from typing import NamedTuple

from cimforge.cocotb_tests.engine.program_draw import Program
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig

__all__ = ["Word", "descriptor_words", "words_read", "words_written"]


class Word(NamedTuple):
    """A word's address, and the number of the descriptor that moves it."""

    address: int
    whose: int


def descriptor_words(config: EngineConfig, program: Program) -> list[Word]:
    """The words of the descriptors themselves."""
    step = config.bus_bytes
    words = []
    for index in range(len(program.descriptors)):
        first = program.base + program.layout.queue + index * DESCRIPTOR_BYTES
        words += [Word(place, index) for place in _words(first, DESCRIPTOR_BYTES, step)]
    return words


def words_read(config: EngineConfig, program: Program) -> list[Word]:
    """What LOADs and COPYs read, where one begins when the one before has ended."""
    return [
        Word(address, index)
        for index, (name, values) in enumerate(program.descriptors)
        for first, size in _lines(config, name, values)
        for address in _words(first, size, config.bus_bytes)
    ]


def words_written(config: EngineConfig, program: Program) -> list[Word]:
    """What STOREs write: the words of each line; where lines follow without a gap, of all."""
    words = []
    for index, (name, values) in enumerate(program.descriptors):
        if name != "store":
            continue
        size = 1 + values["wide"]
        if values["raw"]:
            size = 4 if config.acc_bits == 32 else 8
        count, pitch = values["outputs"] * size, values["target_pitch"]
        lines = [(values["target"] + v * pitch, count) for v in range(values["vectors"])]
        if count == pitch:
            lines = [(values["target"], count * len(lines))]
        for first, length in lines:
            words += [Word(place, index) for place in _words(first, length, config.bus_bytes)]
    return words


def _lines(config: EngineConfig, name: str, values: dict[str, int]) -> Iterator[tuple[int, int]]:
    """First byte and bytes of what a descriptor reads."""
    source = values.get("source", 0)
    if name == "load":
        yield source, values["rows"] * config.row_words * config.bus_bytes
    elif name == "copy" and values.get("channels"):
        yield source, values["count"] * CHANNEL_WORDS * 4
    elif name == "copy":
        for line in range(values.get("lines", 1)):
            yield source + line * values.get("source_pitch", 0), values["count"]


def _words(first: int, size: int, step: int) -> range:
    """Addresses of the words of ``step`` bytes that hold these bytes."""
    return range(first // step * step, first + size, step)
