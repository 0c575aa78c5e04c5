"""A session over a line: requests in flight, replies in order, and what is done where bytes are
lost."""

import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cimforge.host import protocol
from cimforge.host.operands import checked_number
from cimforge.host.port import LinkError, Port, bounded, line
from cimforge.host.protocol import Request

__all__ = [
    "BusError",
    "FrameLink",
    "SessionLostError",
    "UartLink",
    "read_request",
    "write_request",
]

ATTEMPTS = 3  # to open a session, or to get on in one
MOST_STALE = 1 << 14  # bytes that a line still delivers of what was asked before
LOOK = "check cable, port, baud rate and bitstream"


class BusError(Exception):
    """The macro's bus refused an access, which changed nothing."""


class SessionLostError(LinkError):
    """The device was reset, or another program has used it: what it holds is not known."""


class _LossError(Exception):
    """A reply did not come whole and right."""


class FrameLink:
    """Requests of host.protocol over ``port``, several in flight, answered in their order.

    The first call opens a session, whose number it draws; so no bytes of another session are taken
    for its own. Where a reply is lost, garbled or does not come within the port's time-out, a new
    session is opened, ``preamble`` is asked first, and what was not answered is asked again; up to
    3 times without an answer between, then LinkError. SessionLostError where the device tells that
    it was not in this link's session before: it holds what another has left. BusError where the bus
    refuses. After any error or Ctrl-C the next call opens a session first. A port that fails
    (OSError) is a LinkError at once. Every call ends: it waits for at most 6 time-outs of the port
    for a reply, one that never stops sending too.

    ``sent`` and ``received`` count bytes of rows and vectors, and of results, each once.
    """

    def __init__(self, port: Port, preamble: Sequence[Request] = ()):
        self._port = bounded(port)
        self.preamble = preamble
        self._session = 0  # none
        self._sequence = 0
        self._maybe: list[int] = []  # sessions that the device may be in
        self._used = False  # whether a session was opened
        self._window = protocol.BUFFER_BYTES
        self.sent, self.received = 0, 0

    @property
    def most_payload(self) -> int:
        """Bytes of a request's payload of which three are in flight at a time."""
        stored = protocol.stored_bytes(Request(protocol.MULTIPLY, 0))
        most = protocol.LONGEST_LENGTH - protocol.PARAMETER_BYTES
        return min(most, self._window // 3 - stored)

    def read(self, address: int) -> int:
        """The word at a byte address."""
        return int.from_bytes(self.ask(read_request(address)), "little")

    def write(self, address: int, word: int) -> None:
        """Write a word; LinkError where it may or may not have been written."""
        word = checked_number("word", word, 0, (1 << 32) - 1)
        self.ask(write_request(address, word.to_bytes(4, "little"), once=True))

    def ask(self, request: Request) -> bytes:
        """The answer to one request."""
        return self.exchange([request])[0]

    def exchange(
        self,
        requests: Sequence[Request],
        back: Callable[[int], int] = int,
        answered: Callable[[int], None] | None = None,
    ) -> list[bytes]:
        """The answers to requests. Where request number i is not answered, the device is asked
        again from number ``back(i)`` on; ``answered`` is called with the number of answers."""
        answers: list[bytes] = [b""] * len(requests)
        first, failures = 0, 0
        with self._closed_unless_done():
            if not self._session:
                self._resume(requests[0])
            while first < len(requests):
                try:
                    for answer in self._flow(requests[first:]):
                        answers[first] = answer
                        first, failures = first + 1, 0
                        if answered:
                            answered(first)
                except _LossError as loss:
                    failures += 1
                    self._check_repeatable(requests[first], failures, loss)
                    self._resume(requests[first])
                    first = back(first)
        self._count(requests)
        return answers

    @contextmanager
    def _closed_unless_done(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:  # pyserial's SerialException too: the device is gone
            self._session = 0
            raise LinkError(f"the port failed: {line(error)}") from None
        except BaseException:  # Ctrl-C too: replies are on their way
            self._session = 0
            raise

    def _check_repeatable(self, request: Request, failures: int, loss: Exception) -> None:
        """Raise LinkError where the request must not be asked again, or was too often."""
        what = f"{told(request)}: {loss}"
        if request.once:
            raise LinkError(f"{what}; it may or may not have been done")
        if failures >= ATTEMPTS:
            raise LinkError(what)

    def _flow(self, requests: Sequence[Request]) -> Iterator[bytes]:
        """The answers, while the next requests travel: as many as the device's buffer holds."""
        flight: deque[tuple[Request, int]] = deque()
        stored, upcoming = 0, 0
        while flight or upcoming < len(requests):
            while upcoming < len(requests):
                request = requests[upcoming]
                size = protocol.stored_bytes(request)
                if flight and stored + size > self._window:
                    break
                self._port.write(request.frame(self._sequence, self._session))
                flight.append((request, self._sequence))
                self._sequence = (self._sequence + 1) % 256
                stored, upcoming = stored + size, upcoming + 1
            request, sequence = flight.popleft()
            stored -= protocol.stored_bytes(request)
            yield self._reply(request, sequence)

    def _reply(self, request: Request, sequence: int) -> bytes:
        """The payload of a request's reply."""
        least = protocol.LEAST_REPLY
        frame = self._take(least, least + request.answer)
        if frame[0] == protocol.REJECTION and protocol.check(frame, self._session):
            raise _LossError("the device received a garbled request, or not all")
        frame += self._take(request.answer, least + request.answer)
        if frame[0] != protocol.REPLY or not protocol.check(frame, self._session):
            raise _LossError("the reply is garbled, or of another session")
        if frame[1] != sequence:
            raise _LossError(f"the reply is another's: number {frame[1]}, not {sequence}")
        if frame[-1 - protocol.CRC_BYTES] != protocol.DONE:
            raise BusError(f"{told(request)}: the bus refused the access")
        return frame[2 : -1 - protocol.CRC_BYTES]

    def _take(self, count: int, whole: int) -> bytes:
        data = self._port.read(count) if count else b""
        if len(data) < count:
            reason = LOOK if not data else "bytes were lost"
            rule = f"{len(data)} of {count if data else whole} bytes within the time-out"
            raise _LossError(f"{rule}: {reason}")
        return data

    def _resume(self, request: Request) -> None:
        """Go on in a new session, in which the preamble is asked first; SessionLostError where the
        device does not know the session before."""
        for before in self._candidates():
            try:
                self._open(before)
                for _ in self._flow(self.preamble):
                    pass
            except _LossError as loss:
                reason = loss
            else:
                if self._used and not before:
                    rule = "what it holds is not known; load the weights again"
                    whole = f"the device was reset, or another program has used it: {rule}"
                    raise SessionLostError(whole)
                self._used = True
                return
        raise LinkError(f"{told(request)}: {reason}") from None

    def _candidates(self) -> Iterator[int]:
        """Sessions that the device may be in: the last that answered, and what was opened since,
        whose answer may have been lost; 0 for whatever session."""
        if not self._maybe:
            yield from (0,) * ATTEMPTS
            return
        yield self._maybe[-1]
        yield from self._maybe[:-3:-1]
        yield 0

    def _open(self, before: int) -> None:
        """Begin a session after another, 0 for any."""
        session = 1 + secrets.randbelow((1 << 32) - 1)
        self._session = 0
        self._maybe = [*self._maybe, session] if before else self._maybe
        self._port.reset_input_buffer()
        self._port.write(protocol.FILLER + protocol.opening(session, before))
        size = self._opened(session)
        if size >> 4 != protocol.VERSION:
            rule = f"the device's frames are of version {size >> 4}, not {protocol.VERSION}"
            raise LinkError(f"{rule}; build its bitstream with this version")
        # A rest for the next opening, which takes the place of whatever is in the buffer.
        spare = 1 + protocol.stored_bytes(Request(protocol.OPEN, 0))
        self._window = (1 << size % 16) - spare
        self._maybe, self._session, self._sequence = [session], session, 0

    def _opened(self, session: int) -> int:
        """The byte of version and size, from the reply that stands somewhere in what comes."""
        whole, stale = protocol.LEAST_REPLY + protocol.OPEN_REPLY, b""
        deadline = time.monotonic() + getattr(self._port, "timeout", math.inf)
        for _ in range(MOST_STALE // whole):
            if time.monotonic() > deadline:
                break
            places = [i for i, byte in enumerate(stale) if byte == protocol.REPLY]
            for place in places:
                frame = stale[place : place + whole]
                if len(frame) == whole and protocol.check(frame, session):
                    return frame[2]
            begun = [i for i in places if i + whole > len(stale) and stale[i + 1 : i + 2] in b"\0"]
            stale = stale[begun[0] :] if begun else b""
            stale += self._take(whole - len(stale), whole)
        raise _LossError("what comes is no reply: bytes are garbled, or come without an end")

    def _count(self, requests: Sequence[Request]) -> None:
        for request in requests:
            if request.operation in (protocol.LOAD, protocol.MULTIPLY):
                self.sent += len(request.payload)
                self.received += request.answer


UartLink = FrameLink  # the name of a link over a serial line, with which it began


def read_request(first: int, words: int = 1) -> Request:
    """Read ``words`` words from a byte address on."""
    last = checked_address(first) + 4 * (words - 1)
    return Request(protocol.READ, first | checked_address(last) << 16, answer=4 * words)


def write_request(address: int, data: bytes, once: bool = False) -> Request:
    """Write words from a byte address on."""
    return Request(protocol.WRITE, checked_address(address), data, once=once)


def checked_address(address: int) -> int:
    """``address``; ValueError where a frame cannot hold it."""
    if not 0 <= address < 1 << 16:
        raise ValueError(f"address must be in 0..0xffff, not {address:#x}")
    return address


def told(request: Request) -> str:
    """What a request asks for, in a word."""
    names = {protocol.LOAD: "a load of rows", protocol.MULTIPLY: "a product"}
    names[protocol.READ] = f"read of {request.parameter % (1 << 16):#06x}"
    names[protocol.WRITE] = f"write of {request.parameter:#06x}"
    return names.get(request.operation, f"operation {request.operation}")
