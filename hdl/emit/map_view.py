"""What every view of a register map shows, whosever map it is."""

from collections.abc import Mapping
from typing import NamedTuple

from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.bus.registers import Field, Register, RegisterMap, Window
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command
from cimforge.hdl.params.descriptors import Operation, operations
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES
from cimforge.hdl.params.interface import ENGINE_VERSION, INTERFACE_VERSION

__all__ = ["MapView", "engine_view", "macro_view"]

ANY_WORD = Field("any", 0, 32, "any word")


class MapView(NamedTuple):
    """Registers and windows of ``2 ** address_bits`` bytes under one name, which is that of files
    and symbols.

    ``constants`` are the registers that never change, ``unknown`` those whose value after reset the
    map does not tell. ``values`` names the numbers of a field, from 0 up, by register and field.
    ``origin`` are lines that say of which hardware this is a view.
    """

    name: str
    title: str
    origin: tuple[str, ...]
    version: int
    address_bits: int
    registers: tuple[Register, ...]
    constants: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    values: Mapping[tuple[str, str], Mapping[str, str]] = {}
    least: Mapping[str, int] = {}
    operations: tuple[Operation, ...] = ()

    def reset(self, register: Register) -> int | None:
        """The word after reset; None where it is not told."""
        return None if register.name in self.unknown else register.constant

    def named(self, register: Register, field: Field) -> Mapping[str, str]:
        """The values of a field that have names, with what they mean, from 0 up."""
        return self.values.get((register.name, field.name), {})


def engine_view(config: EngineConfig) -> MapView:
    """The view of an engine's registers and descriptors."""
    table, macro = EngineMap(config), config.macro
    sides = f"{config.macros} macros" if config.macros > 1 else "One macro"
    size = (
        f"{macro.rows} rows and {macro.cols} columns, weights of {macro.weight_bits} bits, inputs"
    )
    return MapView(
        config.module,
        f"Registers of the engine {config.module}",
        (
            f"{sides} of {size} of {macro.input_bits}; memory bus of {config.bus_bits} bits",
            f"Interface version {ENGINE_VERSION}, configuration {config.digest[:8]}",
        ),
        ENGINE_VERSION,
        table.address_bits,
        table.registers(),
        table.constants,
        values={("error", "cause"): ERROR_CAUSES},
        least={r.name: table.least(r.name) for r in table.registers() if table.least(r.name)},
        operations=operations(config),
    )


def macro_view(config: MacroConfig) -> MapView:
    """The view of a macro's registers and windows, as its bus slaves have them."""
    table = RegisterMap(config)
    registers = tuple(_told(register) for register in table.registers())
    return MapView(
        f"{config.module}_regs",
        f"Registers of {config.module}",
        (
            canonical_command(config),
            f"Interface version {INTERFACE_VERSION}, configuration {config.digest[:8]}",
        ),
        INTERFACE_VERSION,
        table.address_bits,
        registers,
        ("id", "hash", "geometry", "precision"),
        ("status",),
        table.windows(),
    )


def _told(register: Register) -> Register:
    """A register of a macro in the terms of a view: every register has a field, and what acts at
    once says so."""
    if register.name == "control":
        return register._replace(access="w1p")
    return register if register.fields else register._replace(fields=(ANY_WORD,))
