"""What changes where one engine takes another's place: as of macros, and its queues."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cimforge.flow.config_diff import (
    Change,
    changes,
    cycles_of,
    port_changes,
    register_changes,
)
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["EngineDiff"]

CONTROL, MEMORY = "axi4lite", "axi4"  # the buses whose ports are compared
# Constants of an engine's registers that are room: with more of it a queue goes on.
ROOM = {"input_bits", "banks", "bytes", "vectors", "channels", "modes"}
MACRO = "macro."


@dataclass(frozen=True)
class EngineDiff:
    """Engine ``new`` in place of engine ``old``, behind AXI4-Lite and AXI4."""

    old: EngineConfig
    new: EngineConfig

    @property
    def parameters(self) -> tuple[Change, ...]:
        """Parameters that differ, of the engine and of its macro."""
        return changes(*(dict(_parameters(config)) for config in (self.old, self.new)))

    @cached_property
    def ports(self) -> tuple[Change, ...]:
        """Ports of the engine behind its buses."""
        tops = [build_engine_top(config, CONTROL, MEMORY) for config in (self.old, self.new)]
        return port_changes(
            *(
                {port.name: (port.direction, port.width) for port in top.ports.values()}
                for top in tops
            )
        )

    @property
    def registers(self) -> tuple[Change, ...]:
        """Registers and their fields."""
        maps = [EngineMap(config) for config in (self.old, self.new)]
        return register_changes(*((told.registers(), ()) for told in maps))

    @property
    def queues(self) -> tuple[Change, ...]:
        """What a queue of commands and the weights in memory are laid out for. They break where it
        is another, or where there is less room."""
        found = changes(*(dict(_sizes(EngineMap(config))) for config in (self.old, self.new)))
        return tuple(
            change._replace(
                breaks=change.after < change.before
                if change.what.rpartition(".")[2] in ROOM
                else True
            )
            for change in found
        )

    @property
    def cycles(self) -> tuple[Change, ...]:
        """Cycles of a pass of its macro and of a load."""
        return changes(cycles_of(self.old.macro), cycles_of(self.new.macro))

    def as_json(self) -> dict[str, Any]:
        """Each kind of change, and whether connections, software and queues break."""
        kinds = ("parameters", "ports", "registers", "queues", "cycles")
        return {
            "old": self.old.module,
            "new": self.new.module,
            "breaks_connections": any(change.breaks for change in self.ports),
            "breaks_software": any(change.breaks for change in self.registers),
            "breaks_queues": any(change.breaks for change in self.queues),
            **{kind: [change._asdict() for change in getattr(self, kind)] for kind in kinds},
        }


def _parameters(config: EngineConfig) -> Iterator[tuple[str, Any]]:
    for name, value in config.parameters().items():
        if name != "macro":
            yield name, value
    for name, value in config.macro.parameters().items():
        yield f"{MACRO}{name}", value


def _sizes(told: EngineMap) -> Iterator[tuple[str, int]]:
    """The constants that a queue depends on, ``register.field``: no hash, and not how many results
    are requantised at once."""
    for register in told.registers():
        if register.name in told.constants and register.name not in ("id", "hash"):
            for field in register.fields:
                if field.name != "lanes":
                    yield f"{register.name}.{field.name}", field.value
