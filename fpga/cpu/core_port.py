"""The seam between a core's bus and its memories, as a signature seen from the core."""

from amaranth.lib.wiring import In, Out, Signature

__all__ = ["CORE_BYTES", "core_port"]

CORE_BYTES = 4  # of a word of the core


def core_port(address_bits: int) -> Signature:
    """Accesses to a memory that never waits.

    ``enable`` is high for a cycle with ``write``, ``address`` (bytes, of a word), ``strobe`` (a bit
    for each byte that is written) and ``data_w``; ``data_r`` is the word in the next cycle. At most
    every other cycle is one with ``enable``.
    """
    return Signature(
        {
            **{"enable": Out(1), "write": Out(1), "address": Out(address_bits)},
            **{"strobe": Out(CORE_BYTES), "data_w": Out(32), "data_r": In(32)},
        }
    )
