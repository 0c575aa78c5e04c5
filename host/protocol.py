"""Frames between host and bridge: the one description both sides are built from.

Request:  REQUEST, tag, operation, address (2 bytes), data (4 bytes, writes only), CRC.
Reply:    REPLY, tag, status, data (4 bytes, reads that succeed only), CRC.

Numbers go low byte first. A reply has the tag of its request, so that a late one is not taken for
another's. The CRC is CRC-8 (polynomial 0x07, start 0) over all bytes before it: it notices any
error within eight neighbouring bits, so every single garbled byte. The bridge acts on a request
only after its CRC; a request that stays incomplete for GAP_BYTES byte times is dropped.
"""

from amaranth.lib import crc

__all__ = [
    *(
        "BAD_FRAME",
        "BUS_ERROR",
        "CRC",
        "GAP_BYTES",
        "LONGEST_REPLY",
        "OK",
        "READ",
        "REPLY",
        "REQUEST",
        "STATUSES",
        "WRITE",
    ),
    *("crc8", "reply_length"),
]

REQUEST, REPLY = 0xA5, 0x5A
READ, WRITE = 0x01, 0x02
OK, BUS_ERROR, BAD_FRAME = 0, 1, 2
STATUSES = {OK: "ok", BUS_ERROR: "the bus refused the access", BAD_FRAME: "a garbled request"}
GAP_BYTES = 4
LONGEST_REPLY = 8
# CRC-8 with polynomial 0x07: what both ends compute, the host as below, the bridge in hardware.
CRC = crc.Algorithm(
    crc_width=8,
    polynomial=0x07,
    initial_crc=0,
    reflect_input=False,
    reflect_output=False,
    xor_output=0,
)(data_width=8)


def crc8(data: bytes) -> int:
    """The CRC of ``data``."""
    return CRC.compute(data)


def reply_length(operation: int, status: int) -> int:
    """Bytes of a whole reply."""
    return 4 + (4 if operation == READ and status == OK else 0)
