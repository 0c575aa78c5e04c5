"""A stream on an engine behind a port, from its identity to its counters."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.engine_driver import EngineDriver
from cimforge.host.engine_link import EngineLink, LinkEnginePort
from cimforge.host.engine_stream import EngineStream, StreamPlan
from cimforge.host.port import LinkError, Port

__all__ = ["Streamed", "stream_session"]


class Streamed(NamedTuple):
    """Results of batches, the engine's ``counters`` of them, ``loading`` and ``streaming`` on the
    clock, and bytes of memory that passed the line: written before the first batch, then, and
    read."""

    results: list[bytes]
    counters: dict[str, int]
    loading: float
    streaming: float
    loaded: int
    sent: int
    received: int


def stream_session(
    port: Port,
    engine: EngineConfig,
    ram_bytes: int,
    plan: StreamPlan,
    batches: Sequence[bytes],
    *,
    clock: Callable[[], float],
    progress: Callable[[int, int], None] | None = None,
) -> Streamed:
    """Look who answers behind ``port``, load the plan, and stream the batches. Raises as
    EngineDriver and EngineStream do, LinkError where another engine answers."""
    began = clock()
    link = EngineLink(port)
    with (
        LinkEnginePort(link, engine, ram_bytes=ram_bytes) as reached,
        _identified(reached, engine, ram_bytes) as driver,
    ):
        stream = EngineStream(link, engine, plan)
        stream.load()
        loaded, read, ready = link.sent, link.received, clock()
        results = stream.run(batches, progress)
        times = ready - began, clock() - ready
        passed = loaded, link.sent - loaded, link.received - read
        counters = driver.counters()
    return Streamed(results, counters, *times, *passed)


def _identified(reached: LinkEnginePort, engine: EngineConfig, ram_bytes: int) -> EngineDriver:
    """The driver; LinkError where another engine answers, or software for another."""
    try:
        return EngineDriver(reached, engine, memory=(0, ram_bytes))
    except ValueError as error:
        raise LinkError(str(error)) from None
