"""Requests of a link to an engine: the one description that hardware, host and documents share.

Frames, sessions, checks and numbers of requests are those of host.protocol, unchanged; so are OPEN,
WRITE and READ, whose addresses are of the engine's registers. Three operations are added, for
memory and for queues; the macro's own two, LOAD and MULTIPLY, are refused.

A request that names a word outside registers or memory, or a misaligned register, moves nothing at
that word nor behind it, and ends in status REFUSED; words asked for read 0 from there on.
"""

from typing import NamedTuple

from cimforge.hdl.bus.registers import Field
from cimforge.host import protocol

__all__ = [
    *("COUNT", "FIRST", "GET", "LAST", "LAST_ADDRESS", "MOST_WORDS", "OPERATIONS", "PUT"),
    *("FIRST_ADDRESS", "QUEUE", "QUEUE_BYTES", "RUN", "WAIT_CYCLES", "WORD_BYTES"),
    *("Operation", "operations_table"),
]

PUT, GET, RUN = 5, 6, 7
WORD_BYTES = 4
QUEUE_BYTES = 64  # of a descriptor, which every queue begins at a multiple of
WAIT_CYCLES = 1 << 24  # that RUN waits for the queue before

FIRST_ADDRESS = Field("first", 0, 16, "byte address of the first register")
LAST_ADDRESS = Field("last", 16, 16, "byte address of the last register")
FIRST = Field("word", 0, 20, "number of the first word of memory")
LAST = Field("words", 20, 12, "words, less one")
QUEUE = Field("queue", 0, 16, f"address of the first descriptor / {QUEUE_BYTES}")
COUNT = Field("count", 16, 16, "descriptors; 0: nothing is started")
SESSION = Field("session", 0, 32, "number of the new session")
MOST_WORDS = 1 << LAST.width  # of a GET


class Operation(NamedTuple):
    """An operation: its number, the fields of its parameter, what travels, and what it does."""

    name: str
    code: int
    fields: tuple[Field, ...]
    payload: str
    answer: str
    meaning: str


OPERATIONS = (
    Operation(
        *("OPEN", protocol.OPEN, (SESSION,), "", "version << 4, log2 of the buffer's bytes"),
        "begins a session",
    ),
    Operation("WRITE", protocol.WRITE, (FIRST_ADDRESS,), "words", "", "writes registers"),
    Operation("READ", protocol.READ, (FIRST_ADDRESS, LAST_ADDRESS), "", "words", "reads registers"),
    Operation("PUT", PUT, (FIRST,), "words", "", "writes memory"),
    Operation("GET", GET, (FIRST, LAST), "", "words", "reads memory"),
    Operation(
        *("RUN", RUN, (QUEUE, COUNT), "", "register status, as the queue before left it"),
        f"waits, {WAIT_CYCLES:,} cycles at most, until the engine is idle; unless status tells of "
        "an error or an overflow, starts a queue",
    ),
)


def operations_table() -> str:
    """The operations as a Markdown table."""
    rows = ["| operation | number | parameter, from bit 0 on | payload | answer | what it does |"]
    rows.append("|---|---|---|---|---|---|")
    for each in OPERATIONS:
        fields = ", ".join(f"{f.name} ({f.width} bits: {f.meaning})" for f in each.fields)
        told = (f"`{each.name}`", str(each.code), fields, each.payload, each.answer, each.meaning)
        rows.append(f"| {' | '.join(told)} |")
    return "\n".join(rows) + "\n"
