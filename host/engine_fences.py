"""Which commands of an engine may overlap: what each touches, and the ``beside`` that follows."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from cimforge.hdl.params.descriptors import OPERATIONS, UNITS, Operation, operations
from cimforge.hdl.params.engine_config import CHANNEL_WORDS, EngineConfig

__all__ = ["Command", "Span", "Use", "use_of", "with_fences"]

CHANNEL_BYTES = 4 * CHANNEL_WORDS


class Command(NamedTuple):
    """A descriptor: the operation's name, and its fields but op."""

    name: str
    fields: Mapping[str, int]


class Span(NamedTuple):
    """Places low .. high - 1 of one ``space``: bytes of ``memory`` and of the activation
    ``buffer``, kept vectors of ``sums``, ``channels``."""

    space: str
    low: int
    high: int

    def meets(self, other: "Span") -> bool:
        """Whether they share a place."""
        return self.space == other.space and self.low < other.high and other.low < self.high


class Use(NamedTuple):
    """What a command reads and what it writes; places between those that it touches count."""

    unit: str
    reads: tuple[Span, ...] = ()
    writes: tuple[Span, ...] = ()

    def meets(self, other: "Use") -> bool:
        """Whether one writes what the other touches."""
        pairs = (
            *((mine, its) for mine in self.writes for its in (*other.reads, *other.writes)),
            *((mine, its) for mine in self.reads for its in other.writes),
        )
        return any(mine.meets(its) for mine, its in pairs)


def use_of(config: EngineConfig, command: Command) -> Use:
    """What a command touches, banks left out: the engine itself keeps a LOAD from a bank in use
    and a RUN from one that is being loaded."""
    name, fields = command.name, _Fields(config, command)
    unit = _operation(config, name).unit
    if fields["stream"] and name != "run":
        return Use(unit, fields.kept if name == "store" else (), fields.written_by_copy)
    if name == "load":
        size = fields["rows"] * config.row_words * config.bus_bytes
        return Use(unit, (Span("memory", fields["source"], fields["source"] + size),))
    if name == "copy":
        return Use(unit, (fields.copied,), fields.written_by_copy)
    if name == "run":
        return Use(unit, fields.gathered, fields.kept)
    if name == "store":
        return Use(unit, fields.kept, (fields.stored,))
    return Use(unit)


@lru_cache(maxsize=64)
def _operation(config: EngineConfig, name: str) -> Operation:
    return operations(config)[OPERATIONS.index(name)]


class _Fields:
    """Spans of the fields of a command; those that it has not count as 0, those left out as in
    pack_descriptor."""

    def __init__(self, config: EngineConfig, command: Command):
        self._config, self._name = config, command.name
        known = _operation(config, command.name).fields
        self._values = {**{f.name: max(f.least, 0) for f in known}, **command.fields}

    def __getitem__(self, name: str) -> int:
        return self._values.get(name, 0)

    @property
    def copied(self) -> Span:
        """Memory that a COPY reads, whole words."""
        first, step = self["source"], self._config.bus_bytes
        size = self["count"] * (CHANNEL_BYTES if self["channels"] else 1)
        size += (self["lines"] - 1) * self["source_pitch"]
        return Span("memory", first, first + -(-size // step) * step)

    @property
    def written_by_copy(self) -> tuple[Span, ...]:
        """What a COPY writes in the engine."""
        if self._name != "copy":
            return ()
        first = self["target"]
        if self["channels"]:
            return (Span("channels", first, first + self["count"]),)
        return self._ring(first, self["count"] + (self["lines"] - 1) * self["target_pitch"])

    @property
    def gathered(self) -> tuple[Span, ...]:
        """The part of the activation buffer that a RUN reads."""
        images = -(-self["vectors"] // (self["count_x"] * self["count_y"]))
        size = (images - 1) * self["image_pitch"] + self["lines"] * self["line_bytes"]
        return self._ring(self["source"], size)

    @property
    def kept(self) -> tuple[Span, ...]:
        """The sums, and of a STORE the channels, that a command touches."""
        sums = Span("sums", self["sums"], self["sums"] + self["vectors"])
        if self._name != "store" or self["raw"]:
            return (sums,)
        return (sums, Span("channels", self["channel"], self["channel"] + self["outputs"]))

    @property
    def stored(self) -> Span:
        """Memory that a STORE writes; gaps between vectors count."""
        size = 1 + self["wide"] if not self["raw"] else self._config.acc_bits // 48 * 4 + 4
        reach = (self["vectors"] - 1) * self["target_pitch"] + self["outputs"] * size
        return Span("memory", self["target"], self["target"] + reach)

    def _ring(self, first: int, size: int) -> tuple[Span, ...]:
        whole = self._config.act_bytes
        low, most = first % whole, min(size, whole)
        spans = (Span("buffer", low, min(low + most, whole)), Span("buffer", 0, low + most - whole))
        return tuple(span for span in spans if span.low < span.high)


def with_fences(config: EngineConfig, commands: Iterable[Command]) -> list[Command]:
    """The commands with the most permissive ``beside`` that leaves every result as if each ended
    before the next begins.

    A unit is named unless its newest command meets the one at hand: its older ones have ended in
    any case. Commands of one unit take effect in their order, so that a unit is named in all of its
    own.
    """
    newest: dict[str, Use] = {}
    fenced = []
    for command in commands:
        use = use_of(config, command)
        beside = 0
        for place, unit in enumerate(UNITS):
            if unit != use.unit and unit in newest and newest[unit].meets(use):
                del newest[unit]  # it has ended, for all that follow too
            else:
                beside |= 1 << place
        fenced.append(Command(command.name, {**command.fields, "beside": beside}))
        newest[use.unit] = use
    return fenced
