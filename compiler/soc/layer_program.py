"""A fully connected layer as a program of a system: the core makes its numbers, the engine computes
it, and a digest tells whether the results are golden's."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cimforge.compiler.precision import Ints
from cimforge.compiler.soc.network_source import HEADER, c_array
from cimforge.golden.requantise import requantise
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_layer import LinearLayer, Requantisation
from cimforge.host.engine_plan import Area, EnginePlan, plan_layer

__all__ = ["LayerProgram", "digest", "noise"]

FIRST = 0x9E3779B9  # of the core's words; never 0
BYTE = 8
HIGH = 1 << BYTE - 1
ROUNDING = "double"


def noise(count: int, word: int = FIRST) -> bytes:
    """``count`` words of xorshift32 behind ``word`` (Marsaglia 2003), as memory holds them: what
    layer.c fills memory with."""
    words = np.empty(count, "<u4")
    for place in range(count):
        word ^= word << 13 & 0xFFFFFFFF
        word ^= word >> 17
        word ^= word << 5 & 0xFFFFFFFF
        words[place] = word
    return words.tobytes()


def digest(data: bytes) -> int:
    """Of whole words of 32 bits: each one rotates what is there by 5 bits and is added; as layer.c
    has it."""
    total = 0
    for word in np.frombuffer(data, "<u4").tolist():
        total = ((total << 5 | total >> 27) + word) & 0xFFFFFFFF
    return total


@dataclass(frozen=True)
class LayerProgram:
    """``inputs`` x ``outputs`` int8 weights for ``batch`` int8 vectors on an engine, in its memory
    from byte ``base`` on; sums are requantised to int8, biases and factors drawn with ``seed``.

    Weights and vectors are noise, made where they lie: tiles of weights, then vectors. Raises
    ValueError where the layer leaves gaps between them: ``inputs`` must be whole rows of the macro,
    ``outputs`` whole columns of it, weights and inputs of 8 bits.
    """

    config: EngineConfig
    inputs: int
    outputs: int
    batch: int
    base: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        config, macro = self.config, self.config.macro
        if (macro.weight_bits, macro.input_bits) != (BYTE, BYTE):
            told = f"{macro.weight_bits} and {macro.input_bits}"
            raise ValueError(f"weight_bits and input_bits must be {BYTE}, not {told}")
        for name, whole in (("inputs", macro.rows), ("outputs", config.modes[0].outputs)):
            value = getattr(self, name)
            if value < 1 or value % whole:
                near = max(1, round(value / whole)) * whole
                rule = f"{name} must be a multiple of {whole}, not {value}"
                raise ValueError(f"{rule} (nearest legal value: {near})")
        if self.plan.weights.size != self.inputs * self.outputs or self.pitch != self.inputs:
            raise ValueError(f"rows of {macro.rows} inputs leave gaps between words of the bus")

    @cached_property
    def plan(self) -> EnginePlan:
        """Where all is, and the commands."""
        return plan_layer(self.config, self.layer, self.batch, base=self.base)

    @property
    def pitch(self) -> int:
        """Bytes from vector to vector."""
        return self.plan.image.tiling.pitch

    @cached_property
    def _noise(self) -> tuple[bytes, bytes]:
        """Weights and vectors, as memory holds them."""
        tiles, vectors = self.inputs * self.outputs, self.inputs * self.batch
        made = noise((tiles + vectors) // 4)
        return made[:tiles], made[tiles:]

    @cached_property
    def layer(self) -> LinearLayer:
        """The layer whose tiles are the noise."""
        draw = np.random.default_rng(self.seed)
        bias = draw.integers(-5000, 5000, self.outputs)
        multiplier = draw.integers(1 << 30, 1 << 31, self.outputs)
        shift = draw.integers(-12, -8, self.outputs)
        rule = Requantisation(multiplier=multiplier, shift=shift, rounding=ROUNDING)
        weights = np.empty(self.inputs * self.outputs, np.int64)
        weights[self._places] = np.frombuffer(self._noise[0], np.int8)
        shaped = weights.reshape(self.outputs, self.inputs)
        return LinearLayer(weights=shaped, bias=bias, requantise=rule)

    @property
    def _places(self) -> Ints:
        """Of each byte of the tiles the place of its weight in (outputs, inputs), which the planner
        is asked a digit after the other."""
        every = np.arange(self.inputs * self.outputs)
        found = np.zeros_like(every)
        for low in range(0, int(every[-1]).bit_length(), BYTE):
            digits = (every >> low) % (1 << BYTE) - HIGH  # one is -HIGH: all bits are used
            layer = LinearLayer(weights=digits.reshape(self.outputs, self.inputs))
            told = next(plan_layer(self.config, layer).segments())[1]
            found += np.frombuffer(told, np.int8).astype(np.int64) + HIGH << low
        return found

    @cached_property
    def expected(self) -> Ints:
        """Results (batch, outputs), by golden."""
        x = np.frombuffer(self._noise[1], np.int8).astype(np.int64).reshape(self.batch, -1)
        layer, rule = self.layer, self.layer.requantise
        assert rule
        return requantise(
            x @ layer.matrix.T,
            layer.bias,
            rule.multiplier,
            rule.shift,
            rounding=ROUNDING,
            lowest=rule.lowest,
            highest=rule.highest,
        )

    @property
    def digest(self) -> int:
        """That of the expected results, as memory holds them."""
        lines = np.zeros((self.batch, self.plan.output_pitch), np.int8)
        lines[:, : self.outputs] = self.expected
        return digest(lines.tobytes())

    @property
    def macs(self) -> int:
        """Products of 8 bits by 8 bits."""
        return self.inputs * self.outputs * self.batch

    def source(self) -> dict[str, str]:
        """Texts by file name, ``engine_sizes.h`` and ``engine_data.c``, for layer.c."""
        plan = self.plan
        areas = {"WEIGHTS": plan.weights, "VECTORS": plan.inputs, "RESULTS": plan.outputs}
        told = {f"LAYER_{name}": area.address for name, area in areas.items()}
        told |= {f"LAYER_{name}_WORDS": area.size // 4 for name, area in areas.items()}
        told |= {"LAYER_FIRST": FIRST, "NETWORK_SEGMENTS": len(self._copied)}
        told |= {"NETWORK_COMMANDS": len(plan.commands), "NETWORK_QUEUE": plan.queue.address}
        lines = "".join(f"#define {name} 0x{value:x}u\n" for name, value in told.items())
        guarded = f"#ifndef ENGINE_SIZES_H\n#define ENGINE_SIZES_H\n\n{lines}\n#endif\n"
        parts, rows = [f'{HEADER}#include "engine_data.h"\n'], []
        for number, (area, data) in enumerate(self._copied):
            words = np.frombuffer(data, "<u4")
            parts.append(c_array("uint32_t", f"segment_{number}", words, "static ", "u"))
            rows.append(f"  {{0x{area.address:x}u, {len(words)}u, segment_{number}}},\n")
        parts += [f"const engine_segment engine_segments[] = {{\n{''.join(rows)}}};\n"]
        return {"engine_sizes.h": HEADER + guarded, "engine_data.c": "\n".join(parts)}

    @property
    def _copied(self) -> list[tuple[Area, bytes]]:
        """What comes from ROM: channels and commands."""
        found = [(Area(address, len(data)), data) for address, data in self.plan.segments()]
        return found[1:]
