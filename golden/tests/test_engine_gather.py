"""The gather: patches by hand, convolutions beside nested loops, tiles beside slices."""

import random

import numpy as np
import pytest

from cimforge.golden.engine import EngineModel
from cimforge.golden.engine_gather import gather_vectors
from cimforge.golden.tests.engine_programs import DATA, engine, pack_rows, run
from cimforge.hdl.params.descriptors import check_descriptor, pack_descriptor

SEEDS = range(60)


def gathered(config, buffer: bytes, **fields: int) -> list[list[int]]:
    """The vectors of a RUN whose other fields are the least, from a buffer that begins so."""
    ring = np.zeros(config.act_bytes, np.uint8)
    ring[: len(buffer)] = np.frombuffer(buffer, np.uint8)
    run_of = check_descriptor(config, pack_descriptor(config, "run", fields))
    return gather_vectors(config, ring, run_of).tolist()


# An image of 3 lines of 4 bytes: 11..14, 21..24, 31..34
IMAGE = bytes([11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34])
WHOLE = {"line_bytes": 4, "lines": 3}


def test_patches_by_hand() -> None:
    """2 x 2 bytes at each place of a 2 x 3 grid, in a macro of 5 rows."""
    config = engine({"rows": 5})
    patch = WHOLE | {"segment": 2, "segments_y": 2, "step_y": 1, "length": 4}
    grid = {"count_x": 3, "count_y": 2, "stride_x": 1, "stride_y": 1, "vectors": 6}
    assert gathered(config, IMAGE, **patch, **grid) == [
        *([11, 12, 21, 22, 0], [12, 13, 22, 23, 0], [13, 14, 23, 24, 0]),
        *([21, 22, 31, 32, 0], [22, 23, 32, 33, 0], [23, 24, 33, 34, 0]),
    ]
    # two bytes to the right a vector, and one row of vectors: the third begins beyond the line
    row = {"count_x": 3, "stride_x": 2, "vectors": 3, "pad": 99}
    assert gathered(config, IMAGE, **patch, **row)[1:] == [[13, 14, 23, 24, 0], [99] * 4 + [0]]


def test_padding_by_hand() -> None:
    """3 x 3 around the corner, of an image whose lines are padded with 7 on all sides."""
    config = engine({"rows": 9})
    patch = WHOLE | {"segment": 3, "segments_y": 3, "step_y": 1, "length": 9, "pad": 7}
    corner = gathered(config, IMAGE, **patch, origin_x=-1, origin_y=-1)
    assert corner == [[7, 7, 7, 7, 11, 12, 7, 21, 22]]
    assert gathered(config, IMAGE, **patch, origin_x=2, origin_y=1) == [
        [23, 24, 7, 33, 34, 7, 7, 7, 7]
    ]
    # only the element's low bits count
    few = engine({"rows": 9, "input_bits": 4})
    assert gathered(few, IMAGE, **patch | {"pad": 0xFF7}, origin_y=-1)[0][:4] == [7, 7, 7, 11]


def test_dilated_segments_by_hand() -> None:
    """2 x 2 bytes, 2 apart in both directions: of three elements wanted the last is 0."""
    config = engine({"rows": 5})
    patch = WHOLE | {"segment": 1, "segments_x": 2, "segments_y": 2, "step_x": 2, "step_y": 2}
    assert gathered(config, IMAGE, **patch, length=5) == [[11, 13, 31, 33, 0]]
    assert gathered(config, IMAGE, **patch, length=3, origin_x=1) == [[12, 14, 32, 0, 0]]
    # tiles begin at segments: the second line of segments, its second segment
    assert gathered(config, IMAGE, **patch, length=5, skip_y=1) == [[31, 33, 0, 0, 0]]
    assert gathered(config, IMAGE, **patch, length=2, skip_x=1) == [[13, 31, 0, 0, 0]]


def test_images_follow_at_their_pitch() -> None:
    """One vector an image, of a pitch of 5 bytes, from byte 1 on."""
    config = engine({"rows": 2})
    told = {"line_bytes": 2, "segment": 2, "length": 2, "image_pitch": 5, "source": 1, "vectors": 3}
    assert gathered(config, IMAGE, **told) == [[12, 13], [23, 24], [34, 0]]


def test_elements_of_two_bytes_by_hand() -> None:
    """0x0B0C little-endian: 12 11; padding is an element, and the ring's end may lie beside one."""
    config = engine({"rows": 3, "input_bits": 12})
    told = {"line_bytes": 4, "segment": 6, "length": 6, "origin_x": -2, "pad": 0x345}
    assert gathered(config, bytes([12, 11, 14, 13]), **told) == [[0x345, 0xB0C, 0xD0E]]
    told |= {"source": 62, "origin_x": 0}
    assert gathered(config, bytes([14, 13]), **told) == [[0, 0xD0E, 0x345]]


def drawn_layer(rng: random.Random) -> dict[str, int]:
    """A convolution whose results all exist."""
    layer = {name: rng.randint(1, 3) for name in ("channels", "images", "stride_x", "stride_y")}
    layer |= {"kernel_x": rng.randint(1, 3), "kernel_y": rng.randint(1, 3)}
    layer |= {"dilation_x": rng.randint(1, 2), "dilation_y": rng.randint(1, 2)}
    layer |= {
        "pad_x": rng.randint(0, 2),
        "pad_y": rng.randint(0, 2),
        "zero": rng.randint(-128, 127),
    }
    for axis in ("x", "y"):
        span = layer[f"dilation_{axis}"] * (layer[f"kernel_{axis}"] - 1) + 1
        layer[f"size_{axis}"] = max(1, span + rng.randint(0, 4) - layer[f"pad_{axis}"])
        room = layer[f"size_{axis}"] + 2 * layer[f"pad_{axis}"] - span
        layer[f"out_{axis}"] = room // layer[f"stride_{axis}"] + 1
    return layer


def convolve(layer: dict[str, int], image: np.ndarray, kernel: np.ndarray) -> list:
    """[image][line][column][output] in plain loops; what lies outside is the zero point.

    ``image`` (images, lines, columns, channels), ``kernel`` (lines, columns, channels, outputs).
    """
    pixels, weights = image.tolist(), kernel.tolist()
    results = []
    for n in range(layer["images"]):
        for oy in range(layer["out_y"]):
            for ox in range(layer["out_x"]):
                totals = [0] * kernel.shape[3]
                for ky in range(layer["kernel_y"]):
                    for kx in range(layer["kernel_x"]):
                        y = oy * layer["stride_y"] + ky * layer["dilation_y"] - layer["pad_y"]
                        x = ox * layer["stride_x"] + kx * layer["dilation_x"] - layer["pad_x"]
                        inside = 0 <= y < layer["size_y"] and 0 <= x < layer["size_x"]
                        for c in range(layer["channels"]):
                            value = pixels[n][y][x][c] if inside else layer["zero"]
                            for output, weight in enumerate(weights[ky][kx][c]):
                                totals[output] += value * weight
                results.append(totals)
    return results


def convolution(layer: dict[str, int], source: int) -> dict[str, int]:
    """The fields of a RUN that are the same in all tiles of its patch."""
    channels = layer["channels"]
    line = layer["size_x"] * channels
    told = {"source": source, "image_pitch": line * layer["size_y"], "line_bytes": line}
    told |= {"lines": layer["size_y"], "segments_y": layer["kernel_y"], "signed": 1}
    told |= {"step_y": layer["dilation_y"], "stride_y": layer["stride_y"]}
    told |= {"stride_x": layer["stride_x"] * channels, "pad": layer["zero"] & 0xFFFF}
    told |= {"count_x": layer["out_x"], "count_y": layer["out_y"]}
    told |= {"origin_x": -layer["pad_x"] * channels, "origin_y": -layer["pad_y"]}
    told |= {"vectors": layer["images"] * layer["out_x"] * layer["out_y"]}
    if layer["dilation_x"] == 1:
        return told | {"segment": channels * layer["kernel_x"]}
    told |= {"segments_x": layer["kernel_x"], "step_x": layer["dilation_x"] * channels}
    return told | {"segment": channels}


def skips(told: dict[str, int], begin: int) -> dict[str, int]:
    """Where byte ``begin`` of the patch lies."""
    line = told["segment"] * told.get("segments_x", 1)
    skip_x, skip = divmod(begin % line, told["segment"])
    return {"skip_y": begin // line, "skip_x": skip_x, "skip": skip}


@pytest.mark.parametrize("seed", SEEDS)
def test_convolutions_match_nested_loops(seed: int) -> None:
    """Of any stride, dilation and padding, its patch in as many tiles as it takes; images wrap
    round the ring."""
    print(f"seed {seed}")
    rng, draw = random.Random(seed), np.random.default_rng(seed)
    layer = drawn_layer(rng)
    shape = layer["images"], layer["size_y"], layer["size_x"], layer["channels"]
    image = draw.integers(-128, 128, shape)
    kernel_shape = layer["kernel_y"], layer["kernel_x"], layer["channels"], 2
    kernel = draw.integers(-8, 8, kernel_shape)
    patch = kernel.size // 2
    rows = rng.randint(-(-patch // 4), patch)
    config = engine(
        {"rows": rows, "banks": 4}, act_bytes=1024, acc_vectors=400, bus_bits=rng.choice([32, 64])
    )

    model = EngineModel(config, np.zeros(0x4000, np.uint8))
    source = rng.randrange(1024)
    model.activation[(source + np.arange(image.size)) % 1024] = image.astype(np.uint8).ravel()
    told = convolution(layer, source)
    for bank, begin in enumerate(range(0, patch, rows)):
        length = min(rows, patch - begin)
        # rows beyond the tile get inputs of 0, so whatever weights
        weights = draw.integers(-8, 8, (rows, 2))
        weights[:length] = kernel.reshape(-1, 2)[begin : begin + length]
        load = ("load", {"source": DATA, "rows": rows, "signed": 1, "bank": bank})
        tile = {"length": length, "bank": bank, "accumulate": int(begin > 0), **skips(told, begin)}
        steps = [load, ("run", told | tile)]
        _, result = run(config, steps, {DATA: pack_rows(config, weights, 4)}, model)
        assert result.error is None
    assert model.sums[: told["vectors"]].tolist() == convolve(layer, image, kernel)


@pytest.mark.parametrize("seed", range(20))
def test_tiles_are_slices_of_the_patch(seed: int) -> None:
    """Of any beginning and length, also beyond the patch's end, where it is 0."""
    print(f"seed {seed}")
    rng = random.Random(1000 + seed)
    layer = drawn_layer(rng)
    told = convolution(layer, rng.randrange(256))
    patch = layer["kernel_x"] * layer["kernel_y"] * layer["channels"]
    config = engine({"rows": 40}, act_bytes=256, acc_vectors=400)
    buffer = bytes(rng.randrange(1, 256) for _ in range(256))
    told["pad"] = 77
    whole = gathered(config, buffer, **told, length=patch)
    for _ in range(8):
        begin = rng.randrange(patch)
        length = rng.randint(1, 40)
        tiles = gathered(config, buffer, **told, length=length, **skips(told, begin))
        for tile, vector in zip(tiles, whole, strict=True):
            part = vector[begin : begin + length]
            assert tile == (part + [0] * 40)[:40]
