"""Cyclic redundancy checks of whole messages as one GF(2) product.

A CRC's register is linear in the message's bits, but for what it starts with and what is put over
it at the end:

    crc(m) = m @ M  xor  c(length)

M (8 * bytes, width) holds what each bit, alone in a message of zeros, leaves in a register that
started at 0. Zero bytes in front leave nothing, so messages of all lengths, moved to the right, use
one M. c(length) is the CRC of as many zero bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cimforge.compiler.applications.bit_rows import from_bit_rows, to_bit_rows
from cimforge.compiler.applications.gf2 import gf2_product
from cimforge.compiler.matmul import Matmul
from cimforge.compiler.precision import Ints

__all__ = ["CRC16_XMODEM", "CRC32", "CrcCode", "crc_constants", "crc_matrix", "message_crcs"]


@dataclass(frozen=True)
class CrcCode:
    """A CRC of ``width`` bits, 8 at least: ``polynomial`` without its top power, the register's
    ``start``, what is put ``over`` it, and whether bits go in lowest first (``reflected``)."""

    width: int
    polynomial: int
    start: int
    over: int
    reflected: bool

    def after(self, register: int, byte: int) -> int:
        """The register one byte later."""
        top, mask = 1 << (self.width - 1), (1 << self.width) - 1
        if not self.reflected:
            register ^= byte << (self.width - 8)
            for _ in range(8):
                carry = self.polynomial if register & top else 0
                register = (register << 1 & mask) ^ carry
            return register
        backwards = int(f"{self.polynomial:0{self.width}b}"[::-1], 2)
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (backwards if register & 1 else 0)
        return register


CRC32 = CrcCode(32, 0x04C11DB7, 0xFFFFFFFF, 0xFFFFFFFF, True)  # IEEE 802.3, zlib.crc32
CRC16_XMODEM = CrcCode(16, 0x1021, 0, 0, False)  # binascii.crc_hqx


def crc_matrix(code: CrcCode, length: int) -> Ints:
    """M (8 * length, width) of messages of ``length`` bytes: rows are bits in the order of the
    bytes, each byte's lowest first, columns the register's bits, the lowest first."""
    registers = [code.after(0, 1 << bit) for bit in range(8)]
    rows: list[int] = []
    for _ in range(length):  # from the last byte to the first
        rows = registers + rows
        registers = [code.after(register, 0) for register in registers]
    return to_bit_rows("M", rows, code.width)


def crc_constants(code: CrcCode, longest: int) -> list[int]:
    """c(length) of every length from 0 to ``longest``."""
    register, found = code.start, []
    for _ in range(longest + 1):
        found.append(register ^ code.over)
        register = code.after(register, 0)
    return found


def message_crcs(messages: Sequence[bytes], code: CrcCode, matmul: Matmul) -> list[int]:
    """The CRC of each message, which may be empty and of any length, by a ``matmul`` of
    integers."""
    longest = max(map(len, messages), default=0)
    constants = crc_constants(code, longest)
    if not longest:
        return [constants[0]] * len(messages)
    padded = b"".join(message.rjust(longest, b"\0") for message in messages)
    octets = np.frombuffer(padded, np.uint8).reshape(len(messages), longest)
    bits = np.unpackbits(octets, axis=1, bitorder="little")
    linear = from_bit_rows(gf2_product(bits, crc_matrix(code, longest), matmul))
    return [part ^ constants[len(m)] for part, m in zip(linear, messages, strict=True)]
