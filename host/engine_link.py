"""An engine behind a link: requests in flight, and a port for EngineDriver over them."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host import engine_protocol as told
from cimforge.host.engine_ports import MemoryRegion, region_words
from cimforge.host.link import ATTEMPTS, BusError, FrameLink, read_request, write_request
from cimforge.host.port import LinkError, Port
from cimforge.host.protocol import Request

__all__ = [
    *("EngineLink", "LinkEnginePort"),
    *("get_requests", "moved_bytes", "put_requests", "run_request"),
]

WORD_BYTES = told.WORD_BYTES
MOST_ANSWER = 512  # bytes of memory that are asked for at once: writes go on between the answers
NAMES = {str(operation.code): operation.name for operation in told.OPERATIONS}


def put_requests(address: int, data: bytes, most: int) -> list[Request]:
    """Requests that write whole words of memory from ``address`` on, of at most ``most`` bytes of
    payload each."""
    step = most // WORD_BYTES * WORD_BYTES
    places = range(0, len(data), step)
    return [
        Request(
            told.PUT,
            _parameter({"word": (address + place) // WORD_BYTES}),
            data[place : place + step],
        )
        for place in places
    ]


def get_requests(address: int, size: int) -> list[Request]:
    """Requests whose answers are whole words of memory, ``size`` bytes from ``address`` on."""
    requests = []
    for place in range(0, size, MOST_ANSWER):
        part = min(MOST_ANSWER, size - place)
        fields = {"word": (address + place) // WORD_BYTES, "words": part // WORD_BYTES - 1}
        requests.append(Request(told.GET, _parameter(fields), answer=part))
    return requests


def run_request(queue: int, count: int) -> Request:
    """Wait until the engine is idle, answer with its status, and start ``count`` descriptors from
    address ``queue`` on, 0: none."""
    fields = {"queue": queue // told.QUEUE_BYTES, "count": count}
    return Request(told.RUN, _parameter(fields), answer=WORD_BYTES)


def moved_bytes(
    requests: Sequence[Request], progress: Callable[[int, int], None] | None
) -> Callable[[int], None] | None:
    """``progress`` for a number of answers: bytes of memory that have moved with them, and all."""
    if not progress:
        return None
    tell, sizes = progress, [len(request.payload) + request.answer for request in requests]
    return lambda count: tell(sum(sizes[:count]), sum(sizes))


def _parameter(values: dict[str, int]) -> int:
    """The parameter with these values; ValueError where one does not fit its field."""
    fields = {f.name: f for operation in told.OPERATIONS for f in operation.fields}
    word = 0
    for name, value in values.items():
        most = (1 << fields[name].width) - 1
        if not 0 <= value <= most:
            raise ValueError(f"{name} must be in 0..{most}, not {value}")
        word |= value << fields[name].low
    return word


class EngineLink(FrameLink):
    """FrameLink to a device that executes host.engine_protocol.

    ``sent`` and ``received`` count bytes written to memory and read from it, each once.
    """

    def __init__(self, port: Port, preamble: Sequence[Request] = ()):
        super().__init__(port, preamble)
        self._answer = b""

    def exchange(
        self,
        requests: Sequence[Request],
        back: Callable[[int], int] = int,
        answered: Callable[[int], None] | None = None,
    ) -> list[bytes]:
        """As FrameLink; errors name the operations of an engine's link."""
        with _named():
            return super().exchange(requests, back, answered)

    def stream(
        self,
        requests: Sequence[Request],
        back: Callable[[int], int],
        take: Callable[[int, bytes, bool], None],
    ) -> None:
        """Ask requests; ``take`` is called with each answer's number, its bytes, and whether it is
        the first to this request. Where request number i is not answered, the device is asked again
        from number ``back(i)`` on; LinkError where that happens ATTEMPTS times at one place."""
        known, losses = 0, 0

        def answered(count: int) -> None:
            nonlocal known, losses
            if count > known:
                known, losses = count, 0
                take(count - 1, self._answer, True)
            else:
                take(count - 1, self._answer, False)

        def again(number: int) -> int:
            nonlocal losses
            losses += 1
            if losses > ATTEMPTS:
                rule = f"the line lost bytes there {losses} times"
                raise LinkError(f"request {number + 1} of {len(requests)}: {rule}")
            return back(number)

        self.exchange(requests, again, answered)

    def _reply(self, request: Request, sequence: int) -> bytes:
        self._answer = super()._reply(request, sequence)
        return self._answer

    def _count(self, requests: Sequence[Request]) -> None:
        self.sent += sum(len(r.payload) for r in requests if r.operation == told.PUT)
        self.received += sum(r.answer for r in requests if r.operation == told.GET)


@contextmanager
def _named() -> Iterator[None]:
    """Errors that call an operation by its number call it by its name."""
    try:
        yield
    except (LinkError, BusError) as error:
        text = re.sub(r"\boperation (\d)", lambda m: NAMES.get(m[1], m[0]), str(error))
        error.args = (text,)
        raise


class LinkEnginePort:
    """An engine's registers and memory behind ``link``: an EnginePort for EngineDriver.

    ``ram_bytes`` of memory begin at address 0. A context manager: entering looks whether the
    board's memory is as large. What the line loses is asked again; of a queue's start alone it is
    not known whether it was done: LinkError, and the next call goes on. ``progress`` is called with
    the bytes of memory that a call has moved, and all.

    Raises LinkError as FrameLink does and where the board has less memory, BusError where registers
    refuse an access, ValueError where one lies outside of memory.
    """

    def __init__(
        self,
        link: EngineLink,
        config: EngineConfig,
        *,
        ram_bytes: int,
        progress: Callable[[int, int], None] | None = None,
    ):
        self.link, self._progress = link, progress
        self._region = MemoryRegion(address=0, size=ram_bytes, place=0)
        self._control = EngineMap(config).register("control")

    def __enter__(self) -> "LinkEnginePort":
        last = self._region.size - WORD_BYTES
        try:
            self.read_memory(last, WORD_BYTES)
        except BusError:
            size = self._region.size
            raise LinkError(f"the board has less than {size} bytes of memory") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held: who has the port behind the link closes it."""

    def read_register(self, offset: int) -> int:
        """The register at byte ``offset``."""
        return int.from_bytes(self.link.ask(read_request(offset)), "little")

    def write_register(self, offset: int, value: int) -> None:
        """Write it."""
        starts = offset == self._control.offset and bool(self._control.field("start").of(value))
        self.link.ask(write_request(offset, value.to_bytes(WORD_BYTES, "little"), once=starts))

    def read_memory(self, address: int, count: int) -> bytes:
        """``count`` bytes from ``address`` on."""
        first, words, skipped = region_words(self._region, address, count)
        requests = get_requests(first * WORD_BYTES, words * WORD_BYTES)
        return b"".join(self._move(requests))[skipped : skipped + count]

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes from ``address`` on; words that they fill in part are read before."""
        first, words, skipped = region_words(self._region, address, len(data))
        low, end = first * WORD_BYTES, (first + words) * WORD_BYTES
        head = self.read_memory(low, skipped)
        tail = self.read_memory(address + len(data), end - address - len(data))
        self._move(put_requests(low, head + data + tail, self.link.most_payload))

    def _move(self, requests: Sequence[Request]) -> list[bytes]:
        if not requests:
            return []
        return self.link.exchange(requests, answered=moved_bytes(requests, self._progress))
