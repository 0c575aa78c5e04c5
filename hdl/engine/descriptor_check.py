"""What is illegal in a descriptor, as hardware, from the table of its fields."""

from collections.abc import Iterator, Mapping, Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import Component

from cimforge.hdl.engine.descriptor_fields import field_value, fields_of
from cimforge.hdl.netlist.block import In, Out
from cimforge.hdl.params.descriptors import (
    DESCRIPTOR_WORDS,
    DescriptorField,
    Operation,
    operations,
)
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["RESERVED", "DescriptorCheck"]

RESERVED = 0xFFFF  # stands for the number of a field where a reserved bit is set


class DescriptorCheck(Component):
    """Refuses a descriptor as hdl.params.descriptors.check_descriptor does: ``wrong`` is high
    where a field, a rule between fields or a reserved bit is illegal, ``field`` then the number of
    the first, in that order (RESERVED for the bits).

    ``words`` stand still while it works: latency 2 cycles, each comparison in the first, their
    order in the second. It has no control of its own.
    """

    latency = 2

    def __init__(self, config: EngineConfig):
        self._config = config
        super().__init__({"words": In(32 * DESCRIPTOR_WORDS), "wrong": Out(1), "field": Out(16)})

    def elaborate(self, platform):
        m = Module()
        words = [self.words[32 * n : 32 * n + 32] for n in range(DESCRIPTOR_WORDS)]
        known = operations(self._config)
        code = words[0][:8]
        faults: list[tuple[Value, int]] = [(code >= len(known), known[0].field("op").number)]
        reserved = []
        for operation in known:
            mine = Signal(name=f"is_{operation.name}")
            m.d.comb += mine.eq(code == operation.code)
            values = {f.name: field_value(words, f) for f in operation.fields}
            ranges = _ranges(operation, values)
            rules = _rules(self._config, operation, values)
            faults += [(mine & wrong, field.number) for field, wrong in (*ranges, *rules)]
            reserved.append(mine & _reserved(operation, words))
        faults.append((Cat(reserved).any(), RESERVED))

        found = Signal(len(faults), name="faults_q", reset_less=True)
        m.d.sync += found.eq(Cat(wrong for wrong, _ in faults))
        m.d.sync += self.wrong.eq(found.any())
        for line, (_, number) in reversed(list(zip(found, faults, strict=True))):
            with m.If(line):
                m.d.sync += self.field.eq(number)
        return m


def _ranges(
    operation: Operation, values: Mapping[str, Value]
) -> Iterator[tuple[DescriptorField, Value]]:
    """Each field that can be illegal by itself, and when it is."""
    for field in operation.fields:
        value, wrong = values[field.name], []
        widest = (1 << field.width - (field.least < 0)) - 1
        if field.name == "op":
            continue
        if field.step > 1:
            wrong.append(value[: field.step.bit_length() - 1].any())
        if field.most - field.most % field.step < widest - widest % field.step:
            wrong.append(value > field.most)
        if field.least > 0 or -widest <= field.least < 0:
            wrong.append(value < field.least)
        if wrong:
            yield field, Cat(wrong).any()


def _rules(
    config: EngineConfig, operation: Operation, value: Mapping[str, Value]
) -> list[tuple[DescriptorField, Value]]:
    """The rules between fields: the field that is refused, and when."""
    field = operation.field
    if operation.name == "load":
        return [(field("rows"), value["first"] + value["rows"] > config.macro.rows)]
    if operation.name == "copy":
        into = value["channels"]
        end = value["target"] + value["count"]
        low = value["target"][: config.bus_bytes.bit_length() - 1]
        return [
            (field("lines"), into & (value["lines"] != 1)),
            (field("count"), into & (end > config.channels)),
            (field("target"), ~into & low.any()),
        ]
    if operation.name == "run":
        return [
            (field("vectors"), value["sums"] + value["vectors"] > config.acc_vectors),
            (field("skip"), value["skip"] >= value["segment"]),
            (field("skip_x"), value["skip_x"] >= value["segments_x"]),
            (field("skip_y"), value["skip_y"] >= value["segments_y"]),
        ]
    if operation.name == "store":
        last = value["channel"] + value["outputs"]
        return [
            (field("vectors"), value["sums"] + value["vectors"] > config.acc_vectors),
            (field("outputs"), value["first"] + value["outputs"] > config.outputs),
            (field("channel"), ~value["raw"] & (last > config.channels)),
            (field("highest"), value["lowest"] > value["highest"]),
        ]
    return []


def _reserved(operation: Operation, words: Sequence[Value]) -> Value:
    """Whether a bit is set that is no field's."""
    masks = fields_of(operation)
    left = [word & ~Const(mask, 32) for word, mask in zip(words, masks, strict=True)]
    return Cat((word != 0) for word in left).any()
