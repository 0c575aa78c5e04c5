"""The examples of GF(2): CRC-32 of messages, and carry-less products."""

import zlib

import numpy as np

from cimforge.compiler.applications.carryless import carryless_products
from cimforge.compiler.applications.crc_matrix import CRC32, message_crcs
from cimforge.compiler.applications.outcome import Example, Outcome
from cimforge.compiler.matmul import RunJob, tiled_matmul
from cimforge.hdl.params.config import MacroConfig

__all__ = ["CLMUL", "CRC"]

MESSAGES, MOST_BYTES = 64, 64
WIDTH, FACTORS, NUMBERS = 64, 2, 64


def _run_crc(config: MacroConfig, run_job: RunJob, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    lengths = [0, MOST_BYTES, *random.integers(1, MOST_BYTES, MESSAGES - 2).tolist()]
    messages = [random.bytes(length) for length in lengths]
    found = message_crcs(messages, CRC32, tiled_matmul(config, run_job))
    equal = found == [zlib.crc32(message) for message in messages]
    facts = {"messages": MESSAGES, "bytes": sum(lengths), "longest": MOST_BYTES}
    rows = [
        ("messages", f"{MESSAGES} of 0..{MOST_BYTES} bytes, {sum(lengths):,} bytes in all"),
        ("matrix", f"{8 * MOST_BYTES} x {CRC32.width} bits, for messages of all lengths"),
        ("of the longest", f"0x{found[1]:08x}"),
    ]
    return Outcome(equal, "every CRC by zlib.crc32", facts, rows)


def _carryless(a: int, b: int) -> int:
    """A carry-less product in a plain loop."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = a << 1, b >> 1
    return product


def _run_carryless(config: MacroConfig, run_job: RunJob, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    drawn = [int.from_bytes(random.bytes(WIDTH // 8)) for _ in range(FACTORS + NUMBERS)]
    factors, numbers = drawn[:FACTORS], drawn[FACTORS:]
    found = carryless_products(numbers, factors, WIDTH, tiled_matmul(config, run_job))
    equal = found == [[_carryless(a, b) for b in factors] for a in numbers]
    facts = {"bits": WIDTH, "numbers": NUMBERS, "factors": FACTORS}
    rows = [
        ("products", f"{NUMBERS} numbers by {FACTORS} stored factors, {WIDTH} bits each"),
        ("matrix", f"{WIDTH} x {FACTORS * (2 * WIDTH - 1)} bits"),
        ("the first", f"{numbers[0]:#x} x {factors[0]:#x} = {found[0][0]:#x}"),
    ]
    return Outcome(equal, "every product by shifts and exclusive or", facts, rows)


SETTINGS = ("rows=64", "cols=32", "weight_bits=1", "input_bits=1")
CRC = Example(
    "CRC-32 of a batch of messages, one product over GF(2)", "base", SETTINGS, False, _run_crc
)
CLMUL = Example(
    "carry-less products of 64 bits, over GF(2)", "base", SETTINGS, False, _run_carryless
)
