"""A quantised network on an engine behind a link: its plan, its images as bytes, its sums."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cimforge.compiler.digits import QuantisedNetwork
from cimforge.compiler.precision import Ints
from cimforge.compiler.soc.engine_program import EngineProgram, plan_network
from cimforge.compiler.soc.network_source import pixel_levels
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_plan import Area
from cimforge.host.engine_stream import Slot, StreamPlan, best_batch, plan_stream

__all__ = ["LinkedNetwork", "plan_linked_network", "read_plan", "written_plan"]

MOST_PAYLOAD = 504  # bytes of a request, of which the batch is a choice, no limit


@dataclass(frozen=True)
class LinkedNetwork:
    """A ``network`` as a ``program`` of ``batch`` images, and the ``plan`` of its stream."""

    network: QuantisedNetwork
    program: EngineProgram
    plan: StreamPlan
    batch: int

    @property
    def macs(self) -> int:
        """Of an image."""
        return self.network.hidden.weights.size + self.network.output.weights.size

    def inputs(self, images: Ints) -> Ints:
        """Images (count, 64), pixels 0..16, as the network's inputs."""
        return np.array(pixel_levels(self.network.input_bits))[images]

    def batches(self, images: Ints) -> list[bytes]:
        """Images (count, 64) as inputs of batches; the last is filled with black ones."""
        levels = self.inputs(images)
        filled = np.pad(levels, ((0, -len(levels) % self.batch), (0, 0)))
        first = self.program.plans[0].image
        parts = np.split(filled, range(self.batch, len(filled), self.batch))
        return [first.inputs(part)[1] for part in parts]

    def sums(self, results: list[bytes], count: int) -> Ints:
        """The sums of the output layer (count, classes) that results of the batches are."""
        last = self.program.plans[-1]
        size = last.outputs.size
        sums = [last.image.results(r[:size], self.batch, last.output_pitch) for r in results]
        return np.concatenate(sums)[:count] + self.program.bias


def plan_linked_network(
    engine: EngineConfig, network: QuantisedNetwork, count: int, ram_bytes: int
) -> LinkedNetwork:
    """The network on ``count`` images, as many at a time as the line is best used with and
    ``ram_bytes`` of memory hold. Raises InputError where it does not hold one, and as
    plan_network does."""
    layers = (network.hidden, network.output)
    one = plan_network(engine, layers, 1, 0)
    batch = best_batch(count, one.plans[0].inputs.size, one.plans[-1].outputs.size, MOST_PAYLOAD)
    while True:
        program = plan_network(engine, layers, batch, 0)
        plan = plan_stream(program.plans, program.commands, program.queue.address)
        if plan.end <= ram_bytes:
            return LinkedNetwork(network, program, plan, batch)
        if batch == 1:
            near = 1 << (plan.end - 1).bit_length()
            rule = f"ram_bytes must hold the network, {plan.end} bytes, not {ram_bytes}"
            raise InputError(f"--ram: {rule} (nearest legal value: {near})")
        batch = (batch + 1) // 2


def written_plan(plan: StreamPlan) -> dict[str, Any]:
    """A plan as plain JSON data."""
    segments = [[address, data.hex()] for address, data in plan.segments]
    slots = [[*s.inputs, *s.outputs, *s.queue, s.descriptors] for s in plan.slots]
    return {"segments": segments, "slots": slots}


def read_plan(told: dict[str, Any]) -> StreamPlan:
    """The plan that written_plan has written."""
    segments = tuple((address, bytes.fromhex(data)) for address, data in told["segments"])
    slots = (Slot(Area(*s[:2]), Area(*s[2:4]), Area(*s[4:6]), s[6]) for s in told["slots"])
    return StreamPlan(segments, tuple(slots))
