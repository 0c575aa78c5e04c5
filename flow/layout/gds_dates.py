"""The dates in a GDS file, the same in every run: equal layouts are equal files."""

import struct
from pathlib import Path

__all__ = ["DATE", "set_dates"]

DATE = (2000, 1, 1, 0, 0, 0)
BEGIN_LIBRARY, BEGIN_STRUCTURE = 0x0102, 0x0502  # records that hold when it was changed and read


def set_dates(path: Path) -> None:
    """Set every date in the GDS file ``path`` to DATE. Raises ValueError where it is no GDS
    file."""
    content = bytearray(path.read_bytes())
    date, place = struct.pack(">12H", *DATE, *DATE), 0
    while place + 4 <= len(content):
        length, kind = struct.unpack_from(">HH", content, place)
        if length == 0:
            break  # what fills the last block of a tape
        if length < 4 or place + length > len(content):
            raise ValueError(f"{path}: is no whole GDS file")
        if kind in (BEGIN_LIBRARY, BEGIN_STRUCTURE):
            content[place + 4 : place + 4 + len(date)] = date
        place += length
    path.write_bytes(content)
