"""A quantised network as one queue of an engine's descriptors, and what memory must hold for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cimforge.compiler.quantise import QuantisedLayer, symmetric_limit
from cimforge.compiler.soc.network_source import HEADER, c_array
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.descriptors import pack_descriptor
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_fences import Command, with_fences
from cimforge.host.engine_layer import LinearLayer, Requantisation
from cimforge.host.engine_plan import Area, EnginePlan, plan_layer

__all__ = ["EngineProgram", "plan_network"]


@dataclass(frozen=True)
class EngineProgram:
    """The ``plans`` of a network's layers, whose commands are one queue: each layer reads what the
    one before wrote. ``queue`` is where it lies; ``bias`` is added to the last layer's sums by who
    reads them."""

    plans: tuple[EnginePlan, ...]
    queue: Area
    commands: tuple[Command, ...]
    bias: np.ndarray

    @property
    def config(self) -> EngineConfig:
        """The engine."""
        return self.plans[0].config

    @property
    def end(self) -> int:
        """The first byte of memory behind all of it."""
        return self.queue.end

    @property
    def input_pitch(self) -> int:
        """Bytes from vector to vector of the first layer's inputs."""
        return self.plans[0].image.tiling.pitch

    @property
    def vectors(self) -> int:
        """Vectors of all RUNs: passes of the macro."""
        return sum(fields["vectors"] for name, fields in self.commands if name == "run")

    @property
    def cycles(self) -> int:
        """Cycles of a batch, predicted: of each layer by itself, one after the other."""
        return sum(plan.cycles for plan in self.plans)

    @cached_property
    def segments(self) -> tuple[tuple[int, bytes], ...]:
        """What memory must hold before the queue runs, inputs left out: addresses and bytes."""
        words = [pack_descriptor(self.config, name, fields) for name, fields in self.commands]
        told = [
            (address, data)
            for plan in self.plans
            for address, data in plan.segments()
            if address != plan.queue.address
        ]
        return (*told, (self.queue.address, np.array(words, "<u4").tobytes()))

    def source(self) -> dict[str, str]:
        """Texts by file name, ``engine_sizes.h`` and ``engine_data.c``, which firmware's
        engine_data.h declares."""
        first, last = self.plans[0], self.plans[-1]
        sizes = {
            **{"INPUTS": first.inputs.address, "INPUT_PITCH": self.input_pitch},
            **{"SUMS": last.outputs.address, "SUM_PITCH": last.output_pitch},
            **{"SUM_WORDS": self.config.acc_bits // 48 + 1, "SEGMENTS": len(self.segments)},
            **{"QUEUE": self.queue.address, "COMMANDS": len(self.commands)},
        }
        told = "".join(f"#define NETWORK_{name} 0x{value:x}u\n" for name, value in sizes.items())
        guarded = f"#ifndef ENGINE_SIZES_H\n#define ENGINE_SIZES_H\n\n{told}\n#endif\n"
        parts, rows = [f'{HEADER}#include "engine_data.h"\n'], []
        for number, (address, data) in enumerate(self.segments):
            words = np.frombuffer(data.ljust(-(-len(data) // 4) * 4, b"\0"), "<u4")
            parts.append(c_array("uint32_t", f"segment_{number}", words, "static ", "u"))
            rows.append(f"  {{0x{address:x}u, {len(words)}u, segment_{number}}},\n")
        table = f"const engine_segment engine_segments[] = {{\n{''.join(rows)}}};\n"
        parts += [table, c_array("int32_t", "engine_bias", self.bias)]
        return {"engine_sizes.h": HEADER + guarded, "engine_data.c": "\n".join(parts)}


def plan_network(
    config: EngineConfig, layers: Sequence[QuantisedLayer], batch: int, base: int
) -> EngineProgram:
    """The program of ``batch`` vectors through all ``layers``, in memory from byte ``base`` on.

    All inputs are 0 or more, as behind a ReLU, so a bit less than the layers' is enough. Raises
    InputError where an input takes more than a byte in the engine's memory, and as plan_layer does.
    """
    if config.element_bytes != 1:
        bits = config.macro.input_bits
        rule = f"a system's program has inputs of a byte, and the macro's input_bits is {bits}"
        raise InputError(f"{rule} (nearest legal value: --set input_bits=8)")
    plans: list[EnginePlan] = []
    for number, layer in enumerate(layers):
        last = number == len(layers) - 1
        inputs = plans[-1].outputs.address if plans else None
        base = plans[-1].end if plans else base
        plans.append(plan_layer(config, _linear(layer, last), batch, base=base, inputs=inputs))
    loose = [
        Command(name, {key: value for key, value in fields.items() if key != "interrupt"})
        for plan in plans
        for name, fields in plan.commands
    ]
    commands = tuple(with_fences(config, loose))
    queue = Area(plans[-1].end, 64 * len(commands))
    return EngineProgram(tuple(plans), queue, commands, layers[-1].bias)


def _linear(layer: QuantisedLayer, last: bool) -> LinearLayer:
    """A layer as an engine's planner takes it; of the last the results are its sums, biasless."""
    high = symmetric_limit(layer.output_bits)
    bits = high.bit_length()
    weights = layer.weights.T
    if last:
        return LinearLayer(weights=weights, input_bits=bits, input_signed=False)
    requantise = Requantisation(
        multiplier=layer.multiplier,
        shift=-layer.shift,
        lowest=0 if layer.relu else -high,
        highest=high,
        rounding="double",
    )
    return LinearLayer(
        weights=weights,
        bias=layer.bias,
        requantise=requantise,
        input_bits=bits,
        input_signed=False,
    )
