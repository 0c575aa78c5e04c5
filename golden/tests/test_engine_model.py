"""EngineModel: programs of a few descriptors, worked out by hand."""

import numpy as np
import pytest

from cimforge.golden.engine import EngineModel
from cimforge.golden.tests.engine_programs import (
    ACTIVATIONS,
    CHANNELS,
    HALF,
    LOAD,
    ROWS,
    TARGET,
    WEIGHTS,
    channel,
    copy,
    copy_channels,
    elements,
    engine,
    fully_connected,
    pack_rows,
    raw,
    run,
    stored,
)


def test_a_fully_connected_layer_by_hand() -> None:
    """x = 1, 2, 3, -1: 1 + 6 - 15 - 7 = -15 and -2 + 8 + 18 + 8 = 32. With biases 5 and -2 halves
    of -10 and 30, plus 3: -2 and 18."""
    data = {WEIGHTS: ROWS, ACTIVATIONS: b"\1\2\3\xff", TARGET: b""}
    data[CHANNELS] = channel(5, HALF, 0) + channel(-2, HALF, 0)
    steps = [LOAD, copy(4), copy_channels(2), fully_connected(4), elements(zero=3)]
    model, result = run(engine(), steps, data)
    assert result == (5, None, False, ())
    assert model.sums[0].tolist() == [-15, 32]
    assert stored(model, "i1", 3) == [-2, 18, 0xA5 - 256]
    # one vector of 8 planes in 4 x 2 x 4 one-bit cells; words: 4 rows, 1 of inputs, 8 of channels
    assert (model.vectors, model.macs_1b, model.planes_skipped) == (1, 8 * 32, 0)
    assert (model.memory.words_read, model.memory.words_written) == (13, 1)


def test_row_tiles_are_summed_and_vectors_follow_each_other() -> None:
    """Two vectors of 8 bytes; bank 1 holds rows (1, 0), (0, 1), (1, 1), (-1, -1)."""
    config = engine({"banks": 2})
    second = pack_rows(config, [[1, 0], [0, 1], [1, 1], [-1, -1]], 4)
    inputs = bytes([1, 2, 3, 255, 10, 20, 30, 40, 0, 1, 0, 0, 1, 1, 1, 0])
    tile = {"line_bytes": 8, "segment": 8, "image_pitch": 8, "vectors": 2, "sums": 3}
    steps = [
        *(LOAD, ("load", {"source": TARGET, "rows": 4, "signed": 1, "bank": 1}), copy(16)),
        fully_connected(4, **tile),
        fully_connected(4, **tile, skip=4, bank=1, accumulate=1),
        raw(vectors=2, sums=3, target=TARGET + 0x40),
    ]
    data = {WEIGHTS: ROWS, TARGET: second, ACTIVATIONS: inputs}
    model, result = run(config, steps, data)
    assert result.error is None
    # 10 + 30 - 40 = 0, 20 + 30 - 40 = 10 more; row 1 of bank 0 alone, and 1 + 1, 1 + 1
    assert model.sums[3:5].tolist() == [[-15, 42], [3 + 2, 4 + 2]]
    assert stored(model, "<i4", 4, TARGET + 0x40) == [-15, 42, 5, 6]
    # a RUN that does not accumulate begins anew
    _, result = run(config, [fully_connected(4, **tile, skip=4, bank=1)], {}, model)
    assert model.sums[3:5].tolist() == [[0, 10], [2, 2]]


def test_rows_of_a_bank_may_be_loaded_apart() -> None:
    data = {WEIGHTS: ROWS, ACTIVATIONS: b"\1\2\3\xff"}
    two = ("load", {"source": WEIGHTS + 4, "first": 1, "rows": 2, "signed": 1})
    model, _ = run(engine(), [LOAD, two, copy(4), fully_connected(4)], data)
    assert model.macros[0].weights().tolist() == [[1, -2], [3, 4], [-5, 6], [7, -8]]
    run(engine(), [("load", {"source": WEIGHTS, "first": 2, "signed": 1})], {}, model)
    assert model.macros[0].weights().tolist() == [[1, -2], [3, 4], [1, -2], [7, -8]]
    assert model.sums[0].tolist() == [-15, 32]


def test_a_grouped_bank_is_defined_once_it_is_filled() -> None:
    config = engine({"group": 2})
    fill = ("load", {"source": WEIGHTS, "rows": 4, "signed": 1, "fill": 1})
    model, _ = run(config, [fill], {WEIGHTS: ROWS})
    assert model.macros[0].defined()
    model, _ = run(config, [("load", {**fill[1], "rows": 3})], {WEIGHTS: ROWS})
    assert model.macros[0].written.tolist() == [[True, True, False, False]]


def test_elements_of_fewer_bits_and_precisions() -> None:
    """6 bits of an input of a byte count, 4 of them at that precision: 0xD8 is 24, or 8, signed
    -8."""
    config = engine({"rows": 1, "input_bits": 6, "cols": 1})
    for run_of, y in (({"signed": 0}, 24), ({"signed": 0, "bits": 4}, 8), ({"bits": 4}, -8)):
        steps = [("load", {"source": WEIGHTS}), copy(1), fully_connected(1, **run_of)]
        model, _ = run(config, steps, {WEIGHTS: b"\1\0\0\0", ACTIVATIONS: b"\xd8"})
        assert model.sums[0, 0] == y
        assert model.macs_1b == 4 * (run_of.get("bits") or 6)


def test_wide_elements_are_little_endian() -> None:
    """12-bit inputs take two bytes: 0x0123 = 291 and 0xFFF, of which -1 is left."""
    config = engine({"rows": 2, "cols": 1, "input_bits": 12})
    rows = pack_rows(config, [[1], [2]], 4)
    steps = [("load", {"source": WEIGHTS, "rows": 2}), copy(4), fully_connected(4)]
    model, _ = run(config, steps, {WEIGHTS: rows, ACTIVATIONS: b"\x23\x01\xff\xef"})
    assert model.sums[0, 0] == 291 - 2


def test_modes_share_a_bank_s_bits() -> None:
    """Slices of 2 bits: in mode 1 the row 0x43 is weights 3, 0, 0, 1 and 0xE1 1, 0, 2, 3."""
    config = engine({"slice_bits": 2, "rows": 2}, macros=2)
    rows = bytes.fromhex("e143ffff 43e1ffff")
    fused = ("load", {"source": WEIGHTS, "rows": 2, "fuse": 1})
    store = raw(outputs=8, target_pitch=32)
    steps = [fused, copy(2), fully_connected(2), store]
    model, result = run(config, steps, {WEIGHTS: rows, ACTIVATIONS: b"\x0a\1"})
    assert result.error is None
    # macro 0: 10 * (1, 0, 2, 3) + (3, 0, 0, 1), macro 1: 10 * (3, 0, 0, 1) + (1, 0, 2, 3)
    assert stored(model, "<i4", 8) == [13, 0, 20, 31, 31, 0, 2, 13]
    # whole weights: macro 0 10 * (1, 14) + (3, 4), macro 1 10 * (3, 4) + (1, 14)
    whole = ("load", {"source": WEIGHTS, "rows": 2})
    run(config, [whole, fully_connected(2), raw(outputs=4)], {}, model)
    assert stored(model, "<i4", 4) == [13, 144, 31, 54]


def test_macros_have_their_own_columns() -> None:
    """Weights of 4 bits in 3 macros of one column: 12 bits of a row, in a word of its own."""
    config = engine({"cols": 1, "rows": 2}, macros=3)
    rows = pack_rows(config, [[1, -2, 3], [4, 5, -6]], 4)
    assert rows.hex() == "e1030000" + "540a0000"
    steps = [("load", {"source": WEIGHTS, "rows": 2, "signed": 1}), copy(2), fully_connected(2)]
    model, _ = run(config, steps, {WEIGHTS: rows, ACTIVATIONS: b"\2\1"})
    assert model.sums[0].tolist() == [6, 1, 0]
    assert model.macs_1b == 3 * 8 * 2 * 4


def test_rows_of_several_words_are_padded_at_their_end() -> None:
    """5 columns of 8 bits: 40 bits in two words of 32, or one of 64."""
    weights = [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
    for bus_bits, row in ((32, "0102030405000000"), (64, "0102030405000000")):
        config = engine({"rows": 2, "cols": 5, "weight_bits": 8}, bus_bits=bus_bits)
        rows = bytes.fromhex(row.replace("000000", "ffffff") + "060708090a" + "ee" * 3)
        steps = [("load", {"source": WEIGHTS, "rows": 2}), copy(2), fully_connected(2)]
        model, _ = run(config, steps, {WEIGHTS: rows, ACTIVATIONS: b"\1\1"})
        assert model.sums[0].tolist() == np.sum(weights, 0).tolist()
        assert model.memory.words_read == (5 if bus_bits == 32 else 3)


def test_bits_that_stand_for_signs_count_in_the_first_rows() -> None:
    """x = + - + - and weights + + - -, matches less mismatches: of all rows 0, of 3 rows -1, of two
    0; the other column + - + +: 2, 3 and 2."""
    config = engine({"weight_bits": 1, "input_bits": 1, "multiply": "xnor"})
    rows = bytes.fromhex("03000000 01000000 02000000 02000000")
    load = ("load", {"source": WEIGHTS, "rows": 4})
    for counted, y in ((0, [0, 2]), (3, [-1, 3]), (2, [0, 2]), (4, [0, 2])):
        steps = [load, copy(4), fully_connected(4, rows=counted, signed=0)]
        model, _ = run(config, steps, {WEIGHTS: rows, ACTIVATIONS: b"\1\0\1\0"})
        assert model.sums[0].tolist() == y
    assert model.macs_1b == 8


def test_approximate_trees_are_those_of_the_macro() -> None:
    """R17: four ones times 1 make 2 * 1 + 2 * 1 = 4, three of them 2 + 0."""
    config = engine({"tree": "approx1", "cols": 1})
    rows = pack_rows(config, [[1]] * 4, 4)
    steps = [("load", {"source": WEIGHTS, "rows": 4}), copy(8), fully_connected(4, vectors=2)]
    data = {WEIGHTS: rows, ACTIVATIONS: b"\1\1\1\1\1\1\0\1"}
    model, _ = run(config, steps, data)
    assert model.sums[:2, 0].tolist() == [4, 2]


def test_skipped_planes_are_counted() -> None:
    """R21: 3 and 1 need 2 planes, 0 one, of 8; signed -1 one, 127 all."""
    config = engine({"rows": 2, "features": ("zero_skip",)})
    steps = [LOAD, copy(8), fully_connected(2, vectors=2, signed=0)]
    steps[0] = ("load", {**LOAD[1], "rows": 2})
    model, _ = run(config, steps, {WEIGHTS: ROWS, ACTIVATIONS: b"\3\1\0\0\xff\xff\x7f\0"})
    assert (model.vectors, model.planes_skipped, model.macs_1b) == (2, 6 + 7, 3 * 2 * 8)
    run(config, [fully_connected(2, vectors=2, source=4)], {}, model)
    assert (model.vectors, model.planes_skipped, model.macs_1b) == (4, 13 + 7, (3 + 9) * 16)


def test_sums_wrap_and_the_overflow_stays() -> None:
    """2^31 - 1 and one more is -2^31; of 48 bits 2^47 likewise; below -2^31 is 2^31 - 1."""
    for acc_bits in (32, 48):
        config = engine({"rows": 1}, acc_bits=acc_bits)
        most = (1 << acc_bits - 1) - 1
        steps = [("load", {"source": WEIGHTS, "signed": 1}), copy(1), fully_connected(1)]
        # weights 1 and -2
        model, result = run(config, steps, {WEIGHTS: ROWS, ACTIVATIONS: b"\1"})
        assert not result.overflow
        model.sums[0] = most - 1, 1 - most
        more = fully_connected(1, accumulate=1)
        _, result = run(config, [more], {}, model)
        assert (result.overflow, model.sums[0].tolist()) == (False, [most, -most - 1])
        model.sums[0] = most, 0
        _, result = run(config, [more], {}, model)
        assert (result.overflow, model.sums[0].tolist()) == (True, [-most - 1, -2])
        _, result = run(config, [fully_connected(1)], {}, model)
        assert (result.overflow, model.sums[0].tolist()) == (True, [1, -2])
        model.overflow = False
        assert not run(config, [more], {}, model)[1].overflow
        model.sums[0] = 0, -most
        _, result = run(config, [more], {}, model)
        assert (result.overflow, model.sums[0].tolist()) == (True, [1, most])


def test_sums_are_stored_at_any_byte_and_nothing_beside_them() -> None:
    """Sums -15 and 32 at 3 and 3 + 11 past a word, of 4 and of 8 bytes."""
    for acc_bits, size in ((32, 4), (48, 8)):
        data = {WEIGHTS: ROWS, ACTIVATIONS: b"\1\2\3\xff\1\2\3\xff", TARGET: bytes([0x5A] * 64)}
        store = raw(vectors=2, target=TARGET + 3, target_pitch=2 * size + 3)
        steps = [LOAD, copy(8), fully_connected(4, vectors=2), store]
        model, _ = run(engine(acc_bits=acc_bits), steps, data)
        line = (-15).to_bytes(size, "little", signed=True) + (32).to_bytes(size, "little")
        wanted = b"\x5a" * 3 + line + b"\x5a" * 3 + line
        assert model.memory.data[TARGET : TARGET + 64].tobytes() == wanted.ljust(64, b"\x5a")
        # of 4 bytes at 3: words 0..2; at 14: words 3..5; of 8 at 3: 0..4, at 22: 5..9
        assert model.memory.words_written == (6 if size == 4 else 10)


def test_lines_without_a_gap_share_words() -> None:
    """Three vectors of two elements from byte 3 on: bytes 3..8 are words 0..2; with a gap of a byte
    3..4, 6..7 and 9..10, words 0, 1, 1 and 2."""
    for pitch, words in ((2, 3), (3, 4)):
        data = {WEIGHTS: ROWS, ACTIVATIONS: bytes(12), TARGET: b""}
        store = elements(vectors=3, target=TARGET + 3, target_pitch=pitch)
        steps = [LOAD, copy(12), fully_connected(4, vectors=3), store]
        model, result = run(engine(), steps, data)
        assert result.error is None
        assert model.memory.words_written == words


def test_elements_are_stored_at_any_byte_and_nothing_beside_them() -> None:
    """Halves of -15 and 32 are -7.5 -> -8 and 16, even; plus 200 192 and 216: uint8, or of 2
    bytes."""
    data = {WEIGHTS: ROWS, ACTIVATIONS: b"\1\2\3\xff\0\0\0\0", TARGET: bytes([0x5A] * 32)}
    data[CHANNELS] = channel(0, HALF, 0) * 2
    first = [LOAD, copy(8), copy_channels(2), fully_connected(4, vectors=2)]
    told = {"rounding": 2, "zero": 200, "lowest": 0, "highest": 255, "vectors": 2}
    store = elements(**told, target=TARGET + 1, target_pitch=5)
    model, _ = run(engine(), [*first, store], data)
    wanted = bytes([0x5A, 192, 216, 0x5A, 0x5A, 0x5A, 200, 200])
    assert model.memory.data[TARGET : TARGET + 32].tobytes() == wanted.ljust(32, b"\x5a")
    wide = {**told, "wide": 1, "zero": -600, "lowest": -32768, "highest": -590}
    store = elements(**wide, target=TARGET + 3, target_pitch=4)
    model, _ = run(engine(), [*first, store], data)
    # -608, -584 clamped to -590; -600 twice
    wanted = np.array([-608, -590, -600, -600], "<i2").tobytes()
    wanted = bytes([0x5A] * 3) + wanted
    assert model.memory.data[TARGET : TARGET + 32].tobytes() == wanted.ljust(32, b"\x5a")


def test_a_part_of_the_outputs_has_any_channels() -> None:
    """Output 1 alone, 32, with channel 5 of bias 1: (32 + 1) / 2 = 16.5 -> 17."""
    config = engine(channels=6)
    data = {WEIGHTS: ROWS, ACTIVATIONS: b"\1\2\3\xff"}
    data[CHANNELS] = channel(9, 9, 9) + channel(1, HALF, 0)
    store = elements(first=1, outputs=1, channel=5, rounding=1)
    steps = [LOAD, copy(4), copy_channels(2, target=4), fully_connected(4), store]
    model, _ = run(config, steps, data)
    assert stored(model, "i1", 2) == [17, 0xA5 - 256]
    assert (model.channels.bias[4], model.channels.shift[4]) == (9, 9)


def test_weight_zero_points_take_a_column_of_ones() -> None:
    """Weights 5, 1, 7 of zero point 3 are 2, -2, 4: of x = 10, 20, -10 that is 20 - 40 - 40 = -60;
    stored weights give 50 + 20 - 70 = 0 and ones 20, 0 - 3 * 20 = -60. Of x = 1, 2, 3 28 and 6, 28
    - 18 = 10."""
    config = engine({"rows": 3}, weight_zeros=True)
    rows = pack_rows(config, [[5, 1], [1, 1], [7, 1]], 4)
    data = {WEIGHTS: rows, ACTIVATIONS: bytes([10, 20, 246, 1, 2, 3])}
    # of channel 1 the zero point is -2, and the high half of its word means nothing
    data[CHANNELS] = channel(0, HALF, 1, 3) + channel(0, HALF, 1)[:12] + b"\xfe\xff\x55\x55"
    store = {"ones": 1, "vectors": 2, "outputs": 1, "target_pitch": 1}
    steps = [("load", {"source": WEIGHTS, "rows": 3}), copy(6), copy_channels(2)]
    steps += [fully_connected(3, vectors=2), elements(**store)]
    model, _ = run(config, steps, data)
    assert stored(model, "i1", 2) == [-60, 10]
    run(config, [elements(**store, channel=1)], {}, model)
    assert stored(model, "i1", 2) == [0 + 40, 28 + 12]
    # sums as they are have no zero point
    run(config, [raw(ones=1, vectors=2, outputs=1, target_pitch=4)], {}, model)
    assert stored(model, "<i4", 2) == [0, 28]


def test_weight_zero_points_are_exact_beyond_sums() -> None:
    """a = -2^47 and ones = 2^46 of 48 bits. With zero point -2^15 it is 2^61 - 2^47, over 2^62
    0.49997 -> 0, four times that 1.9999 -> 2; with 2^15 - 1 -2^61 - 2^46, -0.50002 -> -1."""
    config = engine({"rows": 1}, acc_bits=48, weight_zeros=True)
    model = EngineModel(config, bytearray(0x1000))
    model.sums[0] = -(1 << 47), 1 << 46
    model.channels.shift[:] = -31
    store = elements(ones=1, outputs=1, rounding=1)[1]
    for zero, multiplier, wanted in ((-32768, 1, 0), (-32768, 4, 2), (32767, 1, -1)):
        model.channels.weight_zero[0] = zero
        model.channels.multiplier[0] = multiplier
        model.execute({"op": 4, **store})
        assert stored(model, "i1", 1) == [wanted]


def test_the_activation_buffer_is_a_ring() -> None:
    """Bytes 60..67 of 64: 1 2 3 -1 at the end, 4 5 6 7 at the beginning; the RUN's images are 4
    bytes apart and go round, too."""
    data = {WEIGHTS: ROWS, ACTIVATIONS: b"\1\2\3\xff\4\5\6\7"}
    around = fully_connected(4, source=60, vectors=2)
    model, _ = run(engine(), [LOAD, copy(8, target=60), around], data)
    assert model.activation[[60, 61, 62, 63, 0, 1, 2, 3]].tolist() == [1, 2, 3, 255, 4, 5, 6, 7]
    # 4 + 15 - 30 + 49 = 38, -8 + 20 + 36 - 56 = -8
    assert model.sums[:2].tolist() == [[-15, 32], [38, -8]]
    # 64 * 3 + 60 is the same byte
    run(engine(), [fully_connected(4, source=252, vectors=2, sums=4)], {}, model)
    assert model.sums[4:6].tolist() == [[-15, 32], [38, -8]]


def test_lines_are_copied_with_pitches_and_no_byte_beside_them() -> None:
    """Three lines of 5 bytes, 8 apart in memory, 12 apart in the buffer."""
    lines = bytes(range(1, 25))
    model = EngineModel(engine(), np.zeros(0x1000, np.uint8))
    model.activation[:] = 0x5A
    told = {"lines": 3, "source_pitch": 8, "target": 4, "target_pitch": 12}
    model, _ = run(engine(), [copy(5, **told)], {ACTIVATIONS: lines}, model)
    wanted = [0x5A] * 64
    for line in range(3):
        wanted[4 + 12 * line : 9 + 12 * line] = lines[8 * line : 8 * line + 5]
    assert model.activation.tolist() == wanted
    assert model.memory.words_read == 6
    # addresses wrap at 2^32: a pitch of -8 goes back
    told |= {"source": ACTIVATIONS + 16, "source_pitch": (1 << 32) - 8}
    run(engine(), [copy(5, **told)], {}, model)
    assert model.activation[[4, 16, 28]].tolist() == [17, 9, 1]


def test_streams_take_the_place_of_memory() -> None:
    """Rows and lines begin with a word of the stream each; elements follow without a gap."""
    config = engine(streams=True)
    model = EngineModel(config, bytearray(0x400))
    model.memory.incoming += ROWS + bytes.fromhex("01020388 ff000000")
    model.memory.incoming += channel(5, HALF, 0) + channel(-2, HALF, 0)
    steps = [
        ("load", {"rows": 4, "signed": 1, "stream": 1}),
        ("copy", {"count": 3, "lines": 2, "target_pitch": 4, "stream": 1}),
        ("copy", {"count": 2, "channels": 1, "stream": 1}),
        *(fully_connected(3, image_pitch=4, vectors=2), elements(zero=3, vectors=2, stream=1)),
        raw(stream=1),
    ]
    model, result = run(config, steps, {}, model)
    assert result.error is None
    # 1 + 6 - 15 = -8, -2 + 8 + 18 = 24; -1, 2: halves of -3, 22, 4, 0 (ties up), and 3
    assert np.frombuffer(model.memory.outgoing[:4], "i1").tolist() == [-1 + 3, 14, 5, 3]
    assert np.frombuffer(model.memory.outgoing[4:], "<i4").tolist() == [-8, 24]
    assert (model.memory.words_read, model.memory.words_written) == (0, 0)
    assert not model.memory.incoming
    with pytest.raises(ValueError, match=r"^the stream into the engine must hold 8 bytes, not 0$"):
        run(config, [steps[1]], {}, model)
