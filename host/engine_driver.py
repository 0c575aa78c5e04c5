"""EngineDriver: an engine behind a port, as the calls a program wants."""

import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.hdl.bus.engine_map import ENGINE_MAGIC, EngineMap
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, OPERATIONS, operations
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES
from cimforge.hdl.params.interface import ENGINE_VERSION
from cimforge.host.engine_layer import ConvolutionLayer, Layer, LinearLayer
from cimforge.host.engine_plan import ALIGNMENT, EnginePlan, plan_layer
from cimforge.host.engine_ports import EnginePort
from cimforge.host.port import LinkError

__all__ = ["EngineDriver", "QueueError"]

Ints = NDArray[np.int64]
MOST_QUEUE = (1 << 16) - 1  # descriptors of one start
COUNTERS = (
    *("cycles", "compute", "stall_input", "stall_output", "stall_weights", "vectors"),
    *("planes_skipped", "read_words", "written_words"),
)
POLL_SECONDS = 0.0002  # longest pause between two looks at the status
RESERVED = 0xFFFF  # error.field of bits that no field has


class QueueError(Exception):
    """A queue that did not end well: ``cause`` is one of ERROR_CAUSES, overflow or timeout,
    ``index`` the descriptor's number (None where none is known) and ``field`` the name of its field
    that is malformed, else None."""

    def __init__(self, text: str, cause: str, index: int | None = None, field: str | None = None):
        super().__init__(text)
        self.cause, self.index, self.field = cause, index, field


class EngineDriver:
    """An engine of ``config`` behind a ``port``: arrays in, arrays out.

    ``memory`` is the address and the size of memory that the driver may use, at the engine's side
    of the port; layers are planned there. The engine's identity, the version of its interface and
    the configuration's hash are checked first: LinkError where there is no engine, ValueError where
    software or configuration are others. Then it is reset. No call waits longer than ``timeout``
    seconds: what is under way then is reset, and the call ends in QueueError, as where the engine
    stops at an error. As a context manager the driver resets the engine at its end, too.

    ``clock`` gives seconds, ``pause`` waits so many.
    """

    def __init__(
        self,
        port: EnginePort,
        config: EngineConfig,
        *,
        memory: tuple[int, int],
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ):
        if not 0 < timeout < float("inf"):
            raise ValueError(f"timeout must be above 0 seconds, not {timeout!r}")
        base, size = memory
        if base % ALIGNMENT or base < 0 or size < 0:
            rule = f"must begin at a multiple of {ALIGNMENT} and have a size of 0 at least"
            raise ValueError(f"memory {rule}, not {memory}")
        self._port, self._config, self._map = port, config, EngineMap(config)
        self._memory, self._timeout = memory, timeout
        self._clock, self._pause = clock, pause
        self._plans: dict[tuple[int, int], tuple[Layer, EnginePlan]] = {}
        self._free = base
        self._check_identity()
        self.reset()

    def __enter__(self) -> "EngineDriver":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(LinkError, QueueError):
            self.reset()

    def _check_identity(self) -> None:
        found = self._read("id")
        if found != ENGINE_MAGIC:
            rule = f"not {ENGINE_MAGIC:#010x}: no engine there"
            raise LinkError(f"register id reads {found:#010x}, {rule}")
        version = self._read("version")
        if version != ENGINE_VERSION:
            rule = f"not {ENGINE_VERSION}: use the software that was built with it"
            raise ValueError(f"the engine's interface has version {version}, {rule}")
        digest, own = self._read("hash"), self._config.digest[:8]
        if digest != int(own, 16):
            rule = f"not {own} ({self._config.module}): use the configuration that it was built of"
            raise ValueError(f"the engine has hash {digest:08x}, {rule}")

    # registers

    def _read(self, name: str) -> int:
        return self._port.read_register(self._map.register(name).offset)

    def _write(self, name: str, word: int) -> None:
        self._port.write_register(self._map.register(name).offset, word)

    def _control(self, bit: str) -> None:
        self._write("control", self._map.register("control").word(**{bit: 1}))

    def _status(self) -> dict[str, int]:
        word = self._read("status")
        return {field.name: field.of(word) for field in self._map.register("status").fields}

    def counters(self) -> dict[str, int]:
        """What the last queue took, by name: cycles, those of each kind, words of the bus, and
        ``macs``, its 1b-MACs; of a queue of more than MOST_QUEUE descriptors, of its last part."""
        told = {name: self._read(name) for name in COUNTERS}
        high, low = self._read("macs_high"), self._read("macs_low")
        again = self._read("macs_high")
        if again != high:  # the low half has begun anew between the two
            high, low = again, self._read("macs_low")
        return {**told, "macs": high << 32 | low}

    def reset(self) -> None:
        """Soft reset: stop what is under way; memory and weights stay. QueueError, cause timeout,
        where outstanding accesses to memory are not answered in time."""
        self._control("reset")
        if not self._await(lambda status: not status["resetting"]):
            told = "memory does not answer what it was asked for"
            raise QueueError(
                f"the engine is still resetting after {self._timeout} s: {told}", "timeout"
            )

    def _await(self, ends: Callable[[dict[str, int]], bool]) -> bool:
        """Whether the status becomes so in time; the pause grows from look to look."""
        limit, seconds = self._clock() + self._timeout, POLL_SECONDS / 64
        while not ends(self._status()):
            if self._clock() > limit:
                return False
            self._pause(seconds)
            seconds = min(2 * seconds, POLL_SECONDS)
        return True

    # queues

    def run_queue(self, address: int, count: int) -> None:
        """Run ``count`` descriptors from ``address`` on, to the end; QueueError where the engine
        stops before or a sum leaves acc_bits."""
        for first in range(0, count, MOST_QUEUE):
            base = address + first * DESCRIPTOR_BYTES
            self._control("clear")
            self._write("queue_base", base)
            self._write("queue_count", min(MOST_QUEUE, count - first))
            self._control("start")
            self._wait(base, first)

    def _wait(self, base: int, first: int) -> None:
        """Wait for the end of a queue whose first descriptor has number ``first``."""
        if not self._await(lambda status: not status["busy"]):
            done = first + self._read("queue_done")
            with suppress(QueueError):
                self.reset()
            told = (
                f"the engine was busy for {self._timeout} s, {done} descriptors done; it was reset"
            )
            raise QueueError(told, "timeout", done)
        status = self._status()
        if status["error"]:
            raise self._error(base, first)
        if not status["done"]:
            raise LinkError("the engine stopped without an end: it was reset, or the line is lost")
        if status["overflow"]:
            told = f"a sum left {self._config.acc_bits} bits; results are wrong"
            raise QueueError(told, "overflow")

    def _error(self, base: int, first: int) -> QueueError:
        """What the error registers tell."""
        error, index = self._map.register("error"), self._read("error_index")
        word = self._read("error")
        cause = list(ERROR_CAUSES)[error.field("cause").of(word) % len(ERROR_CAUSES)]
        octets = self._port.read_memory(base + index * DESCRIPTOR_BYTES, 4)
        code = octets[0]
        name = OPERATIONS[code] if code < len(OPERATIONS) else f"op {code}"
        field = None
        if cause == "descriptor":
            field = self._field_name(code, error.field("field").of(word))
        told = f"descriptor {first + index} ({name}): {ERROR_CAUSES[cause]}"
        return QueueError(told + (f": {field}" if field else ""), cause, first + index, field)

    def _field_name(self, code: int, number: int) -> str:
        """The field that the error register calls by this number."""
        known = operations(self._config)
        fields = known[code].fields if code < len(known) else known[0].fields
        named = {field.number: field.name for field in fields}
        return "reserved" if number == RESERVED else named.get(number, f"field {number}")

    # layers

    def linear(self, x: ArrayLike, layer: LinearLayer) -> Ints:
        """Results (batch, N) of inputs (batch, K)."""
        return self._compute(x, layer)

    def convolve(self, x: ArrayLike, layer: ConvolutionLayer) -> Ints:
        """Results (batch, count_y, count_x, N) of images (batch, height, width, channels)."""
        return self._compute(x, layer)

    def _compute(self, x: ArrayLike, layer: Layer) -> Ints:
        """A batch that memory does not hold at once is cut."""
        given = np.asarray(x)
        if given.ndim and not len(given):
            return np.zeros((0, *layer.output_shape), np.int64)
        batch, results = len(given) if given.ndim else 1, []
        plan = self.prepare(layer, batch)
        for first in range(0, batch, plan.batch):
            part = given[first : first + plan.batch] if given.ndim else given
            if len(part) < plan.batch:
                plan = self.prepare(layer, len(part))
            results.append(self.run_plan(plan, part))
        return np.concatenate(results)

    def prepare(self, layer: Layer, batch: int) -> EnginePlan:
        """The plan of a layer, its weights and descriptors in memory, of ``batch`` inputs or as
        many as memory holds; kept until memory is needed for others. ValueError where memory does
        not hold that of one input."""
        key = id(layer), batch
        if key not in self._plans:
            self._plans[key] = layer, self._place(layer, batch)
        return self._plans[key][1]

    def _place(self, layer: Layer, batch: int) -> EnginePlan:
        base, size = self._memory
        plan = plan_layer(self._config, layer, batch, base=self._free)
        if plan.end > base + size and self._free > base:
            self._plans.clear()
            plan = plan_layer(self._config, layer, batch, base=base)
        while plan.end > base + size and batch > 1:
            batch = (batch + 1) // 2
            plan = plan_layer(self._config, layer, batch, base=base)
        if plan.end > base + size:
            needed = plan.end - base
            raise ValueError(f"memory must have {needed} bytes for this layer, not {size}")
        for address, data in plan.segments():
            self._port.write_memory(address, data)
        self._free = plan.end
        return plan

    def run_plan(self, plan: EnginePlan, x: ArrayLike) -> Ints:
        """Results of a plan that was prepared, for its batch of inputs."""
        count, data = plan.image.inputs(x)
        if count != plan.run:
            raise ValueError(
                f"x must have {plan.batch} inputs, the plan's batch, not {len(np.asarray(x))}"
            )
        self._port.write_memory(plan.inputs.address, data)
        self.run_queue(plan.queue.address, len(plan.commands))
        told = self._port.read_memory(plan.outputs.address, plan.outputs.size)
        return plan.image.results(told, plan.batch, plan.output_pitch)
