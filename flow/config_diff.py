"""What changes where one macro takes another's place: parameters, ports, registers, cycles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cimforge.golden.cycles import first_result, load_cycles, result_interval
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Change", "ConfigDiff"]


class Change(NamedTuple):
    """``what`` was ``before`` and is ``after``, None where it is not there. ``breaks`` says that
    what was made for the first, its connections or its software, does not work with the second."""

    what: str
    before: Any
    after: Any
    breaks: bool = False


@dataclass(frozen=True)
class ConfigDiff:
    """Macro ``new`` in place of macro ``old``."""

    old: MacroConfig
    new: MacroConfig

    @property
    def parameters(self) -> tuple[Change, ...]:
        """Parameters that differ."""
        return _changes(self.old.parameters(), self.new.parameters())

    @property
    def ports(self) -> tuple[Change, ...]:
        """Ports by direction and width. An instance breaks where one of its ports is gone or turned
        or has another width, and where a new input is left open."""
        told = [
            {port.name: f"{port.direction} {port.width}" for port in macro_ports(config)}
            for config in (self.old, self.new)
        ]
        return tuple(
            change._replace(breaks=change.before is not None or change.after.startswith("input"))
            for change in _changes(*told)
        )

    @property
    def registers(self) -> tuple[Change, ...]:
        """Registers, their fields and the windows behind a 32-bit bus. Software that was compiled
        with the first's addresses breaks where one of them is gone, moved, narrower or says another
        thing; it does not where something is added, or a constant is another."""
        old, new = (dict(_places(RegisterMap(config))) for config in (self.old, self.new))
        found = []
        for change in _changes(old, new):
            before, after = change.before, change.after
            moved = before is not None and (
                after is None or before[:3] != after[:3] or before[3:5] > after[3:5]
            )
            shown = (_shown(before), _shown(after))
            found.append(Change(change.what, *shown, breaks=moved))
        return tuple(found)

    @property
    def cycles(self) -> tuple[Change, ...]:
        """Cycles at full precision, the golden model's: from result to result, from a vector to its
        result, and of a bank's load."""
        told = [_cycles(config) for config in (self.old, self.new)]
        return _changes(*told)

    def as_json(self) -> dict[str, Any]:
        """Each kind of change, and whether connections and software break."""
        kinds = ("parameters", "ports", "registers", "cycles")
        changes = {kind: [change._asdict() for change in getattr(self, kind)] for kind in kinds}
        return {
            "old": self.old.module,
            "new": self.new.module,
            "breaks_connections": any(change.breaks for change in self.ports),
            "breaks_software": any(change.breaks for change in self.registers),
            **changes,
        }


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs, in the order of both."""
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


class _Place(NamedTuple):
    """What software knows of a register, a field or a window; ``limit`` of its values, 0 for any,
    and ``value`` of a constant."""

    access: str
    byte: int
    low: int
    width: int
    limit: int = 0
    value: int = 0


def _places(told: RegisterMap) -> Iterator[tuple[str, _Place]]:
    """Where each thing stands."""
    for register in told.registers():
        where = register.access, register.offset
        yield register.name, _Place(*where, 0, 32)
        for field in register.fields:
            place = _Place(*where, field.low, field.width, field.limit, field.value)
            yield f"{register.name}.{field.name}", place
    for window in told.windows():
        place = _Place(window.access, window.offset, 0, 32 * window.words)
        yield f"window {window.name}", place


def _shown(place: _Place | None) -> str | None:
    if place is None:
        return None
    last = place.low + place.width - 1
    bits = f"bits {place.low}..{last}" if place.width <= 32 else f"{place.width // 32} words"
    said = f", reads {place.value}" if place.value else ""
    said += f", below {place.limit}" if place.limit else ""
    return f"{place.access} at {place.byte:#x}, {bits}{said}"


def _cycles(config: MacroConfig) -> dict[str, int]:
    bits = config.input_bits
    return {
        "result to result, unsigned inputs": result_interval(config, bits, False),
        "result to result, signed inputs": result_interval(config, bits, True),
        "vector to result": first_result(config, bits),
        "load of a bank, row by row": load_cycles(config),
        "load of a bank, fast path": load_cycles(config, fill=True),
    }
