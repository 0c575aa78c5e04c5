"""The C header's functions, compiled as C and as C++, against the packing of the host's driver."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.emit.wrapper_files import register_files
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import from_fields, to_fields

COMPILERS = {"c": ("gcc", "-std=c99"), "cpp": ("g++", "-std=c++11")}
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SIZES = {
    "3x5": MacroConfig(rows=13, cols=11, weight_bits=3, input_bits=5),
    "7x11": MacroConfig(rows=9, cols=10, weight_bits=7, input_bits=11, storage="latch"),
    "11x3": MacroConfig(rows=32, cols=6, weight_bits=11, input_bits=3),
    "1x1": MacroConfig(rows=33, cols=1, weight_bits=1, input_bits=1),
    "16x16": MacroConfig(rows=40, cols=3, weight_bits=16, input_bits=16),
    "named": MacroConfig(rows=5, cols=4, weight_bits=5, input_bits=13, name="Dcim0"),
}
EXPORT = """
#include "NAME_regs.h"
#ifdef __cplusplus
extern "C" {
#endif
int32_t vector(uint32_t *w, const int32_t *v, uint32_t bits, int s);
int32_t row(uint32_t *w, const int32_t *v, int s);
void weights(int32_t *v, const uint32_t *w, int s);
int64_t result(const uint32_t *w, uint32_t c);
int is_of(uint32_t status, uint32_t started);
int32_t vector(uint32_t *w, const int32_t *v, uint32_t bits, int s)
{ return PRE_pack_vector(w, v, bits, s); }
int32_t row(uint32_t *w, const int32_t *v, int s) { return PRE_pack_row(w, v, s); }
void weights(int32_t *v, const uint32_t *w, int s) { PRE_unpack_row(v, w, s); }
int64_t result(const uint32_t *w, uint32_t c) { return PRE_result(w, c); }
int is_of(uint32_t status, uint32_t started) { return PRE_is_result_of(status, started); }
#ifdef __cplusplus
}
#endif
"""


@pytest.fixture(params=COMPILERS)
def load(request, tmp_path):
    """Compiles the header of a configuration into a library."""
    compiler, standard = COMPILERS[request.param]
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} on PATH; install it")

    def build(config: MacroConfig, export: str = EXPORT) -> ctypes.CDLL:
        name = config.module
        (tmp_path / f"{name}_regs.h").write_text(register_files(config)[f"{name}_regs.h"])
        source = tmp_path / f"export.{request.param}"
        source.write_text(export.replace("NAME", name).replace("PRE", name.lower()))
        command = (compiler, standard, *STRICT, "-shared", "-fPIC", "-o", "library.so", source.name)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        library = ctypes.CDLL(tmp_path / "library.so")
        library.result.restype = ctypes.c_int64
        return library

    return build


def pointer(array: np.ndarray):
    """The array as C takes it."""
    return array.ctypes.data_as(ctypes.c_void_p)


def words_of(number: int, count: int) -> list[int]:
    """A window's words."""
    return [number >> 32 * place & 0xFFFFFFFF for place in range(count)]


def limits(bits: int, signed: bool) -> tuple[int, int]:
    """Least and most of that many bits."""
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


@pytest.mark.parametrize("config", SIZES.values(), ids=SIZES)
def test_values_pass_as_the_host_packs_them(config, load):
    library, rng, table = load(config), np.random.default_rng(9), RegisterMap(config)
    wide = {name: table.window(name).words for name in "xwyq"}
    for signed in (False, True):
        for bits in range(config.input_bits + 2):
            used = bits if 1 <= bits <= config.input_bits else config.input_bits
            low, high = limits(used, signed)
            vector = rng.integers(low, high + 1, config.rows, dtype=np.int32)
            vector[:2] = low, high
            words = np.full(wide["x"] + 1, 0xA5A5A5A5, np.uint32)
            assert library.vector(pointer(words), pointer(vector), bits, signed) == -1
            expected = words_of(to_fields(vector, config.input_bits), wide["x"])
            assert words.tolist() == [*expected, 0xA5A5A5A5]
        low, high = limits(config.weight_bits, signed)
        weights = rng.integers(low, high + 1, config.cols, dtype=np.int32)
        words = np.full(wide["w"] + 1, 0xA5A5A5A5, np.uint32)
        assert library.row(pointer(words), pointer(weights), signed) == -1
        expected = words_of(to_fields(weights, config.weight_bits), wide["w"])
        assert words.tolist() == [*expected, 0xA5A5A5A5]
        back = np.zeros(config.cols, np.int32)
        library.weights(pointer(back), pointer(words), signed)
        assert np.array_equal(back, weights)


@pytest.mark.parametrize("config", SIZES.values(), ids=SIZES)
def test_values_out_of_range_are_refused(config, load):
    """The index of the first comes back, and no word was written."""
    library, untouched = load(config), np.full(1000, 0x5A5A5A5A, np.uint32)
    for signed in (False, True):
        for bits, count, call in (
            (config.input_bits, config.rows, lambda w, v, s: library.vector(w, v, 0, s)),
            (1, config.rows, lambda w, v, s: library.vector(w, v, 1, s)),
            (config.weight_bits, config.cols, library.row),
        ):
            low, high = limits(bits, signed)
            for wrong in (low - 1, high + 1, 2**31 - 1, -(2**31)):
                for place in {0, count // 2, count - 1}:
                    values, words = np.zeros(count, np.int32), untouched.copy()
                    values[place:] = wrong
                    assert call(pointer(words), pointer(values), signed) == place
                    assert np.array_equal(words, untouched)


@pytest.mark.parametrize("config", SIZES.values(), ids=SIZES)
def test_results_keep_their_sign(config, load):
    library, table = load(config), RegisterMap(config)
    width = 32 * table.result_words
    low, high = limits(config.y_bits, signed=True)
    values = np.resize(np.array([low, high, -1, 0, 1], np.int64), config.cols)
    words = np.array(words_of(to_fields(values, width), table.window("y").words), np.uint32)
    found = [library.result(pointer(words), column) for column in range(config.cols)]
    assert found == from_fields(to_fields(values, width), width, config.cols, signed=True).tolist()


def test_tags_tell_whose_result_it_is(load):
    config = SIZES["3x5"]
    library, status = load(config), RegisterMap(config).register("status")
    for started in (1, 63, 64, 65, 1000):
        word = status.word(y_valid=1, y_tag=started % 64)
        assert library.is_of(word, started)
        assert not library.is_of(word, started + 1)
        assert not library.is_of(status.word(y_tag=started % 64), started)


BINARY_EXPORT = """
#include "NAME_regs.h"
#ifdef __cplusplus
extern "C" {
#endif
int32_t vector(uint32_t *w, const int32_t *v);
int32_t row(uint32_t *w, const int32_t *v);
void weights(int32_t *v, const uint32_t *w);
int64_t result(const uint32_t *w, uint32_t c);
int32_t vector(uint32_t *w, const int32_t *v) { return PRE_pack_vector(w, v); }
int32_t row(uint32_t *w, const int32_t *v) { return PRE_pack_row(w, v); }
void weights(int32_t *v, const uint32_t *w) { PRE_unpack_row(v, w); }
int64_t result(const uint32_t *w, uint32_t c) { return PRE_result(w, c); }
#ifdef __cplusplus
}
#endif
"""


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (32, 31), (33, 64), (70, 65)])
def test_values_of_a_binary_macro(rows, cols, load):
    """-1 and 1 as bits, all else refused by its index with no word written."""
    bits = {"weight_bits": 1, "input_bits": 1, "multiply": "xnor"}
    config = MacroConfig(rows=rows, cols=cols, **bits)
    library, rng = load(config, BINARY_EXPORT), np.random.default_rng(rows)
    for call, count, window in ((library.vector, rows, "x"), (library.row, cols, "w")):
        size = RegisterMap(config).window(window).words
        values = rng.choice(np.array([-1, 1], np.int32), count)
        words = np.full(size + 1, 0xA5A5A5A5, np.uint32)
        assert call(pointer(words), pointer(values)) == -1
        assert words.tolist() == [*words_of(to_fields((values + 1) // 2, 1), size), 0xA5A5A5A5]
        if window == "w":
            back = np.zeros(count, np.int32)
            library.weights(pointer(back), pointer(words))
            assert np.array_equal(back, values)
        for place in {0, count // 2, count - 1}:
            for wrong in (0, 2, -2):
                broken, untouched = values.copy(), np.full(size, 7, np.uint32)
                broken[place:] = wrong
                assert call(pointer(untouched), pointer(broken)) == place
                assert (untouched == 7).all()


FUSED_EXPORT = """
#include "NAME_regs.h"
#ifdef __cplusplus
extern "C" {
#endif
int32_t row(uint32_t *w, const int32_t *v, uint32_t f, int s);
void weights(int32_t *v, const uint32_t *w, uint32_t f, int s);
int64_t result(const uint32_t *w, uint32_t f, uint32_t c);
uint32_t outputs(uint32_t f);
int32_t row(uint32_t *w, const int32_t *v, uint32_t f, int s) { return PRE_pack_row(w, v, f, s); }
void weights(int32_t *v, const uint32_t *w, uint32_t f, int s) { PRE_unpack_row(v, w, f, s); }
int64_t result(const uint32_t *w, uint32_t f, uint32_t c)
{ return PRE_result(w + PRE_first_word(f), c); }
uint32_t outputs(uint32_t f) { return PRE_outputs(f); }
#ifdef __cplusplus
}
#endif
"""


@pytest.mark.parametrize(("weight_bits", "slice_bits"), [(4, 2), (12, 2), (16, 1)])
def test_rows_and_results_of_each_mode(weight_bits, slice_bits, load):
    """As the host packs them; results of a mode stand behind those of the modes before it."""
    config = MacroConfig(rows=40, cols=3, weight_bits=weight_bits, slice_bits=slice_bits)
    library, rng = load(config, FUSED_EXPORT), np.random.default_rng(weight_bits)
    table = RegisterMap(config)
    width, wide = 32 * table.result_words, table.window("w").words
    values = [rng.integers(-99, 99, mode.outputs) for mode in config.modes]
    shown = np.concatenate(values)
    window = np.array(words_of(to_fields(shown, width), table.window("y").words), np.uint32)
    for fuse, mode in enumerate(config.modes):
        assert library.outputs(fuse) == mode.outputs
        found = [library.result(pointer(window), fuse, place) for place in range(mode.outputs)]
        assert found == values[fuse].tolist()
        for signed in (False, True):
            low, high = limits(mode.weight_bits, signed)
            row = rng.integers(low, high + 1, mode.outputs, dtype=np.int32)
            words = np.full(wide + 1, 0xA5A5A5A5, np.uint32)
            assert library.row(pointer(words), pointer(row), fuse, signed) == -1
            expected = words_of(to_fields(row, mode.weight_bits), wide)
            assert words.tolist() == [*expected, 0xA5A5A5A5]
            back = np.zeros(mode.outputs, np.int32)
            library.weights(pointer(back), pointer(words), fuse, signed)
            assert np.array_equal(back, row)
            row[-1] = high + 1
            assert library.row(pointer(words), pointer(row), fuse, signed) == mode.outputs - 1
    assert library.outputs(len(config.modes)) == config.cols
