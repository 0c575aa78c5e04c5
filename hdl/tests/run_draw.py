"""Commands of a run unit, drawn: fully connected tiles, convolutions, and anything legal."""

from collections.abc import Callable
from random import Random

from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["KINDS", "any_run", "connected", "convolution"]

Run = dict[str, int]


def _multiple(draw: Random, low: int, high: int, step: int) -> int:
    """A multiple of ``step`` in low..high."""
    return draw.randrange(-(-low // step) * step, high + 1, step)


def _common(config: EngineConfig, draw: Random, most: int) -> Run:
    """Fields that do not say what is gathered."""
    macro = config.macro
    vectors = draw.randint(1, min(most, config.acc_vectors))
    run = {
        **{"bank": draw.randrange(macro.banks), "signed": draw.randint(0, 1)},
        **{"bits": draw.randint(0, macro.input_bits), "accumulate": draw.randint(0, 1)},
        **{"vectors": vectors, "sums": draw.randint(0, config.acc_vectors - vectors)},
        **{"pad": draw.getrandbits(16), "skip": 0, "skip_x": 0, "skip_y": 0},
    }
    if macro.binary:
        run["rows"] = draw.randint(0, macro.rows)
    if macro.w_fuse_width:
        run["fuse"] = draw.randrange(1 << macro.w_fuse_width)
    return run


def connected(config: EngineConfig, draw: Random, most: int = 12) -> Run:
    """A fully connected layer: whole vectors or tiles of them, one behind the other."""
    size = config.element_bytes
    length = _multiple(draw, size, config.vector_bytes, size)
    return _common(config, draw, most) | {
        **{"source": _multiple(draw, 0, config.act_bytes - size, size)},
        **{"image_pitch": _multiple(draw, 0, 2 * config.vector_bytes, size)},
        **{"line_bytes": length, "lines": 1, "segment": length, "length": length},
        **{"segments_x": 1, "segments_y": 1, "count_x": 1, "count_y": 1},
        **dict.fromkeys(("step_x", "stride_x", "origin_x", "origin_y"), 0),
        **{"step_y": draw.getrandbits(16), "stride_y": draw.getrandbits(16)},
    }


def convolution(config: EngineConfig, draw: Random, most: int = 12) -> Run:
    """A convolution: kernel, stride, dilation, padding, several images; a tile of its rows."""
    size = config.element_bytes
    channels, width, height = draw.randint(1, 9), draw.randint(1, 9), draw.randint(1, 9)
    kernel_x, kernel_y = draw.randint(1, 4), draw.randint(1, 4)
    pixel = channels * size
    joined = draw.random() < 0.5  # a line of the kernel is one segment
    segment = pixel * kernel_x if joined else pixel
    run = _common(config, draw, most) | {
        **{"source": _multiple(draw, 0, config.act_bytes - size, size)},
        **{"line_bytes": width * pixel, "lines": height, "segment": segment},
        **{"image_pitch": width * height * pixel + _multiple(draw, 0, 6, size)},
        **{"segments_x": 1 if joined else kernel_x, "segments_y": kernel_y},
        **{"step_x": pixel * draw.randint(1, 2), "step_y": draw.randint(1, 2)},
        **{"stride_x": pixel * draw.randint(1, 3), "stride_y": draw.randint(1, 3)},
        **{"count_x": draw.randint(1, 5), "count_y": draw.randint(1, 4)},
        **{"origin_x": -pixel * draw.randint(0, 3), "origin_y": -draw.randint(0, 3)},
        "length": _multiple(draw, size, config.vector_bytes, size),
    }
    if draw.random() < 0.5:
        run["skip"] = _multiple(draw, 0, segment - size, size)
        run["skip_x"] = draw.randrange(run["segments_x"])
        run["skip_y"] = draw.randrange(run["segments_y"])
    return run


def any_run(config: EngineConfig, draw: Random, most: int = 6) -> Run:
    """Any legal fields: large ones as likely as small ones, near the image as often as far off."""
    size, large = config.element_bytes, draw.choice((4, 6, 16))

    def number(bits: int, least: int = 0, step: int = 1) -> int:
        """Of any length up to ``bits``."""
        value = draw.getrandbits(draw.randint(0, min(bits, large)))
        return max(value - value % step, least)

    segments = [max(1, number(8)) for _ in "xy"]
    segment = number(16, size, size)
    image = {"line_bytes": number(16, size, size), "lines": number(16, 1)}
    if draw.random() < 0.5:
        image = {"line_bytes": 0xFFFF // size * size, "lines": 0xFFFF}
    return _common(config, draw, most) | {
        **{"source": number(20, 0, size), "image_pitch": number(20, 0, size)},
        **{**image, "segment": segment},
        "length": _multiple(draw, size, config.vector_bytes, size),
        **{"segments_x": segments[0], "segments_y": segments[1]},
        **{"step_x": number(16, 0, size), "step_y": number(16)},
        **{"stride_x": number(16, 0, size), "stride_y": number(16)},
        **{"count_x": _count(draw), "count_y": _count(draw)},
        "origin_x": draw.choice((1, -1)) * number(15, 0, size),
        "origin_y": draw.choice((1, -1)) * number(15),
        "skip": _multiple(draw, 0, segment - size, size) if draw.random() < 0.5 else 0,
        "skip_x": draw.randrange(segments[0]) if draw.random() < 0.5 else 0,
        "skip_y": draw.randrange(segments[1]) if draw.random() < 0.5 else 0,
    }


def _count(draw: Random) -> int:
    """Vectors in a row, or rows: few, or more than there are."""
    return draw.randint(1, 3) + draw.choice((0, 0, 1 << draw.randint(0, 15)))


KINDS: tuple[Callable[[EngineConfig, Random], Run], ...] = (connected, convolution, any_run)
