"""Drivers and monitors of valid/ready streams, one decision a clock cycle."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Sink", "Source", "macro_sources", "tie_off"]


class Source:
    """Drives a stream's beats in order; holds valid and payload until ready.

    ``fields`` maps payload names to (handle, width); a beat is a dict of values. ``idle`` is the
    chance of a gap before a beat. While valid is low the payload is random, so that nothing may
    depend on it.
    """

    def __init__(self, valid, ready, fields: dict[str, tuple[Any, int]], rng: Random):
        self._valid, self._ready, self._fields, self._rng = valid, ready, fields, rng
        self.beats: deque[dict[str, int]] = deque()
        self.current: dict[str, int] | None = None
        self.idle = 0.0
        self._shown: dict[str, int] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all beats and take valid low."""
        self.beats.clear()
        self.current = None
        self._valid.value = 0
        self._show(
            {name: self._rng.getrandbits(width) for name, (_, width) in self._fields.items()}
        )

    @property
    def pending(self) -> bool:
        """Whether beats wait or one is being offered."""
        return self.current is not None or bool(self.beats)

    def drive(self) -> None:
        """Choose what this cycle offers."""
        if self.current is not None:
            return
        if self.beats and self._rng.random() >= self.idle:
            self.current = self.beats.popleft()
            self._valid.value = 1
            self._show(self.current)
        else:
            self._valid.value = 0
            if self._shown is not None:
                self._show(
                    {
                        name: self._rng.getrandbits(width)
                        for name, (_, width) in self._fields.items()
                    }
                )
                self._shown = None

    def _show(self, beat: dict[str, int]) -> None:
        for name, (handle, _) in self._fields.items():
            handle.value = beat[name]
        self._shown = beat

    def fired(self) -> dict[str, int] | None:
        """The beat accepted at the edge that ends this cycle, or None; call once a cycle, after it
        settled."""
        if self.current is None or not int(self._ready.value):
            return None
        beat, self.current = self.current, None
        return beat


class Sink:
    """Takes a stream's beats with a chance of ``refuse`` to be unready; ``take`` overrides it cycle
    by cycle."""

    def __init__(self, valid, ready, data, rng: Random):
        self._valid, self._ready, self._data, self._rng = valid, ready, data, rng
        self.refuse = 0.0
        self.take: Callable[[], bool] | None = None
        self.ready = False
        self.valid = False

    def drive(self) -> None:
        """Choose whether this cycle is ready."""
        ready = self.take() if self.take else self._rng.random() >= self.refuse
        if ready != self.ready:
            self._ready.value = int(ready)
        self.ready = ready

    def reset(self) -> None:
        """Take ready low."""
        self._ready.value = 0
        self.ready = False

    def sample(self) -> bool:
        """Whether a beat is offered in this cycle."""
        self.valid = bool(int(self._valid.value))
        return self.valid

    @property
    def stalled(self) -> bool:
        """Whether an offered beat is not taken in this cycle."""
        return self.valid and not self.ready

    @property
    def data(self) -> int:
        """The payload offered in this cycle."""
        return int(self._data.value)


PAYLOADS = {
    "x": ("x_data", "x_bits", "x_signed", "x_bank", "x_rows"),
    "w": ("w_bank", "w_row", "w_data", "w_signed", "w_fuse", "w_fill"),
    "r": ("r_bank", "r_row"),
}


def macro_sources(dut, config: MacroConfig, rng: Random) -> tuple[Source, Source, Source]:
    """The sources of a macro's x, w and r streams; ports that the macro lacks take no part."""
    widths = {port.name: port.width for port in macro_ports(config)}

    def source(stream: str) -> Source:
        fields = {n: (getattr(dut, n), widths[n]) for n in PAYLOADS[stream] if n in widths}
        return Source(getattr(dut, f"{stream}_valid"), getattr(dut, f"{stream}_ready"), fields, rng)

    return source("x"), source("w"), source("r")


def tie_off(dut, config: MacroConfig) -> None:
    """Hold inputs that only serve production tests at their inactive level."""
    for name, _ in config.storage_traits.control_ports:
        getattr(dut, name).value = 0
