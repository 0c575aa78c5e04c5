"""Files beside the Verilog: those that need the golden model or a simulation (testbench and timing
diagram), and a bus wrapper's."""

from cimforge.golden.macro import MacroModel
from cimforge.hdl.emit.diagram import draw, record
from cimforge.hdl.emit.testbench import SEED, TestVector, render_testbench, words_per_beat
from cimforge.hdl.emit.wrapper_files import wrapper_files
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import from_fields, to_fields

__all__ = ["macro_extras"]

VECTORS = 10


def macro_extras(
    config: MacroConfig, bus: str | None = None, patience: int | None = None
) -> dict[str, str]:
    """Texts by file name: the plain Verilog testbench, the timing diagram and its source, and the
    wrapper for ``bus`` (of BUSES), ``patience`` as for wrapper_files."""
    source, picture = draw(config, record(config))
    return {
        f"tb_{config.module}.v": render_testbench(config, _vectors(config)),
        "timing.json": source,
        "timing.svg": picture,
        **(wrapper_files(config, bus, patience) if bus else {}),
    }


def _vectors(config: MacroConfig) -> list[TestVector]:
    """Ten passes on signed weights, precisions and signs in turn, with golden's results."""
    words = _xorshift(SEED)
    model = MacroModel(config)
    for row in range(config.rows):
        beat = _beat(words, config.cols * config.weight_bits)
        patterns = from_fields(beat, config.weight_bits, config.cols, signed=False)
        model.write(0, row, patterns, True)
    vectors = []
    for index in range(VECTORS):
        bits = max(1, config.input_bits - index // 2)
        beat = _beat(words, config.rows * config.input_bits)
        x = from_fields(beat, config.input_bits, config.rows, signed=False)
        y = model.mvm(x, x_bits=bits, x_signed=bool(index % 2))
        expected = to_fields(y, config.y_bits)
        vectors.append(TestVector(bits, bool(index % 2), expected))
    return vectors


def _xorshift(state: int):
    """The words of the testbench's generator."""
    while True:
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        yield state


def _beat(words, width: int) -> int:
    """The next beat of ``width`` bits."""
    value = sum(next(words) << (32 * place) for place in range(words_per_beat(width)))
    return value & ((1 << width) - 1)
