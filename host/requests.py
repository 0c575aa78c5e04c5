"""A driver's calls as requests: rows, vectors and read-backs of one macro."""

from collections.abc import Mapping, Sequence

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.params.config import MacroConfig
from cimforge.host.link import read_request, write_request
from cimforge.host.payload import WORD_BYTES, result_bytes
from cimforge.host.protocol import LOAD, MULTIPLY, Request

__all__ = ["RequestMaker"]

MOST_ANSWER = 1024  # bytes that are asked for at once, where a single result takes no more
ZERO = bytes(WORD_BYTES)


class RequestMaker:
    """Requests of a macro of ``config`` of at most ``most`` bytes of payload.

    As many rows or vectors as that holds make a LOAD or MULTIPLY. One that is longer is written
    into its window in pieces, and its result read from there, by single accesses of the bus, where
    every second row or vector is as good as the first. After ``multiply`` or ``read_row``,
    ``back`` tells from which request on the device must be asked again where it did not answer one.
    """

    def __init__(self, config: MacroConfig, most: int):
        self._config, self._map = config, RegisterMap(config)
        self._most = most // WORD_BYTES * WORD_BYTES
        self._group = 1  # requests that belong together

    def result_size(self, fuse: int) -> int:
        """Bytes of each result in the answers to ``multiply``."""
        return result_bytes(self._config, fuse) if self._group == 1 else self._whole_size

    @property
    def _whole_size(self) -> int:
        return WORD_BYTES * self._map.result_words

    def back(self, number: int) -> int:
        """The first of the requests to which request ``number`` belongs."""
        return number // self._group * self._group

    def load(
        self, rows: Sequence[bytes], shared: Mapping[str, int]
    ) -> tuple[list[Request], list[int]]:
        """Requests that write all rows of a bank, and how many rows are written after each;
        ``shared`` are fields of w_start. The last waits until the macro has taken the last row."""
        start, window = self._map.register("w_start"), self._map.window("w")
        requests, done = [], []
        if len(rows[0]) <= self._most:
            step = self._most // len(rows[0])
            for row in range(0, len(rows), step):
                payload = b"".join(rows[row : row + step])
                requests.append(Request(LOAD, start.word(row=row, **shared), payload))
                done.append(min(row + step, len(rows)))
        else:
            for row, data in enumerate(rows):
                pieces = self._pieces("w", data)
                command = start.word(row=row, **shared).to_bytes(WORD_BYTES, "little")
                requests += [*pieces, write_request(start.offset, command)]
                done += [row] * len(pieces) + [row + 1]
        return [*requests, write_request(window.offset, ZERO)], [*done, len(rows)]

    def multiply(
        self, vectors: Sequence[bytes], command: int, fuse: int
    ) -> tuple[list[Request], list[int]]:
        """Requests whose answers are the vectors' results, and how many vectors are done after
        each; ``command`` is the word of x_start, ``fuse`` the bank's mode."""
        if vectors and len(vectors[0]) > self._most:
            return self._multiply_in_pieces(vectors, command, fuse)
        answer = self._config.modes[fuse].outputs * result_bytes(self._config, fuse)
        size = len(vectors[0]) if vectors else 1
        step = max(1, min(self._most // size, MOST_ANSWER // answer))
        starts = range(0, len(vectors), step)
        requests = []
        for place in starts:
            some = vectors[place : place + step]
            requests.append(
                Request(MULTIPLY, command, b"".join(some), answer * len(some), mode=fuse)
            )
        return requests, [min(place + step, len(vectors)) for place in starts]

    def _multiply_in_pieces(
        self, vectors: Sequence[bytes], command: int, fuse: int
    ) -> tuple[list[Request], list[int]]:
        start = write_request(
            self._map.register("x_start").offset, command.to_bytes(WORD_BYTES, "little")
        )
        span, window = self._map.result_span(fuse), self._map.window("y").offset
        results = self._reads(window + WORD_BYTES * span[0], len(span))
        release = write_request(self._map.register("y_next").offset, ZERO)
        requests, done = [], []
        for number, vector in enumerate(vectors):
            group = [*self._pieces("x", vector), start, *results, release]
            self._group = len(group)
            requests += group
            done += [number] * (len(group) - 1) + [number + 1]
        return requests, done

    def read_row(self, command: int) -> list[Request]:
        """Requests whose answers are a row read back; ``command`` is the word of r_start."""
        window = self._map.window("q")
        start = write_request(
            self._map.register("r_start").offset, command.to_bytes(WORD_BYTES, "little")
        )
        release = write_request(self._map.register("q_next").offset, ZERO)
        requests = [start, *self._reads(window.offset, window.words), release]
        self._group = len(requests)
        return requests

    def _pieces(self, name: str, data: bytes) -> list[Request]:
        """Requests that write a row or a vector into its window."""
        offset = self._map.window(name).offset
        places = range(0, len(data), self._most)
        return [write_request(offset + p, data[p : p + self._most]) for p in places]

    def _reads(self, offset: int, words: int) -> list[Request]:
        step = MOST_ANSWER // WORD_BYTES
        places = range(0, words, step)
        return [read_request(offset + WORD_BYTES * p, min(step, words - p)) for p in places]
