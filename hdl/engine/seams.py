"""The two seams of the engine as signatures, seen from the master: registers and memory.

Front ends of ``bus/`` translate them, so that the engine knows no bus.
"""

from amaranth.lib.wiring import In, Out, Signature

from cimforge.hdl.macro.streams import beat_stream

__all__ = ["BURST_BITS", "MEMORY_PAGE", "memory_port", "register_port"]

BURST_BITS = 8  # of the number of beats of a burst, less one
MEMORY_PAGE = 4096  # bytes; no burst crosses from one to the next (AMBA AXI, A3.4.1)


def register_port(address_bits: int) -> Signature:
    """Accesses to 32-bit registers, one at a time, as who asks sees them.

    ``valid`` with ``write``, ``address`` (bytes), ``strobe`` (a bit for each byte) and ``data_w``
    stands still until ``ready``; in the cycle with both, ``error`` and ``data_r`` answer. A slave
    is ready in the end whatever is asked; an access that it refuses ends with ``error`` and has
    changed nothing.
    """
    return Signature(
        {
            **{"valid": Out(1), "write": Out(1), "address": Out(address_bits)},
            **{"strobe": Out(4), "data_w": Out(32)},
            **{"ready": In(1), "error": In(1), "data_r": In(32)},
        }
    )


def memory_port(address_bits: int, data_bits: int) -> Signature:
    """Bursts of whole words of ``data_bits``, as the engine sees them: five streams.

    A request names the byte ``address`` of its first word, which is aligned, and ``beats``, its
    words less one; addresses count up and no burst crosses a page of MEMORY_PAGE bytes. Answers
    come in the order of the requests: for a read its words in ``read_data`` (``last`` with the last
    one, ``error`` with any that failed), for a write one beat of ``write_done``. Words to write
    follow in the order of the requests, not before theirs is offered, with a ``strobe`` bit for
    each byte and ``last`` with the last of each burst.
    """
    request = beat_stream(address=address_bits, beats=BURST_BITS)
    return Signature(
        {
            "read": Out(request),
            "read_data": In(beat_stream(data=data_bits, error=1, last=1)),
            "write": Out(request),
            "write_data": Out(beat_stream(data=data_bits, strobe=data_bits // 8, last=1)),
            "write_done": In(beat_stream(error=1)),
        }
    )
