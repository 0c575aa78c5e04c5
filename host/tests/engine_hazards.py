"""A guard against races that a sequential model cannot see: what each descriptor touches, place by
place, and which may be under way together.

It shares nothing with the planner's fences: addresses are those of the descriptors' definition.
"""

from collections.abc import Iterator

import numpy as np

from cimforge.hdl.params.descriptors import OPERATIONS, check_descriptor
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["hazards"]

UNIT = {"load": "fetch", "copy": "fetch", "run": "run", "store": "store"}
ORDER = ("fetch", "run", "store")  # bits of beside


def hazards(config: EngineConfig, words: np.ndarray, memory: int) -> list[str]:
    """Pairs of descriptors (n, 16 words each) that may be under way together though one writes what
    the other touches; ``memory`` bytes from 0 on."""
    found, newest = [], {}
    for number, each in enumerate(words.tolist()):
        fields = check_descriptor(config, each)
        name = OPERATIONS[fields["op"]]
        reads, writes = _Touched(config, memory).of(name, fields)
        for bit, unit in enumerate(ORDER):
            if not fields["beside"] >> bit & 1:
                newest.pop(unit, None)  # it has ended, and so it has for all that follow
            if unit not in newest:
                continue
            other, other_name, other_reads, other_writes = newest[unit]
            clash = writes & (other_reads | other_writes) | reads & other_writes
            if clash.any() and unit != UNIT[name]:  # those of one unit act in their order
                place = int(np.argmax(clash))
                found.append(f"{number} {name} beside {other} {other_name} at place {place}")
        newest[UNIT[name]] = number, name, reads, writes
    return found


class _Touched:
    """Places of all that may be touched in one line: memory, activation buffer, sums, channels."""

    def __init__(self, config: EngineConfig, memory: int):
        sizes = memory, config.act_bytes, config.acc_vectors, config.channels
        self.config = config
        self.first = np.cumsum([0, *sizes])

    def of(self, name: str, fields: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
        """Places read, places written; banks are the engine's to guard."""
        reads, writes = (np.zeros(self.first[-1], np.bool_) for _ in range(2))
        for space, written, places in getattr(self, f"_{name}")(fields):
            (writes if written else reads)[self.first[space] + places] = True
        return reads, writes

    def _load(self, f: dict[str, int]) -> Iterator[tuple[int, bool, np.ndarray]]:
        size = self.config.row_words * self.config.bus_bits // 8
        yield 0, False, f["source"] + np.arange(f["rows"] * size)

    def _copy(self, f: dict[str, int]) -> Iterator[tuple[int, bool, np.ndarray]]:
        if f["channels"]:
            yield 0, False, f["source"] + np.arange(16 * f["count"])
            yield 3, True, f["target"] + np.arange(f["count"])
            return
        lines, count = np.arange(f["lines"])[:, None], np.arange(f["count"])
        yield 0, False, f["source"] + lines * f["source_pitch"] + count
        yield 1, True, (f["target"] + lines * f["target_pitch"] + count) % self.config.act_bytes

    def _run(self, f: dict[str, int]) -> Iterator[tuple[int, bool, np.ndarray]]:
        v, b = np.arange(f["vectors"])[:, None], np.arange(f["length"])
        place = (f["skip_y"] * f["segments_x"] + f["skip_x"]) * f["segment"] + f["skip"] + b
        sy, sx = np.divmod(place // f["segment"], f["segments_x"])
        oy, ox = v // f["count_x"] % f["count_y"], v % f["count_x"]
        y = f["origin_y"] + oy * f["stride_y"] + sy * f["step_y"]
        x = f["origin_x"] + ox * f["stride_x"] + sx * f["step_x"] + place % f["segment"]
        inside = (y >= 0) & (y < f["lines"]) & (x >= 0) & (x < f["line_bytes"])
        inside &= sy < f["segments_y"]
        image = v // (f["count_x"] * f["count_y"]) * f["image_pitch"]
        yield (
            1,
            False,
            ((f["source"] + image + y * f["line_bytes"] + x) % self.config.act_bytes)[inside],
        )
        sums = f["sums"] + np.arange(f["vectors"])
        yield 2, True, sums
        yield 2, False, sums

    def _store(self, f: dict[str, int]) -> Iterator[tuple[int, bool, np.ndarray]]:
        yield 2, False, f["sums"] + np.arange(f["vectors"])
        size = 4 * (1 + (self.config.acc_bits > 32)) if f["raw"] else 1 + f["wide"]
        if not f["raw"]:
            yield 3, False, f["channel"] + np.arange(f["outputs"])
        line = np.arange(f["outputs"] * size)
        yield 0, True, f["target"] + np.arange(f["vectors"])[:, None] * f["target_pitch"] + line
