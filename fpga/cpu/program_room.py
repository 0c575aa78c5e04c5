"""What to change where a program does not fit the memory of its system."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.toolchain import CompileError
from cimforge.hdl.params.config_file import InputError

__all__ = ["program_room"]

ROM_FULL = re.compile(r"region '?`?rom'?.*overflowed by (\d+) bytes")
RAM_FULL = re.compile(r"region '?`?ram'?.*overflowed|RAM has no room")


@contextmanager
def program_room(config: SystemConfig) -> Iterator[None]:
    """Where a program is compiled: a linker that finds no room for it becomes an InputError that
    names the bytes it needs, or of RAM twice those there are."""
    try:
        yield
    except CompileError as error:
        if full := ROM_FULL.search(str(error)):
            needed = config.rom_bytes + int(full[1])
            near = f"--system rom_bytes={1 << (needed - 1).bit_length()}"
            rule = f"holds {config.rom_bytes:,} bytes, and the program takes {needed:,} or more"
            raise InputError(f"rom_bytes: ROM {rule} (nearest legal value: {near})") from None
        if RAM_FULL.search(str(error)):
            rule = f"RAM of {config.ram_bytes:,} bytes does not hold a batch, its network and stack"
            near = f"--system ram_bytes={2 * config.ram_bytes}, or fewer images at a time"
            raise InputError(f"ram_bytes: {rule} (next legal value: {near})") from None
        raise
