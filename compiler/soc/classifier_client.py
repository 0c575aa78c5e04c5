"""The host's side of the program that classifies images on a system (firmware's classify.c)."""

from typing import NamedTuple

import numpy as np

from cimforge.compiler.precision import Ints
from cimforge.host.driver import LinkError
from cimforge.host.port import Port

__all__ = ["Classified", "ClassifierClient"]

WAYS = {"core": b"c", "engine": b"e"}


class Classified(NamedTuple):
    """Classes (count,) of images, the cycles that the system took from its last byte of them to the
    last class, and of the engine's queue: the cycles it took, and those that its array computed."""

    classes: Ints
    cycles: int
    busy: int
    computing: int


class ClassifierClient:
    """Who sends images over a serial ``port``, and reads classes and cycles back.

    Raises LinkError where the system says nothing, or what it does not understand.
    """

    def __init__(self, port: Port):
        self._port = port

    def greeting(self) -> str:
        """The name that the system says after its reset."""
        word, _, name = self._line().partition(" ")
        if word != "ready":
            raise LinkError(f"the system says {word!r} where it should be ready")
        return name

    def classify(self, images: Ints, way: str) -> Classified:
        """Classes of ``images`` (count, pixels), count in 1..255, on the ``core`` alone or on the
        ``engine``."""
        self._port.write(WAYS[way] + bytes([len(images)]) + images.astype(np.uint8).tobytes())
        classes = self._numbers("classes", len(images))
        (cycles,) = self._numbers("cycles", 1)
        busy, computing = self._numbers("engine", 2)
        self._numbers("ok", 0)
        return Classified(np.array(classes, np.int64), cycles, busy, computing)

    def _numbers(self, wanted: str, count: int) -> list[int]:
        """The numbers of a line that begins with the word ``wanted``."""
        word, *numbers = self._line().split()
        if word != wanted or len(numbers) != count or not all(map(str.isdecimal, numbers)):
            raise LinkError(f"the system says {' '.join((word, *numbers))!r}, not {wanted}")
        return [int(number) for number in numbers]

    def _line(self) -> str:
        """The next line."""
        line = b""
        while not line.endswith(b"\n"):
            if not (byte := self._port.read(1)):
                raise LinkError(f"the system is silent after {line!r}")
            line += byte
        return line.decode(errors="replace").rstrip("\r\n") or "an empty line"
