"""What changes where one macro takes another's place: parameters, ports, registers, cycles."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cimforge.golden.cycles import first_result, load_cycles, result_interval
from cimforge.hdl.bus.registers import Register, RegisterMap, Window
from cimforge.hdl.bus.signatures import wrapper_ports
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Change", "ConfigDiff", "changes", "cycles_of", "port_changes", "register_changes"]

Ports = Mapping[str, tuple[str, int]]  # direction and width by name
Map = tuple[Iterable[Register], Iterable[Window]]


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
        return changes(self.old.parameters(), self.new.parameters())

    @property
    def ports(self) -> tuple[Change, ...]:
        """Ports of the macro."""
        return port_changes(
            *(
                {port.name: (port.direction, port.width) for port in macro_ports(config)}
                for config in (self.old, self.new)
            )
        )

    @property
    def wrapper_ports(self) -> tuple[Change, ...]:
        """Ports of the macro's wrapper for a bus."""
        return port_changes(wrapper_ports(self.old), wrapper_ports(self.new))

    @property
    def registers(self) -> tuple[Change, ...]:
        """Registers, their fields and the windows behind a 32-bit bus."""
        maps = [RegisterMap(config) for config in (self.old, self.new)]
        return register_changes(*((told.registers(), told.windows()) for told in maps))

    @property
    def cycles(self) -> tuple[Change, ...]:
        """Cycles of a pass and of a load."""
        return changes(cycles_of(self.old), cycles_of(self.new))

    def as_json(self) -> dict[str, Any]:
        """Each kind of change, and whether connections and software break."""
        kinds = ("parameters", "ports", "wrapper_ports", "registers", "cycles")
        return {
            "old": self.old.module,
            "new": self.new.module,
            "breaks_connections": any(change.breaks for change in self.ports),
            "breaks_wrapper_connections": any(change.breaks for change in self.wrapper_ports),
            "breaks_software": any(change.breaks for change in self.registers),
            **{kind: [change._asdict() for change in getattr(self, kind)] for kind in kinds},
        }


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs, in the order of both."""
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


def port_changes(old: Ports, new: Ports) -> tuple[Change, ...]:
    """Ports by direction and width. An instance breaks where one of its ports is gone or turned or
    has another width, and where a new input is left open."""
    told = [
        {name: f"{direction} {width}" for name, (direction, width) in ports.items()}
        for ports in (old, new)
    ]
    return tuple(
        change._replace(breaks=change.before is not None or change.after.startswith("input"))
        for change in changes(*told)
    )


def register_changes(old: Map, new: Map) -> tuple[Change, ...]:
    """Registers, their fields and windows. Software that was compiled with the first's addresses
    breaks where one of them is gone, moved, narrower or says another thing; it does not where
    something is added, or a constant is another."""
    found = []
    for change in changes(dict(_places(*old)), dict(_places(*new))):
        before, after = change.before, change.after
        moved = before is not None and (
            after is None or before[:3] != after[:3] or before[3:5] > after[3:5]
        )
        found.append(Change(change.what, _shown(before), _shown(after), breaks=moved))
    return tuple(found)


def cycles_of(config: MacroConfig) -> dict[str, int]:
    """Cycles at full precision, the golden model's: from result to result, from a vector to its
    result, and of a bank's load."""
    bits = config.input_bits
    return {
        "result to result, unsigned inputs": result_interval(config, bits, False),
        "result to result, signed inputs": result_interval(config, bits, True),
        "vector to result": first_result(config, bits),
        "load of a bank, row by row": load_cycles(config),
        "load of a bank, fast path": load_cycles(config, fill=True),
    }


class _Place(NamedTuple):
    """What software knows of a register, a field or a window; ``limit`` of its values, 0 for any,
    and ``value`` of a constant."""

    access: str
    byte: int
    low: int
    width: int
    limit: int = 0
    value: int = 0


def _places(
    registers: Iterable[Register], windows: Iterable[Window]
) -> Iterator[tuple[str, _Place]]:
    """Where each thing stands."""
    for register in registers:
        where = register.access, register.offset
        yield register.name, _Place(*where, 0, 32)
        for field in register.fields:
            place = _Place(*where, field.low, field.width, field.limit, field.value)
            yield f"{register.name}.{field.name}", place
    for window in windows:
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
