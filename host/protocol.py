"""Frames between host and bridge: the one description both sides are built from.

Request:  REQUEST (or OPENING, RESUMING), sequence, length, shape, parameter (4 bytes), payload,
          CRC (4 bytes).
Reply:    REPLY, sequence, payload, status, CRC (4); or REJECTION, expected sequence, status, CRC.

Numbers go low byte first. ``length`` counts the parameter and the payload: its low 8 bits stand in
the byte ``length``, its highest in bit 0 of ``shape``, whose bits 2..4 are the operation and bits
5..7 the mode of a result. A reply is as long as its request says, so it needs no length.

The CRC is CRC-32 as in zlib, over all bytes before it, and goes on from the session: 32 bits that
the host draws when it opens the link. So a frame of another session fails its check as a garbled
one does. Requests count up from 0 in a session, and the device takes them in that order alone: what
comes after a lost one is rejected. It acts on a request only after its check.

A request that begins with OPENING or RESUMING begins a session, whatever its sequence number. The
CRC of OPENING goes on from 0; that of RESUMING goes on from the session before, so it is right only
where nobody has reset or used the device since. A reset device is in session 0.

| operation | parameter | payload | reply's payload |
|---|---|---|---|
| OPEN | the new session | | VERSION << 4, and the power of two of the buffer's bytes |
| WRITE | address | words for it and the addresses above | |
| READ | first address, last address << 16 | | the words |
| LOAD | word for w_start, its row counting up | rows, in whole bytes | |
| MULTIPLY | word for x_start | vectors, in whole bytes | results, each in whole bytes |

An access that the bus refuses is tried again TRIES times: so a command waits until its stream is
ready, and a result's read until it is there. What is refused still ends in status REFUSED, and
nothing more of that frame is done.
"""

from typing import NamedTuple
from zlib import crc32

__all__ = [
    *("OPENING", "REJECTION", "REPLY", "REQUEST", "RESUMING"),
    *("BUFFER_BYTES", "CRC_BYTES", "HEAD_BYTES", "LEAST_REPLY", "LONGEST_LENGTH"),
    *("PARAMETER_BYTES", "DONE", "FILLER", "OPEN_REPLY", "REFUSED", "RESIDUE", "TRIES", "VERSION"),
    *("LOAD", "MULTIPLY", "OPEN", "READ", "WRITE"),
    *("Request", "check", "opening", "stored_bytes"),
]

VERSION = 1  # of the frames; a host refuses another
REQUEST, OPENING, RESUMING, REPLY, REJECTION = 0xA5, 0xC6, 0x93, 0x5A, 0x39
OPEN, WRITE, READ, LOAD, MULTIPLY = range(5)
DONE, REFUSED = 0, 1
HEAD_BYTES = 3  # of a request, between its first byte and its parameter
PARAMETER_BYTES = 4
CRC_BYTES = 4
LONGEST_LENGTH = (1 << 9) - 1
BUFFER_BYTES = 1024  # of a device's buffer, at least
LEAST_REPLY = 3 + CRC_BYTES
OPEN_REPLY = 1  # bytes of its payload
TRIES = 1 << 11
RESIDUE = 0xDEBB20E3  # the CRC's register after a frame with its right CRC
# Ends any request that is under way, and begins none.
FILLER = bytes(1 + HEAD_BYTES + LONGEST_LENGTH + CRC_BYTES)


class Request(NamedTuple):
    """A request of a session; ``answer`` is the number of bytes of its reply's payload, ``once``
    says that it must not be done a second time."""

    operation: int
    parameter: int
    payload: bytes = b""
    answer: int = 0
    mode: int = 0
    once: bool = False

    def frame(self, sequence: int, session: int) -> bytes:
        """Its bytes on the line."""
        return _framed(REQUEST, self, sequence, session)


def opening(session: int, before: int = 0) -> bytes:
    """The frame that begins a session; after ``before``, where that is not 0."""
    return _framed(RESUMING if before else OPENING, Request(OPEN, session), 0, before)


def _framed(first: int, request: Request, sequence: int, session: int) -> bytes:
    length = PARAMETER_BYTES + len(request.payload)
    shape = length >> 8 | request.operation << 2 | request.mode << 5
    head = bytes([first, sequence % 256, length % 256, shape])
    body = head + request.parameter.to_bytes(PARAMETER_BYTES, "little") + request.payload
    return body + crc32(body, session).to_bytes(CRC_BYTES, "little")


def stored_bytes(request: Request) -> int:
    """What a request takes of the device's buffer."""
    return HEAD_BYTES + PARAMETER_BYTES + len(request.payload)


def check(frame: bytes, session: int) -> bool:
    """Whether the CRC at the end of a whole frame is right."""
    body, sent = frame[:-CRC_BYTES], frame[-CRC_BYTES:]
    return crc32(body, session).to_bytes(CRC_BYTES, "little") == sent
