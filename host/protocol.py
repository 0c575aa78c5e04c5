"""Frames between host and bridge: the one description both sides are built from.

Request:  REQUEST, operation, address (2 bytes), data (4 bytes, writes only), CRC.
Reply:    REPLY, status, data (4 bytes, reads that succeed only), CRC.

Numbers go low byte first. The CRC is CRC-8 (polynomial 0x07, start 0) over all bytes before it: it
notices any error within eight neighbouring bits, so every single garbled byte. The bridge acts on a
request only after its CRC; a request that stays incomplete for GAP_BYTES byte times is dropped.
"""

__all__ = [
    *(
        "BAD_FRAME",
        "BUS_ERROR",
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
LONGEST_REPLY = 7
POLYNOMIAL = 0x07


def crc8(data: bytes, start: int = 0) -> int:
    """CRC-8 of ``data`` (ITU-T I.432.1's polynomial, without its final XOR)."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ POLYNOMIAL if crc & 0x80 else crc << 1) & 0xFF
    return crc


def reply_length(operation: int, status: int) -> int:
    """Bytes of a whole reply."""
    return 3 + (4 if operation == READ and status == OK else 0)
