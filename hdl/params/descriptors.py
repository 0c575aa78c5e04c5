"""Descriptors: the commands of an engine, in memory: one table for hardware, software, golden and
documents.

A descriptor is DESCRIPTOR_WORDS little-endian 32-bit words, aligned to its size. Word 0 is the same
in all: what it does (``op``), which units it may run beside (``beside``), and whether it raises the
interrupt when it has ended. A field that an operation does not have is reserved and must be 0.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import shown

__all__ = [
    *("DESCRIPTOR_BYTES", "DESCRIPTOR_WORDS", "OPERATIONS", "ROUNDINGS", "UNITS"),
    *("DescriptorError", "DescriptorField", "Operation"),
    *("check_descriptor", "operations", "pack_descriptor"),
]

DESCRIPTOR_WORDS = 16
DESCRIPTOR_BYTES = 4 * DESCRIPTOR_WORDS
UNITS = ("fetch", "run", "store")  # what works at once; bit i of ``beside`` is unit i
ROUNDINGS = ("double", "single", "half_even")  # by the number in ``rounding``


class DescriptorField(NamedTuple):
    """Bits low .. low + width - 1 of word ``word``: a value in least..most, two's complement where
    ``least`` is negative, and a multiple of ``step``."""

    name: str
    word: int
    low: int
    width: int
    meaning: str
    most: int
    least: int = 0
    step: int = 1

    @property
    def mask(self) -> int:
        """Ones in the field's place in its word."""
        return ((1 << self.width) - 1) << self.low

    @property
    def number(self) -> int:
        """What the error register calls it: 32 * word + low."""
        return 32 * self.word + self.low


class Operation(NamedTuple):
    """One kind of descriptor: ``code`` in its op field, the ``unit`` that does it (empty: the
    sequencer), and its fields but those of word 0 that all have."""

    name: str
    code: int
    unit: str
    meaning: str
    fields: tuple[DescriptorField, ...]

    def field(self, name: str) -> DescriptorField:
        """The field ``name``; KeyError where there is none."""
        try:
            return next(field for field in self.fields if field.name == name)
        except StopIteration:
            raise KeyError(name) from None


class DescriptorError(ValueError):
    """A field of a descriptor that is illegal: ``field`` is its name."""

    def __init__(self, field: str, rule: str):
        super().__init__(f"{field} {rule}")
        self.field = field


OPERATIONS = ("end", "load", "copy", "run", "store")  # by code


@lru_cache(maxsize=64)
def operations(config: EngineConfig) -> tuple[Operation, ...]:
    """The operations of an engine, in the order of their codes."""
    own = (_end(), _load(config), _copy(config), _run(config), _store(config))
    meanings = (
        ("", "end of the queue: nothing behind it is looked at"),
        ("fetch", "rows of weights from memory into a bank"),
        ("fetch", "lines of bytes from memory into the activation buffer, or channels"),
        ("run", "vectors gathered from the activation buffer through a bank, into sums"),
        ("store", "sums to memory, requantised to elements or as they are"),
    )
    return tuple(
        Operation(name, code, unit, meaning, (*_common(code), *fields))
        for code, (name, (unit, meaning), fields) in enumerate(
            zip(OPERATIONS, meanings, own, strict=True)
        )
    )


def _common(code: int) -> tuple[DescriptorField, ...]:
    units = ", ".join(f"bit {place} {unit}" for place, unit in enumerate(UNITS))
    beside = (
        "units whose newest command may still be under way when this one begins; all others have "
        f"ended: {units}"
    )
    return (
        DescriptorField("op", 0, 0, 8, "the operation", code, code),
        DescriptorField("beside", 0, 8, 3, beside, 7),
        DescriptorField("interrupt", 0, 15, 1, "1: raise the interrupt when it has ended", 1),
    )


def _end() -> tuple[DescriptorField, ...]:
    return ()


def _memory(config: EngineConfig, name: str, word: int, meaning: str, step: int) -> DescriptorField:
    return DescriptorField(name, word, 0, 32, meaning, (1 << 32) - step, step=step)


def _load(config: EngineConfig) -> tuple[DescriptorField, ...]:
    macro = config.macro
    field = DescriptorField
    source = "first byte in memory; each row takes whole words of the bus, weights side by side"
    fields = [
        _memory(config, "source", 1, source, config.bus_bytes),
        field("first", 2, 0, 16, "row that the first goes to", macro.rows - 1),
        field("rows", 2, 16, 16, "rows", macro.rows, 1),
        field("bank", 3, 0, 8, "bank that they go to", macro.banks - 1),
        field("signed", 3, 8, 1, "1: weights are two's complement", 1),
    ]
    if macro.w_fuse_width:
        fields += [field("fuse", 3, 16, 8, "mode of the bank, w_fuse", len(macro.modes) - 1)]
    if macro.grouped:
        text = "1: rows follow from a group's first, all of the bank's: the fast path, w_fill"
        fields += [field("fill", 3, 9, 1, text, 1)]
    return (*fields, *_stream(config, 3))


def _copy(config: EngineConfig) -> tuple[DescriptorField, ...]:
    field = DescriptorField
    step = config.bus_bytes
    most = (1 << 16) - 1
    into = (
        "0: lines into the activation buffer; 1: channels, of 4 words each (bias, multiplier, "
        "shift, weight zero point), target the first, count how many, lines 1"
    )
    target = "byte of the activation buffer, which wraps, of the first line; or the first channel"
    return (
        _memory(config, "source", 1, "first byte in memory", step),
        _memory(config, "source_pitch", 2, "bytes from line to line in memory", step),
        field("target", 3, 0, 32, target, (1 << 20) - 1),
        field(
            "target_pitch",
            4,
            0,
            32,
            "bytes from line to line in the buffer",
            (1 << 20) - step,
            0,
            step,
        ),
        field("count", 5, 0, 32, "bytes of a line, or channels", config.act_bytes, 1),
        field("lines", 6, 0, 16, "lines", most, 1),
        field("channels", 6, 16, 1, into, 1),
        *_stream(config, 6),
    )


def _stream(config: EngineConfig, word: int) -> tuple[DescriptorField, ...]:
    text = "1: by the stream in place of memory; addresses then say nothing"
    return (DescriptorField("stream", word, 31, 1, text, 1),) if config.streams else ()


def _run(config: EngineConfig) -> tuple[DescriptorField, ...]:
    macro, field = config.macro, DescriptorField
    half, most, step = 1 << 15, (1 << 16) - 1, config.element_bytes
    lines = "lines of an image: a segment of a line outside 0..lines-1 is padding"
    fields = [
        field("bank", 1, 0, 8, "bank of weights", macro.banks - 1),
        field("signed", 1, 8, 1, "1: inputs are two's complement", 1),
        field("accumulate", 1, 9, 1, "1: add to the sums, 0: replace them", 1),
        field("bits", 1, 16, 8, "precision of inputs, 0: all", macro.input_bits),
        field("vectors", 2, 0, 16, "vectors", config.acc_vectors, 1),
        field("sums", 2, 16, 16, "first vector of the kept sums", config.acc_vectors - 1),
        field(
            "source",
            3,
            0,
            32,
            "byte of the activation buffer of image 0",
            (1 << 20) - step,
            0,
            step,
        ),
        field("image_pitch", 4, 0, 32, "bytes from image to image", (1 << 20) - step, 0, step),
        field(
            "line_bytes",
            5,
            0,
            16,
            "bytes of a line: what lies outside is padding",
            most,
            step,
            step,
        ),
        field("lines", 5, 16, 16, lines, most, 1),
        field("segment", 6, 0, 16, "bytes of a segment, contiguous in a line", most, step, step),
        field(
            "length",
            6,
            16,
            16,
            "bytes of a vector, those of further rows are 0",
            config.vector_bytes,
            step,
            step,
        ),
        field("segments_x", 7, 0, 8, "segments side by side in a line", 255, 1),
        field("segments_y", 7, 8, 8, "lines of segments", 255, 1),
        field("step_x", 7, 16, 16, "bytes from a segment to the one beside it", most, 0, step),
        field("step_y", 8, 0, 16, "lines from a segment to the one below it", most),
        field(
            "stride_x", 8, 16, 16, "bytes from vector to vector in a row of vectors", most, 0, step
        ),
        field("stride_y", 9, 0, 16, "lines from a row of vectors to the next", most),
        field("count_x", 9, 16, 16, "vectors in a row of vectors", most, 1),
        field("count_y", 10, 0, 16, "rows of vectors in an image", most, 1),
        field("pad", 10, 16, 16, "element of padding", most),
        field(
            "origin_x",
            11,
            0,
            16,
            "byte in its line of the first segment of vector 0",
            half - step,
            -half,
            step,
        ),
        field("origin_y", 11, 16, 16, "line of the first segment of vector 0", half - 1, -half),
        field("skip_x", 12, 0, 8, "segment of a line with which vectors begin", 254),
        field("skip_y", 12, 8, 8, "line of segments with which vectors begin", 254),
        field("skip", 12, 16, 16, "byte of that segment with which vectors begin", most, 0, step),
    ]
    if macro.binary:
        fields += [field("rows", 13, 0, 16, "rows that count, 0: all", macro.rows)]
    return tuple(fields)


def _store(config: EngineConfig) -> tuple[DescriptorField, ...]:
    field = DescriptorField
    half = 1 << 15
    raw = "1: sums as they are, sign-extended to 4 bytes, of 48 bits to 8; 0: requantised"
    names = ", ".join(f"{number} {name}" for number, name in enumerate(ROUNDINGS))
    fields = [
        field("target", 1, 0, 32, "byte in memory of the first element", (1 << 32) - 1),
        field("target_pitch", 2, 0, 32, "bytes from vector to vector in memory", (1 << 32) - 1),
        field("vectors", 3, 0, 16, "vectors", config.acc_vectors, 1),
        field("sums", 3, 16, 16, "first vector of the kept sums", config.acc_vectors - 1),
        field(
            "first", 4, 0, 16, "output of a vector with which elements begin", config.outputs - 1
        ),
        field("outputs", 4, 16, 16, "outputs of a vector", config.outputs, 1),
        field("channel", 5, 0, 16, "channel of the first output", config.channels - 1),
        field("rounding", 5, 16, 2, names, len(ROUNDINGS) - 1),
        field("raw", 5, 18, 1, raw, 1),
        field("wide", 5, 19, 1, "1: elements of 2 bytes, 0: of 1", 1),
        field("zero", 6, 0, 16, "zero point of the elements", half - 1, -half),
        field("lowest", 7, 0, 16, "clamp to this at least", half - 1, -half),
        field("highest", 7, 16, 16, "and to this at most; not below lowest", half - 1, -half),
    ]
    if config.weight_zeros:
        text = "output of a vector whose sum is that of its inputs, by a column of ones"
        fields += [field("ones", 8, 0, 16, text, config.outputs - 1)]
    return (*fields, *_stream(config, 5))


def pack_descriptor(config: EngineConfig, name: str, values: Mapping[str, int]) -> list[int]:
    """The DESCRIPTOR_WORDS words of operation ``name``; fields not in ``values`` are their least
    legal value or 0, whichever is larger.

    Raises DescriptorError where a value is not one of its field, or a field is not the operation's.
    """
    operation = operations(config)[OPERATIONS.index(name)]
    known = {field.name for field in operation.fields}
    for key in values:
        if key not in known:
            raise DescriptorError(key, f"is not a field of {name}: {', '.join(sorted(known))}")
    words = [0] * DESCRIPTOR_WORDS
    for field in operation.fields:
        value = values.get(field.name, max(field.least, 0))
        if not field.least <= value <= field.most or value % field.step:
            multiple = f", a multiple of {field.step}" if field.step > 1 else ""
            rule = f"must be in {field.least}..{field.most}{multiple}, not {shown(value)}"
            raise DescriptorError(field.name, f"of {name} {rule}")
        words[field.word] |= (value << field.low) & field.mask
    return words


def check_descriptor(config: EngineConfig, words: Sequence[int]) -> dict[str, int]:
    """The values of a descriptor's fields by name.

    Raises DescriptorError with the first illegal field, in the order of the table: op, then each
    field against its range, then the rules between fields (RULES), then reserved bits, named
    ``reserved``.
    """
    known = operations(config)
    code = words[0] & 0xFF
    if code >= len(known):
        raise DescriptorError("op", f"must be in 0..{len(known) - 1}, not {code}")
    values, used = {}, [0] * DESCRIPTOR_WORDS
    for field in known[code].fields:
        raw = (words[field.word] & field.mask) >> field.low
        value = raw - (1 << field.width) if field.least < 0 and raw >> field.width - 1 else raw
        if not field.least <= value <= field.most or value % field.step:
            raise DescriptorError(
                field.name, f"must be in {field.least}..{field.most}, not {value}"
            )
        values[field.name] = value
        used[field.word] |= field.mask
    for name, legal in _rules(config, OPERATIONS[code], values):
        if not legal:
            raise DescriptorError(name, "reaches beyond the end")
    if any(word & ~mask for word, mask in zip(words, used, strict=True)):
        raise DescriptorError("reserved", "bits must be 0")
    return values


def _rules(config: EngineConfig, name: str, value: Mapping[str, int]) -> list[tuple[str, bool]]:
    """The rules between an operation's fields: the field that is refused, and whether it is
    legal."""
    if name == "load":
        return [("rows", value["first"] + value["rows"] <= config.macro.rows)]
    if name == "copy" and value["channels"]:
        one = value["lines"] == 1
        room = value["target"] + value["count"] <= config.channels
        return [("lines", one), ("count", room)]
    if name == "copy":
        return [("target", value["target"] % config.bus_bytes == 0)]
    if name == "run":
        room = value["sums"] + value["vectors"] <= config.acc_vectors
        begins = value["skip"] < value["segment"]
        inside = value["skip_x"] < value["segments_x"], value["skip_y"] < value["segments_y"]
        return [
            *(("vectors", room), ("skip", begins)),
            *(("skip_x", inside[0]), ("skip_y", inside[1])),
        ]
    if name == "store":
        return [
            ("vectors", value["sums"] + value["vectors"] <= config.acc_vectors),
            ("outputs", value["first"] + value["outputs"] <= config.outputs),
            (
                "channel",
                bool(value["raw"]) or value["channel"] + value["outputs"] <= config.channels,
            ),
            ("highest", value["lowest"] <= value["highest"]),
        ]
    return []
