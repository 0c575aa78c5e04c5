"""Host side: a macro behind a link, as the calls a program wants; all a program needs to import."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cimforge.hdl.bus.registers import MAGIC, RegisterMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import from_fields
from cimforge.host.link import (
    BusError,
    FrameLink,
    SessionLostError,
    UartLink,
    read_request,
    write_request,
)
from cimforge.host.operands import checked_matrix, checked_number, checked_signs
from cimforge.host.payload import packed, unpacked
from cimforge.host.port import LinkError, Port, open_serial
from cimforge.host.protocol import Request
from cimforge.host.requests import RequestMaker

__all__ = [
    "BusError",
    "FrameLink",
    "Link",
    "LinkError",
    "MacroDriver",
    "Port",
    "SessionLostError",
    "UartLink",
    "open_serial",
]

Ints = NDArray[np.int64]
Progress = Callable[[int, int], None]
CONTROL_RESET = (1).to_bytes(4, "little")


class Link(Protocol):
    """Requests answered in their order, as FrameLink does."""

    preamble: Sequence[Request]

    @property
    def most_payload(self) -> int:
        """Bytes of a request's payload."""

    def read(self, address: int, /) -> int:
        """The word at an address."""

    def exchange(
        self,
        requests: Sequence[Request],
        back: Callable[[int], int] = int,
        answered: Callable[[int], None] | None = None,
    ) -> list[bytes]:
        """The answers."""


class MacroDriver:
    """A macro of ``config`` behind a link: weights in, vectors in, results out.

    The macro's identity and the configuration's hash are checked first: LinkError where the device
    is no macro, ValueError where it is one of another configuration. Then the macro is reset, so
    that nothing of an earlier session is left; weights are kept. Results come back while the next
    vectors travel. Lost and garbled bytes are made good: what was not answered is asked again in a
    new session, after a reset; of weights the whole bank. Where the device was reset, or another
    program has used it, a call ends in SessionLostError, and so does every use of a bank until it
    is loaded again. A call that ends early, by an error or Ctrl-C, resets the macro, at once or,
    where the link fails, before the next call. As a context manager the driver resets the macro at
    its end, too.

    Values are checked before anything is sent: ValueError with the place, the value and what is
    legal. ``progress`` of a call is called with rows or vectors done, and all.
    """

    def __init__(self, link: Link, config: MacroConfig):
        self._link, self._config = link, config
        self._map = RegisterMap(config)
        self._status = self._map.register("status")
        self._fuse = [0] * config.banks  # the modes of the banks, as this driver loaded them
        self._lost: set[int] = set()  # banks whose weights are not known
        self._known = False  # whether the macro holds nothing that was not taken
        link.preamble = [write_request(self._register("control"), CONTROL_RESET)]
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
        self._exchange(self._link.preamble)
        self._known = True

    def load_weights(
        self,
        weights: ArrayLike,
        *,
        bank: int = 0,
        signed: bool,
        fuse: int = 0,
        progress: Progress | None = None,
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
        shared = {"bank": bank, "signed": int(signed), **({"fill": 1} if config.grouped else {})}
        shared |= {"fuse": fuse} if config.slices > 1 else {}
        with self._undisturbed():
            self._lost.add(bank)
            self._fuse[bank] = fuse
            requests, rows = self._maker().load(packed(values, mode.weight_bits), shared)
            self._exchange(requests, lambda _: 0, _told(progress, rows))
            self._lost.discard(bank)

    def multiply(
        self,
        vectors: ArrayLike,
        *,
        x_bits: int = 0,
        x_signed: bool,
        bank: int = 0,
        x_rows: int = 0,
        progress: Progress | None = None,
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
        self._check_loaded(bank)
        start = self._map.register("x_start")
        counted = {"rows": x_rows} if config.binary else {"bits": x_bits}
        command = start.word(**counted, bank=bank, signed=int(x_signed))
        fuse = self._fuse[bank]
        with self._undisturbed():
            maker = self._maker()
            requests, done = maker.multiply(packed(values, config.input_bits), command, fuse)
            answers = self._ask(requests, maker.back, _told(progress, done))
        return unpacked(b"".join(answers), self._config, fuse, maker.result_size(fuse))

    def read_row(self, row: int, *, bank: int = 0) -> Ints:
        """A row of weight patterns (cols,) as written, read back through the array; cols as in
        multiply."""
        config = self._config
        row = checked_number("row", row, 0, config.rows - 1)
        bank = checked_number("bank", bank, 0, config.banks - 1)
        self._check_loaded(bank)
        command = self._map.register("r_start").word(row=row, bank=bank)
        with self._undisturbed():
            maker = self._maker()
            answers = self._ask(maker.read_row(command), maker.back)
        value = int.from_bytes(b"".join(answers), "little") & (1 << config.modes[0].row_width) - 1
        mode = config.modes[self._fuse[bank]]
        return from_fields(value, mode.weight_bits, mode.outputs, signed=False)

    def _maker(self) -> RequestMaker:
        return RequestMaker(self._config, self._link.most_payload)

    def _check_loaded(self, bank: int) -> None:
        if bank in self._lost:
            rule = "its weights were lost or not all written; load them"
            raise SessionLostError(f"bank {bank}: {rule}")

    def _ask(
        self,
        requests: Sequence[Request],
        back: Callable[[int], int],
        told: Callable[[int], None] | None = None,
    ) -> list[bytes]:
        """The answers, between two looks at the status, which must tell of nothing else."""
        status = read_request(self._status.offset)
        around = [status, *requests, status]

        def answered(count: int) -> None:
            if told and 1 < count <= len(requests) + 1:
                told(count - 1)

        before, *answers, after = self._exchange(
            around, lambda i: i if i in (0, len(requests) + 1) else back(i - 1) + 1, answered
        )
        for word in (before, after):
            self._check_idle(int.from_bytes(word, "little"))
        return answers

    def _check_idle(self, status: int) -> None:
        """Raise LinkError where the macro holds or owes a result or a row."""
        field = self._status.field
        for asked, come in ("xy", "rq"):
            started, came = (field(f"{stream}_tag").of(status) for stream in (asked, come))
            if started != came or field(f"{come}_valid").of(status):
                raise LinkError(
                    f"status.{asked}_tag is {started}, {come}_tag {came}, {come}_valid "
                    f"{field(f'{come}_valid').of(status)}: what the macro holds is not what this "
                    "driver asked for; another program or an earlier command has used it"
                )

    def _exchange(
        self,
        requests: Sequence[Request],
        back: Callable[[int], int] = int,
        answered: Callable[[int], None] | None = None,
    ) -> list[bytes]:
        try:
            return self._link.exchange(requests, back, answered)
        except SessionLostError:
            self._lost = set(range(self._config.banks))
            raise

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

    def _register(self, name: str) -> int:
        return self._map.register(name).offset


def _told(progress: Progress | None, done: Sequence[int]) -> Callable[[int], None] | None:
    """``progress`` for a number of answers; ``done`` are the rows or vectors with each of them."""
    if not progress:
        return None
    return lambda answers: progress(done[min(answers, len(done)) - 1] if answers else 0, done[-1])
