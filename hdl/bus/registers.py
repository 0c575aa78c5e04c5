"""The register map of a macro on a 32-bit bus: one table for hardware, software and documents."""

from collections.abc import Iterator
from typing import NamedTuple

from cimforge.hdl.params.config import MacroConfig

__all__ = [
    *("MAGIC", "STATUS_BITS", "TAG_BITS", "WORD_BITS"),
    *("Field", "Register", "RegisterMap", "Window"),
]

WORD_BITS = 32
MAGIC = 0x43494D31  # "CIM1"
TAG_BITS = 6  # far more than there are vectors under way at once
SEGMENTS = ("registers", "x", "w", "y", "q")
STATUS_BITS = {
    "x_ready": "a vector may be started",
    "w_ready": "a row may be written",
    "r_ready": "a row may be read back",
    "y_valid": "a result is in the Y window",
    "q_valid": "a row is in the Q window",
}
TAGS = {
    "x_tag": "vectors started since reset",
    "r_tag": "read-backs started since reset",
    "y_tag": "results come since reset: the Y window holds that of the y_tag-th vector",
    "q_tag": "rows come since reset: the Q window holds that of the q_tag-th read-back",
}


class Field(NamedTuple):
    """Bits low .. low+width-1 of a register; ``value`` is that of a constant field.

    A command with a field whose value is not below ``limit`` is an error; 0: any value is legal.
    """

    name: str
    low: int
    width: int
    meaning: str
    value: int = 0
    limit: int = 0

    @property
    def mask(self) -> int:
        """Ones in the field's place."""
        return ((1 << self.width) - 1) << self.low

    def of(self, word):
        """The field's bits of a word: a number's, or a hardware value's."""
        if isinstance(word, int):
            return (word & self.mask) >> self.low
        return word[self.low : self.low + self.width]


class Register(NamedTuple):
    """A 32-bit register at byte ``offset``; access ro (read only), rw or wo (write only)."""

    name: str
    offset: int
    access: str
    meaning: str
    fields: tuple[Field, ...]

    @property
    def constant(self) -> int:
        """The word made of the constant fields."""
        return sum(field.value << field.low for field in self.fields)

    @property
    def reserved(self) -> int:
        """Ones where no field lies."""
        return (1 << WORD_BITS) - 1 - sum(field.mask for field in self.fields)

    def field(self, name: str) -> Field:
        """The field ``name``."""
        return next(field for field in self.fields if field.name == name)

    def word(self, **values: int) -> int:
        """The word with these values in the fields of these names.

        Raises ValueError where a value is not one of its field.
        """
        word = 0
        for name, value in values.items():
            field = self.field(name)
            most = (field.limit or 1 << field.width) - 1
            if not 0 <= value <= most:
                rule = f"must be in 0..{most}, not {value!r}"
                raise ValueError(f"field {name} of {self.name} {rule}")
            word |= value << field.low
        return word


class Window(NamedTuple):
    """``words`` 32-bit words from byte ``offset`` on; access ro or wo."""

    name: str
    offset: int
    access: str
    words: int
    meaning: str


class RegisterMap:
    """Registers and windows of one macro. Addresses count bytes.

    Five segments of equal size, a power of two: registers, then the X, W, Y and Q windows. What
    lies in no register or window is unmapped.
    """

    def __init__(self, config: MacroConfig):
        self._config = config

    @property
    def result_words(self) -> int:
        """Words of one result in the Y window: sign-extended, low word first."""
        return _words(max(mode.y_bits for mode in self._config.modes))

    @property
    def window_words(self) -> dict[str, int]:
        """Words of each window."""
        config = self._config
        row = _words(max(mode.row_width for mode in config.modes))
        results = sum(mode.outputs for mode in config.modes) * self.result_words
        return {"x": _words(config.rows * config.input_bits), "w": row, "y": results, "q": row}

    def result_span(self, fuse: int = 0) -> range:
        """Words of the Y window that hold the results of mode ``fuse``: those of mode 0 come
        first. All show the same beat, so only those of the bank's mode mean anything."""
        outputs = [mode.outputs * self.result_words for mode in self._config.modes]
        return range(sum(outputs[:fuse]), sum(outputs[: fuse + 1]))

    @property
    def segment_bits(self) -> int:
        """Address bits within a segment."""
        largest = max(len(self.registers()), *self.window_words.values())
        return 2 + (largest - 1).bit_length()

    @property
    def address_bits(self) -> int:
        """Bits of a byte address."""
        return self.segment_bits + (len(SEGMENTS) - 1).bit_length()

    def windows(self) -> tuple[Window, ...]:
        """The windows, in the order of their addresses."""
        config, words = self._config, self.window_words
        x = f"the next vector, row r at bit r * {config.input_bits}"
        w = f"the next row of weights, column c at bit c * {config.weight_bits}"
        size = f"{self.result_words} word(s) a column, sign-extended"
        if config.slices > 1:
            size = f"{self.result_words} word(s) each, sign-extended; {self._spans()}"
            bits = ", ".join(str(mode.weight_bits) for mode in config.modes)
            w = f"the next row of weights, weight j at bit j times its mode's bits ({bits})"
        table = (
            ("x", "wo", x),
            ("w", "wo", w),
            ("y", "ro", f"the oldest result, {size}; an error while y_valid is 0"),
            ("q", "ro", "the row read back, as in W; an error while q_valid is 0"),
        )
        return tuple(
            Window(name, place << self.segment_bits, access, words[name], meaning)
            for place, (name, access, meaning) in enumerate(table, 1)
        )

    def _spans(self) -> str:
        """Where the results of each mode stand."""
        spans = (self.result_span(fuse) for fuse, _ in enumerate(self._config.modes))
        told = (f"mode {fuse} in words {s.start}..{s.stop - 1}" for fuse, s in enumerate(spans))
        return ", ".join(told)

    def window(self, name: str) -> Window:
        """The window ``name``."""
        return next(window for window in self.windows() if window.name == name)

    def register(self, name: str) -> Register:
        """The register ``name``."""
        return next(register for register in self.registers() if register.name == name)

    def registers(self) -> tuple[Register, ...]:
        """The registers, in the order of their addresses."""
        named = [*self._identity(), *self._control(), *self._commands()]
        return tuple(
            Register(name, 4 * place, access, meaning, tuple(fields))
            for place, (name, access, meaning, fields) in enumerate(named)
        )

    def _identity(self) -> Iterator[tuple[str, str, str, list[Field]]]:
        config = self._config
        yield "id", "ro", 'reads "CIM1"', [Field("magic", 0, 32, "0x43494d31", MAGIC)]
        digest = Field("digest", 0, 32, "first 8 hex digits", int(config.digest[:8], 16))
        yield "hash", "ro", "of the configuration, as in the manifest", [digest]
        rows = Field("rows", 0, 16, "rows", config.rows)
        columns = Field("cols", 16, 16, "columns", config.cols)
        yield "geometry", "ro", "size of the macro", [rows, columns]
        widths = [
            Field("input_bits", 0, 8, "most bits of an input", config.input_bits),
            Field("weight_bits", 8, 8, "bits of a weight", config.weight_bits),
            Field("y_bits", 16, 8, "bits of a result", config.y_bits),
            Field("banks", 24, 8, "weight sets", config.banks),
        ]
        yield "precision", "ro", "widths of the macro", widths

    def _control(self) -> Iterator[tuple[str, str, str, list[Field]]]:
        reset = Field("reset", 0, 1, "1 empties streams, passes and windows' states; reads 0")
        yield "control", "rw", "reset; weights are kept", [reset]
        bits = [
            Field(name, place, 1, text) for place, (name, text) in enumerate(STATUS_BITS.items())
        ]
        tags = [
            Field(name, 8 + TAG_BITS * place, TAG_BITS, f"{text}, modulo {1 << TAG_BITS}")
            for place, (name, text) in enumerate(TAGS.items())
        ]
        yield "status", "ro", "what may be done now, and what was", [*bits, *tags]
        yield "irq_enable", "rw", "irq is high while a status bit enabled here is 1", bits

    def _commands(self) -> Iterator[tuple[str, str, str, list[Field]]]:
        config = self._config
        banks, rows, most = config.banks, config.rows, config.input_bits
        bank = Field("bank", 16, 8, f"0..{banks - 1}, else an error", limit=banks)
        row = Field("row", 0, 16, f"0..{rows - 1}, else an error", limit=rows)
        bits = Field("bits", 0, 16, f"precision; 0 or above {most}: {most}")
        sign = Field("signed", 31, 1, "1: two's complement")
        if config.binary:
            sign = Field("signed", 31, 1, "says nothing: -1 and 1 have no sign")
            bits = Field("rows", 0, 16, f"the first that count; 0 or above {rows}: {rows}")
        yield "x_start", "wo", "start a pass on the X window; needs x_ready", [bits, bank, sign]
        fill = Field("fill", 30, 1, "1: the bank's rows follow in order, from a group's first")
        place = [row, bank, *self._fuse_field(), *([fill] if config.grouped else [])]
        yield "w_start", "wo", "write the W window to a row; needs w_ready", [*place, sign]
        yield "r_start", "wo", "read a row back into the Q window; needs r_ready", [row, bank]
        yield "y_next", "wo", "release the Y window; needs y_valid", []
        yield "q_next", "wo", "release the Q window; needs q_valid", []

    def _fuse_field(self) -> list[Field]:
        """The bank's mode, where there are several."""
        modes, width = self._config.modes, self._config.w_fuse_width
        told = ", ".join(f"{n}: {mode.weight_bits} bits" for n, mode in enumerate(modes))
        meaning = f"mode of the bank's weights, {told}, else an error"
        return [Field("fuse", 24, width, meaning, limit=len(modes))] if width else []


def _words(bits: int) -> int:
    return -(-bits // WORD_BITS)
