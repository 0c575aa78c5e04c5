"""What the units of an engine hold, and the cycles that they take: hdl/engine, which no host
imports, says the same (tests compare them)."""

from cimforge.hdl.params.engine_config import EngineConfig

__all__ = [
    *("DESCRIPTORS_AHEAD", "FETCH_CYCLES", "MOST_BURSTS", "MOST_REQUESTS", "MOST_RUNS"),
    *("piece_bytes", "requantise_cycles", "sum_bytes"),
]

DESCRIPTORS_AHEAD = 2  # that are read before they are used
MOST_RUNS = 6  # under way at once
FETCH_CYCLES = 2  # from a command of the fetch unit to its first burst
MOST_BURSTS = 4  # of the fetch unit, unanswered
MOST_REQUESTS = 8  # of all reads, unanswered


def requantise_cycles(config: EngineConfig) -> int:
    """Cycles from a sum to its element."""
    return 9 if config.weight_zeros else 8


def sum_bytes(config: EngineConfig) -> int:
    """Bytes of a sum in memory, as it is."""
    return 4 if config.acc_bits <= 32 else 8


def piece_bytes(config: EngineConfig) -> int:
    """Bytes of the widest piece that goes to memory at once: all lanes' sums, or a word."""
    return min(config.lanes * sum_bytes(config), config.bus_bytes)
