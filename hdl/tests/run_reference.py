"""What a run unit must do, byte by byte and output by output, as the descriptors' fields say."""

from collections.abc import Mapping, Sequence
from itertools import islice

from cimforge.hdl.params.descriptors import operations
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["SumsReference", "fields_of_run", "pieces", "setup_cycles", "vectors"]

Run = Mapping[str, int]


def fields_of_run(config: EngineConfig) -> dict[str, int]:
    """Width of each field that a run unit is handed."""
    run = next(known for known in operations(config) if known.name == "run")
    fields = {f.name: f.width for f in run.fields}
    for name in ("op", "beside", "interrupt"):
        del fields[name]
    return fields | ({"fuse": config.macro.w_fuse_width} if config.macro.w_fuse_width else {})


def patch(run: Run) -> list[tuple[int, int, int]]:
    """(sy, sx, b) of each byte of a vector, at most ``length``."""
    whole = (
        (sy, sx, b)
        for sy in range(run["skip_y"], run["segments_y"])
        for sx in range(run["skip_x"] if sy == run["skip_y"] else 0, run["segments_x"])
        for b in range(_skipped(run, sy, sx), run["segment"])
    )
    return list(islice(whole, run["length"]))


def _skipped(run: Run, sy: int, sx: int) -> int:
    """Bytes of a segment in front of the vector's first."""
    return run["skip"] if (sy, sx) == (run["skip_y"], run["skip_x"]) else 0


def vectors(config: EngineConfig, memory: Sequence[int], run: Run) -> list[list[int]]:
    """The elements of each vector of a RUN."""
    size, kept = config.element_bytes, (1 << config.macro.input_bits) - 1
    places, found = patch(run), []
    for number in range(run["vectors"]):
        image = number // (run["count_x"] * run["count_y"])
        oy, ox = number // run["count_x"] % run["count_y"], number % run["count_x"]
        bytes_ = [0] * config.vector_bytes
        for row, (sy, sx, b) in enumerate(places):
            line = run["origin_y"] + oy * run["stride_y"] + sy * run["step_y"]
            column = run["origin_x"] + ox * run["stride_x"] + sx * run["step_x"] + b
            if 0 <= line < run["lines"] and 0 <= column < run["line_bytes"]:
                at = run["source"] + image * run["image_pitch"]
                at += line * run["line_bytes"] + column
                bytes_[row] = memory[at % config.act_bytes]
            else:
                bytes_[row] = run["pad"] >> 8 * (row % size) & 0xFF
        elements = [
            int.from_bytes(bytes(bytes_[low : low + size]), "little") & kept
            for low in range(0, config.vector_bytes, size)
        ]
        found.append(elements)
    return found


def pieces(config: EngineConfig, run: Run) -> int:
    """Cycles that a vector takes: its bytes, cut where a segment or a word of the vector ends."""
    places, word = patch(run), config.gather_bytes
    cuts = [
        row
        for row in range(1, len(places))
        if row % word == 0 or places[row][:2] != places[row - 1][:2]
    ]
    return len(cuts) + 1


def setup_cycles(run: Run) -> int:
    """Cycles from a command's acceptance to its first piece, that of its successor left out."""
    alone = run["segments_y"] == run["count_y"] == 1
    if run["origin_y"] == 0 == run["skip_x"] and alone:
        return 0
    origin = run["origin_y"] if run["origin_y"] >= 0 else -run["origin_y"] - 1
    bits = max(1, *(n.bit_length() for n in (origin, run["step_y"], run["stride_y"])))
    skip_y = run["skip_y"]
    return max(run["skip_x"] + 1, bits + skip_y + (skip_y > 0))


class SumsReference:
    """Kept sums as beats of y change them; None where nothing was written yet."""

    def __init__(self, config: EngineConfig):
        self.config = config
        self.kept: list[list[int] | None] = [None] * config.acc_vectors

    def results(self, data: int, fuse: int) -> list[int]:
        """The outputs of a beat of y."""
        config, modes = self.config, self.config.macro.modes
        mode = modes[fuse if fuse < len(modes) else 0]
        width = max(each.y_width for each in modes)
        found = [0] * config.outputs
        for macro in range(config.macros):
            beat = data >> macro * width
            for output in range(mode.outputs):
                value = beat >> output * mode.y_bits & (1 << mode.y_bits) - 1
                sign = value >> mode.y_bits - 1
                found[macro * mode.outputs + output] = value - (sign << mode.y_bits)
        return found

    def take(self, vector: int, data: int, fuse: int, accumulate: bool) -> bool:
        """One beat; returns whether a sum overflows."""
        old = self.kept[vector] if accumulate else [0] * self.config.outputs
        assert old is not None
        half = 1 << self.config.acc_bits - 1
        exact = [a + b for a, b in zip(old, self.results(data, fuse), strict=True)]
        self.kept[vector] = [(total + half) % (2 * half) - half for total in exact]
        return self.kept[vector] != exact

    def packed(self, vector: int) -> int | None:
        """A kept vector as it is read."""
        kept = self.kept[vector]
        if kept is None:
            return None
        bits = self.config.acc_bits
        return sum((value % (1 << bits)) << bits * n for n, value in enumerate(kept))
