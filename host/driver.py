"""Host side: a macro behind a link, as the calls a program wants; all a program needs to import."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.hdl.bus.registers import MAGIC, TAG_BITS, WORD_BITS, RegisterMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import from_fields, to_fields
from cimforge.host.link import BusError, LinkError, Port, UartLink, open_serial
from cimforge.host.operands import checked_matrix, checked_number, checked_signs

__all__ = ["BusError", "Link", "LinkError", "MacroDriver", "Port", "UartLink", "open_serial"]

Ints = NDArray[np.int64]
PATIENCE = 1.0  # seconds that a status bit may stay 0: a pass ends within milliseconds


class Link(Protocol):
    """Words behind byte addresses."""

    def read(self, address: int, /) -> int:
        """The word at an address."""

    def write(self, address: int, word: int, /) -> None:
        """Write a word."""


class MacroDriver:
    """A macro of ``config`` behind a link: weights in, vectors in, results out.

    The macro's identity and the configuration's hash are checked first: LinkError where the device
    is no macro, ValueError where it is one of another configuration. Then the macro is reset, so
    that nothing of an earlier session is left; weights are kept. A result's tag tells whose vector
    it belongs to: another one's is a LinkError. A call that ends early, by an error or Ctrl-C,
    resets the macro, at once or, where the link fails, before the next call. As a context manager
    the driver resets the macro at its end, too.

    Values are checked before anything is sent: ValueError with the place, the value and what is
    legal. A wait ends in LinkError after ``patience`` seconds.
    """

    def __init__(self, link: Link, config: MacroConfig, *, patience: float = PATIENCE):
        if not patience > 0:
            raise ValueError(f"patience must be above 0 seconds, not {patience!r}")
        self._link, self._config, self._patience = link, config, patience
        self._map = RegisterMap(config)
        self._status = self._map.register("status")
        self._started = {"x": 0, "r": 0}
        self._fuse = [0] * config.banks  # the modes of the banks, as this driver loaded them
        self._known = False  # whether the macro holds nothing that was not taken
        self._check_identity()
        self.reset()

    def __enter__(self) -> "MacroDriver":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(LinkError, BusError):
            self.reset()

    def _check_identity(self) -> None:
        found = self._link.read(self._register("id"))
        if found != MAGIC:
            raise LinkError(f"register id reads {found:#010x}, not {MAGIC:#010x}: no macro there")
        digest = self._link.read(self._register("hash"))
        if digest != self._map.register("hash").constant:
            raise ValueError(
                f"the device holds a macro with hash {digest:08x}, not {self._config.digest[:8]} "
                f"({self._config.module}); use the configuration of its bitstream and build that "
                "with this version"
            )

    def reset(self) -> None:
        """Empty streams, passes and results; weights are kept, but for a row under way."""
        self._known = False
        self._link.write(self._register("control"), 1)
        self._started = dict.fromkeys(self._started, 0)
        self._known = True

    def load_weights(
        self, weights: ArrayLike, *, bank: int = 0, signed: bool, fuse: int = 0
    ) -> None:
        """Write a bank: weight values (rows, cols), of an xnor macro -1 and 1, whatever ``signed``
        says; rows in groups on their fast path. ``fuse`` is the number of the bank's mode, one of
        config.modes, which says how many columns of how many bits there are; the driver takes rows
        and results of that bank for this mode's from then on."""
        config = self._config
        fuse = checked_number("fuse", fuse, 0, len(config.modes) - 1)
        mode = config.modes[fuse]
        shape = {"rows": config.rows, "cols": mode.outputs}
        if config.binary:
            values = checked_signs("weights", weights, shape)
        else:
            values = checked_matrix("weights", weights, shape, mode.weight_bits, signed)
        bank = checked_number("bank", bank, 0, config.banks - 1)
        start = self._map.register("w_start")
        shared = {"bank": bank, "signed": int(signed), **({"fill": 1} if config.grouped else {})}
        shared |= {"fuse": fuse} if config.slices > 1 else {}
        with self._undisturbed():
            self._fuse[bank] = fuse
            for row, patterns in enumerate(values):
                self._wait("w_ready")
                self._fill("w", to_fields(patterns, mode.weight_bits))
                self._link.write(start.offset, start.word(row=row, **shared))
            self._wait("w_ready")

    def multiply(
        self,
        vectors: ArrayLike,
        *,
        x_bits: int = 0,
        x_signed: bool,
        bank: int = 0,
        x_rows: int = 0,
    ) -> Ints:
        """Results (batch, cols) of input values (batch, rows), each of ``x_bits`` bits; 0 means
        input_bits. Those of an xnor macro are -1 and 1, whatever ``x_bits`` and ``x_signed`` say,
        and its first ``x_rows`` rows count; 0 means all. Columns are those of the bank's mode, mode
        0 where this driver loaded none."""
        config = self._config
        x_rows = checked_number("x_rows", x_rows, 0, config.rows if config.binary else 0)
        x_bits = checked_number("x_bits", x_bits, 0, config.input_bits)
        bits = x_bits or config.input_bits
        shape = {"batch": None, "rows": config.rows}
        if config.binary:
            values = checked_signs("vectors", vectors, shape)
        else:
            values = checked_matrix("vectors", vectors, shape, bits, x_signed)
        bank = checked_number("bank", bank, 0, config.banks - 1)
        start = self._map.register("x_start")
        counted = {"rows": x_rows} if config.binary else {"bits": x_bits}
        command = start.word(**counted, bank=bank, signed=int(x_signed))
        results = []
        with self._undisturbed():
            for vector in values:
                self._wait("x_ready")
                self._fill("x", to_fields(vector, config.input_bits))
                self._start("x", command)
                results.append(self._take_result(self._fuse[bank]))
        outputs = config.modes[self._fuse[bank]].outputs
        return np.array(results, np.int64).reshape(len(results), outputs)

    def read_row(self, row: int, *, bank: int = 0) -> Ints:
        """A row of weight patterns (cols,) as written, read back through the array; cols as in
        multiply."""
        config = self._config
        row = checked_number("row", row, 0, config.rows - 1)
        bank = checked_number("bank", bank, 0, config.banks - 1)
        with self._undisturbed():
            self._wait("r_ready")
            self._start("r", self._map.register("r_start").word(row=row, bank=bank))
            self._wait("q_valid")
            value = self._read_window("q") & (1 << config.modes[0].row_width) - 1
            self._link.write(self._register("q_next"), 0)
        mode = config.modes[self._fuse[bank]]
        return from_fields(value, mode.weight_bits, mode.outputs, signed=False)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """A sequence of accesses that begins and ends with nothing under way; one that is cut off
        resets the macro."""
        if not self._known:
            self.reset()
        self._known = False
        try:
            yield
        except BaseException:
            with suppress(LinkError, BusError):
                self.reset()
            raise
        self._known = True

    def _start(self, stream: str, command: int) -> None:
        self._link.write(self._register(f"{stream}_start"), command)
        self._started[stream] += 1

    def _take_result(self, fuse: int) -> Ints:
        self._wait("y_valid")
        width, outputs = WORD_BITS * self._map.result_words, self._config.modes[fuse].outputs
        value = self._read_window("y", self._map.result_span(fuse))
        values = from_fields(value, width, outputs, signed=True)
        self._link.write(self._register("y_next"), 0)
        return values

    def _register(self, name: str) -> int:
        return self._map.register(name).offset

    def _wait(self, bit: str) -> None:
        """Poll status until a bit is 1, and check that its stream's tag tells of this driver's
        last start."""
        deadline = time.monotonic() + self._patience
        while True:
            status = self._link.read(self._status.offset)
            if self._status.field(bit).of(status):
                break
            if time.monotonic() > deadline:
                raise LinkError(f"status.{bit} stays 0 over {self._patience:g} s")
        started = self._started.get({"y": "x", "q": "r"}.get(bit[0], bit[0]))
        if started is None:
            return
        tag, expected = self._status.field(f"{bit[0]}_tag").of(status), started % (1 << TAG_BITS)
        if tag != expected:
            raise LinkError(
                f"status.{bit[0]}_tag is {tag}, not {expected}: what the macro holds is not what "
                "this driver asked for; another program or an earlier command has used it"
            )

    def _fill(self, name: str, value: int) -> None:
        window = self._map.window(name)
        for word in range(window.words):
            self._link.write(window.offset + 4 * word, value >> WORD_BITS * word & 0xFFFFFFFF)

    def _read_window(self, name: str, places: range | None = None) -> int:
        """What a window, or these words of it, hold."""
        window = self._map.window(name)
        chosen = range(window.words) if places is None else places
        words = [self._link.read(window.offset + 4 * word) for word in chosen]
        return sum(word << WORD_BITS * place for place, word in enumerate(words))
