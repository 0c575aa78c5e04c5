"""Amounts of memory and rates as a user writes them: ``2MB``, ``100GOPS``, ``4x4``."""

import re

__all__ = ["MEMORY_UNITS", "RATE_UNITS", "parse_bits", "parse_memory", "parse_rate"]

MEMORY_UNITS = {
    **{"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30},
    **{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30},
}
RATE_UNITS = {"OPS": 1, "kOPS": 1e3, "MOPS": 1e6, "GOPS": 1e9, "TOPS": 1e12, "POPS": 1e15}
NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
MOST_BITS = 16


def parse_memory(text: str) -> int:
    """Bytes, at least 1, of a number and one of MEMORY_UNITS; kB, MB and GB are powers of 1024, as
    memories are sold. Case does not matter. Raises ValueError with the rule."""
    return max(1, round(_parse(text, MEMORY_UNITS, "2MB")))


def parse_rate(text: str) -> float:
    """Operations a second of a number and one of RATE_UNITS, powers of 1000. Case does not matter.
    Raises ValueError with the rule."""
    return _parse(text, RATE_UNITS, "100GOPS")


def _parse(text: str, units: dict[str, float] | dict[str, int], example: str) -> float:
    scales = {name.lower(): scale for name, scale in units.items()}
    found = NUMBER.fullmatch(text.strip())
    if not found or found[2].lower() not in scales or not float(found[1]) > 0:
        names = ", ".join(units)
        rule = f"must be a number above 0 and one of {names}, for example {example}"
        raise ValueError(f"{rule}, not {text!r}")
    return float(found[1]) * scales[found[2].lower()]


def parse_bits(text: str) -> tuple[int, int]:
    """Weight and input bits of ``WxX``, each 1..16. Raises ValueError with the rule."""
    found = re.fullmatch(r"(\d{1,2})[xX](\d{1,2})", text.strip())
    bits = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(1 <= each <= MOST_BITS for each in bits):
        rule = f"must be weight bits x input bits, each 1..{MOST_BITS}, for example 8x8"
        raise ValueError(f"{rule}, not {text!r}")
    return bits
