"""Batch after batch through one program of an engine behind a link: the inputs of the next travel
while the engine computes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import NamedTuple

from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.descriptors import DESCRIPTOR_BYTES, pack_descriptor
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES
from cimforge.host import engine_protocol as told
from cimforge.host import protocol
from cimforge.host.engine_driver import QueueError
from cimforge.host.engine_fences import Command, with_fences
from cimforge.host.engine_link import (
    MOST_ANSWER,
    EngineLink,
    get_requests,
    moved_bytes,
    put_requests,
    run_request,
)
from cimforge.host.engine_plan import Area, EnginePlan
from cimforge.host.link import BusError, read_request, write_request
from cimforge.host.protocol import Request

__all__ = ["EngineStream", "Slot", "StreamPlan", "best_batch", "plan_stream"]

SLOTS = 2
FRAME_BYTES = 1 + protocol.HEAD_BYTES + protocol.PARAMETER_BYTES + protocol.CRC_BYTES
RUN_SHARE = 2  # of WAIT_CYCLES a queue may be predicted to take 1 / RUN_SHARE


class Slot(NamedTuple):
    """A batch's places in memory, and its queue there, of so many ``descriptors``."""

    inputs: Area
    outputs: Area
    queue: Area
    descriptors: int


class StreamPlan(NamedTuple):
    """What memory must hold before the first batch, and the places of batches, taken in turn."""

    segments: tuple[tuple[int, bytes], ...]
    slots: tuple[Slot, ...]

    @property
    def end(self) -> int:
        """The first byte of memory behind all of it."""
        return max(slot.queue.end for slot in self.slots)


def best_batch(count: int, input_bytes: int, output_bytes: int, most: int) -> int:
    """Of ``count`` inputs those that are best sent and computed at a time, where the line is slower
    than the engine: fewest bytes to the board, and of the last results back. ``input_bytes`` and
    ``output_bytes`` are those of one, requests have ``most`` bytes of payload."""

    def line_bytes(batch: int) -> int:
        batches, frames = ceil(count / batch), ceil(batch * input_bytes / most)
        asked = 1 + ceil(batch * output_bytes / MOST_ANSWER)
        sent = batch * input_bytes + FRAME_BYTES * (frames + asked)
        return batches * sent + batch * output_bytes

    return min(range(1, count + 1), key=line_bytes)


def plan_stream(plans: Sequence[EnginePlan], commands: Sequence[Command], base: int) -> StreamPlan:
    """The stream of a program, ``commands`` of ``plans`` that follow one another in memory (one
    plan and its own commands are such a program): a second place for inputs and results, and the
    queues, lie from byte ``base`` on.

    Raises ValueError where a queue is predicted to take more than half of WAIT_CYCLES: batches must
    be smaller.
    """
    config, first, last = plans[0].config, plans[0].inputs, plans[-1].outputs
    most, cycles = told.WAIT_CYCLES // RUN_SHARE, sum(plan.cycles for plan in plans)
    if cycles > most:
        raise ValueError(f"a batch must take at most {most} cycles, not {cycles}: make it smaller")
    segments = [
        (address, data)
        for plan in plans
        for address, data in plan.segments()
        if address != plan.queue.address
    ]
    slots, end = [], base
    for number in range(SLOTS):
        inputs, outputs = first, last
        if number:
            inputs = Area(end, first.size)
            outputs = Area(inputs.end, last.size)
            end = outputs.end
        moved = with_fences(config, [_moved(c, (first, inputs), (last, outputs)) for c in commands])
        queue = Area(end, DESCRIPTOR_BYTES * len(moved))
        words = [word for name, fields in moved for word in pack_descriptor(config, name, fields)]
        segments.append((queue.address, b"".join(word.to_bytes(4, "little") for word in words)))
        slots.append(Slot(inputs, outputs, queue, len(moved)))
        end = queue.end
    return StreamPlan(tuple(segments), tuple(slots))


def _moved(command: Command, inputs: tuple[Area, Area], outputs: tuple[Area, Area]) -> Command:
    """The command with its inputs, or results, in the second of two areas in place of the first."""
    fields = {key: value for key, value in command.fields.items() if key != "beside"}
    at, (old, new) = ("source", inputs) if command.name == "copy" else ("target", outputs)
    moves = command.name in ("copy", "store") and not fields.get("channels")
    if moves and old.address <= fields[at] < old.end:
        fields[at] += new.address - old.address
    return Command(command.name, fields)


class _EndedError(Exception):
    """A batch's queue did not end well."""

    def __init__(self, batch: int, status: int):
        super().__init__(batch)
        self.batch, self.status = batch, status


class EngineStream:
    """Streams batches through the program of ``plan`` on an engine of ``config`` behind ``link``.

    Inputs of batch k + 1 are written, and results of batch k - 1 read, while batch k is computed:
    each of two slots has its places. A loss on the line resets the engine, and what is not answered
    is sent again, from the inputs of the first batch without all its results on; a result is taken
    only behind a status that says that its queue has ended well. Errors: as the link's, and
    QueueError where the engine stops at an error or a sum leaves acc_bits.
    """

    def __init__(self, link: EngineLink, config: EngineConfig, plan: StreamPlan):
        self._link, self._config, self._plan = link, config, plan
        self._map = EngineMap(config)

    def load(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Write what memory must hold before the first batch. ``progress`` is called with bytes
        written, and all."""
        requests: list[Request] = []
        for address, data in self._plan.segments:
            requests += put_requests(address, _whole(data), self._link.most_payload)
        self._link.exchange(requests, answered=moved_bytes(requests, progress))

    def run(
        self, batches: Sequence[bytes], progress: Callable[[int, int], None] | None = None
    ) -> list[bytes]:
        """Results of batches of inputs, each as the plan's areas hold them; what they lack of whole
        words is filled. Counters of the engine begin anew. ``progress`` is called with batches
        done, and all."""
        if not batches:
            return []
        requests, batch_of, starts = self._requests(batches)
        results = [b""] * len(batches)
        running = False  # whether the RUN before has started a queue

        def back(number: int) -> int:
            nonlocal running
            running = False
            return starts[max(0, batch_of[number] - 1)]

        def take(number: int, answer: bytes, first: bool) -> None:
            nonlocal running
            request, batch = requests[number], batch_of[number] - 1
            if request.operation == told.RUN:
                if running:
                    self._check(batch, int.from_bytes(answer, "little"))
                running = told.COUNT.of(request.parameter) > 0
            elif request.operation == told.GET and first:
                results[batch] += answer
                if progress and len(results[batch]) >= self._plan.slots[0].outputs.size:
                    progress(batch + 1, len(batches))

        with self._restarting():
            self._link.stream(requests, back, take)
        return results

    @contextmanager
    def _restarting(self) -> Iterator[None]:
        """A loss on the line resets the engine; a queue's bad end becomes a QueueError."""
        before, self._link.preamble = self._link.preamble, self._settled()
        try:
            yield
        except _EndedError as ended:
            self._link.preamble = before  # which leaves the error registers as they are
            raise self._told(ended) from None
        except BusError as error:
            rule = f"the engine was still busy after {told.WAIT_CYCLES} cycles, or in use"
            raise QueueError(f"{error}: {rule}", "timeout") from None
        finally:
            self._link.preamble = before

    def _requests(self, batches: Sequence[bytes]) -> tuple[list[Request], list[int], list[int]]:
        """Of all batches: requests, the batch that each belongs to, and the first of each batch.

        Of batch k: its inputs, its RUN, which waits for batch k - 1, and the results of k - 1;
        behind the last as of one batch more, whose RUN starts nothing. With the last batch the
        results before it come first, so that both travel at once. All begins with a reset.
        """
        last, slots = len(batches) - 1, self._plan.slots
        requests = [self._settled()[0]]
        batch_of, starts = [0], [0]
        for number in range(len(batches) + 1):
            starts += [len(requests)] if number else []
            slot, before = slots[number % SLOTS], slots[(number - 1) % SLOTS]
            results = get_requests(before.outputs.address, _up(before.outputs.size))
            if number == 0:
                requests += self._inputs(slot, batches[0])
            elif number < last:
                requests += [*self._inputs(slot, batches[number]), *results]
            elif number == last:
                requests += [run_request(0, 0), *results, *self._inputs(slot, batches[number])]
            else:
                requests += [run_request(0, 0), *results]
            batch_of += [number] * (len(requests) - len(batch_of))
        return requests, batch_of, starts

    def _inputs(self, slot: Slot, data: bytes) -> list[Request]:
        """Write a batch's inputs, and start its queue behind the one before."""
        if len(data) != slot.inputs.size:
            raise ValueError(f"a batch must have {slot.inputs.size} bytes, not {len(data)}")
        written = put_requests(slot.inputs.address, _whole(data), self._link.most_payload)
        return [*written, run_request(slot.queue.address, slot.descriptors)]

    def _settled(self) -> tuple[Request, ...]:
        """Requests that reset the engine, and wait until it has settled."""
        control = self._map.register("control")
        word = control.word(reset=1).to_bytes(told.WORD_BYTES, "little")
        return write_request(control.offset, word), run_request(0, 0)

    def _check(self, batch: int, word: int) -> None:
        status = self._map.register("status")
        bits = {field.name for field in status.fields if field.of(word)}
        if bits != {"done"}:
            raise _EndedError(batch, word)

    def _told(self, ended: _EndedError) -> QueueError:
        """What the status, and the error registers, which are as the queue left them, tell."""
        status, where = self._map.register("status"), f"batch {ended.batch}"
        bits = {field.name for field in status.fields if field.of(ended.status)}
        if "error" in bits:
            error = self._map.register("error")
            word, index = (self._read(name) for name in ("error", "error_index"))
            cause = list(ERROR_CAUSES)[error.field("cause").of(word) % len(ERROR_CAUSES)]
            text = f"{where}, descriptor {index}: {ERROR_CAUSES[cause]}"
            return QueueError(text, cause, index)
        if "overflow" in bits:
            rule = f"a sum left {self._config.acc_bits} bits; results are wrong"
            return QueueError(f"{where}: {rule}", "overflow")
        rule = "the engine stopped without an end: another program has used it"
        return QueueError(f"{where}: {rule}", "timeout")

    def _read(self, name: str) -> int:
        offset = self._map.register(name).offset
        return int.from_bytes(self._link.ask(read_request(offset)), "little")


def _whole(data: bytes) -> bytes:
    return data.ljust(_up(len(data)), b"\0")


def _up(size: int) -> int:
    return ceil(size / told.WORD_BYTES) * told.WORD_BYTES
