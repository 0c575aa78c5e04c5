"""Every rule of descriptors, broken: descriptors with one illegal field each."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_WORDS,
    DescriptorError,
    DescriptorField,
    check_descriptor,
    operations,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["RESERVED", "Broken", "broken_rules"]

RESERVED = 0xFFFF  # what the error register calls a bit that no field has


class Broken(NamedTuple):
    """A descriptor's words, the rule that it breaks, and what the error register calls it."""

    rule: str
    words: list[int]
    number: int


def broken_rules(config: EngineConfig) -> Iterator[Broken]:
    """For each operation of an engine: each field below, above and between its legal values, as far
    as its bits can say so, each rule between fields, and a reserved bit of each word. Each is told
    by check_descriptor as the rule that is meant."""
    known = operations(config)
    for code in (len(known), 0xFF):
        words = [code] + [0] * (DESCRIPTOR_WORDS - 1)
        yield _checked(config, "op", words, "op", known[0].field("op"))
    for operation in known:
        for field in operation.fields:
            for kind, value in _illegal(field):
                words = pack_descriptor(config, operation.name, {})
                words[field.word] &= ~field.mask
                words[field.word] |= value << field.low & field.mask
                told = f"{operation.name}.{field.name} {kind}"
                yield _checked(config, told, words, field.name, field)
        for name, values in _together(config, operation.name):
            words = pack_descriptor(config, operation.name, values)
            told = f"{operation.name}.{name} with others"
            yield _checked(config, told, words, name, operation.field(name))
        used = [sum(f.mask for f in operation.fields if f.word == n) for n in range(len(words))]
        for place, mask in enumerate(used):
            free = [bit for bit in range(32) if not mask >> bit & 1]
            for bit in {*free[:1], *free[-1:]}:
                words = pack_descriptor(config, operation.name, {})
                words[place] |= 1 << bit
                told = f"{operation.name} reserved {32 * place + bit}"
                yield _checked(config, told, words, "reserved", None)


def _illegal(field: DescriptorField) -> Iterator[tuple[str, int]]:
    """Illegal values that a field's bits can hold, one for each rule of its own."""
    if field.name == "op":
        return
    signed = field.least < 0
    largest = (1 << field.width - signed) - 1
    if field.most + field.step <= largest:
        yield "above", field.most + field.step
        yield "far above", largest // field.step * field.step
    if field.least > (-largest - 1 if signed else 0):
        yield "below", field.least - field.step
    if field.step > 1:
        yield "between", field.most // field.step * field.step - 1
        yield "just between", max(field.least, 0) + 1


def _together(config: EngineConfig, name: str) -> Iterator[tuple[str, Mapping[str, int]]]:
    """For each rule between an operation's fields the one that is refused, and fields that break it
    though each alone is legal."""
    macro, step = config.macro, config.element_bytes
    last = {"sums": config.acc_vectors - 1, "vectors": 2}
    if name == "load":
        yield "rows", {"first": macro.rows - 1, "rows": 2}
    elif name == "copy":
        yield "lines", {"channels": 1, "lines": 2}
        yield "count", {"channels": 1, "target": config.channels - 1, "count": 2}
        yield "target", {"target": 1}
        yield "target", {"target": config.bus_bytes + config.bus_bytes // 2}
    elif name == "run":
        yield "vectors", last
        yield "skip", {"segment": 2 * step, "skip": 2 * step}
        yield "skip_x", {"segments_x": 3, "skip_x": 3}
        yield "skip_y", {"segments_y": 3, "skip_y": 254}
    elif name == "store":
        yield "vectors", last
        yield "outputs", {"first": config.outputs - 1, "outputs": 2, "raw": 1}
        yield "channel", {"channel": config.channels - 1, "outputs": 2}
        yield "highest", {"lowest": 1, "highest": 0}
        yield "highest", {"lowest": -1, "highest": -32768}


def _checked(
    config: EngineConfig, rule: str, words: list[int], name: str, field: DescriptorField | None
) -> Broken:
    """Asserts that it is this rule that check_descriptor names."""
    told = "none"
    try:
        check_descriptor(config, words)
    except DescriptorError as error:
        told = error.field
    assert told == name, f"{rule}: {told} is named"
    return Broken(rule, words, field.number if field else RESERVED)
