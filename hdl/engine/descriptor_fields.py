"""Fields of descriptors as hardware values and as the beats that carry them to units."""

from collections.abc import Sequence

from amaranth.hdl import Value

from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_WORDS,
    DescriptorField,
    Operation,
    operations,
)
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["COMMON", "command_fields", "field_value", "fields_of", "operation"]

COMMON = ("op", "beside", "interrupt")  # what the queue keeps to itself


def operation(config: EngineConfig, name: str) -> Operation:
    """The operation ``name`` of an engine."""
    return next(known for known in operations(config) if known.name == name)


def field_value(words: Sequence[Value], field: DescriptorField) -> Value:
    """The bits of a field, signed where it has negative values."""
    value = words[field.word][field.low : field.low + field.width]
    return value.as_signed() if field.least < 0 else value


def fields_of(of: Operation) -> list[int]:
    """For each word the bits that are fields of the operation."""
    masks = [0] * DESCRIPTOR_WORDS
    for field in of.fields:
        masks[field.word] |= field.mask
    return masks


def command_fields(config: EngineConfig, *names: str) -> dict[str, int]:
    """Width of each field that the unit of the operations ``names`` is handed; of those that
    several have the larger."""
    widths: dict[str, int] = {}
    for name in names:
        for field in operation(config, name).fields:
            if field.name not in COMMON:
                widths[field.name] = max(widths.get(field.name, 0), field.width)
    return widths
