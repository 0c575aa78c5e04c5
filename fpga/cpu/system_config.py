"""SystemConfig: the parameters of a system with a RISC-V core."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.engine.seams import MEMORY_PAGE
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError, shown

__all__ = ["MULTIPLIERS", "SystemConfig"]

# How the core multiplies: the parameters of PicoRV32 that say so.
MULTIPLIERS: dict[str, dict[str, int]] = {
    "none": {},
    "serial": {"ENABLE_MUL": 1},  # a bit of the product a cycle
    "fast": {"ENABLE_MUL": 1, "ENABLE_FAST_MUL": 1},  # by the FPGA's multipliers
}
MOST_BYTES = 1 << 20
LEAST_ROM = 1024
MOST_DIVISOR = 1 << 16


@dataclass(frozen=True)
class SystemConfig:
    """Parameters of a system, checked on construction.

    ``engine`` is the engine beside the core, or None; ``rom_bytes`` and ``ram_bytes`` are powers of
    2, RAM of a page of the engine's bursts at least; ``divisor`` clock cycles make a bit of the
    UART; ``multiplier`` is one of MULTIPLIERS; with ``barrel_shifter`` the core shifts any distance
    in a cycle. Raises ConfigError with the nearest legal value.
    """

    engine: EngineConfig | None = None
    rom_bytes: int = 16384
    ram_bytes: int = 65536
    divisor: int = LEAST_DIVISOR
    multiplier: str = "serial"
    barrel_shifter: bool = False

    def __post_init__(self) -> None:
        self._check_power("rom_bytes", LEAST_ROM)
        self._check_power("ram_bytes", MEMORY_PAGE)
        self._check_range("divisor", LEAST_DIVISOR, MOST_DIVISOR)
        if self.multiplier not in MULTIPLIERS:
            rule = f"must be one of {', '.join(MULTIPLIERS)}, not {shown(self.multiplier)}"
            raise ConfigError("multiplier", rule, "serial")

        if self.engine and self.engine.streams:
            raise ConfigError("engine", "must be without streams: nothing is at their other end")

    def _check_range(self, key: str, least: int, most: int) -> None:
        value = getattr(self, key)
        if type(value) is not int or not least <= value <= most:
            near = max(least, min(value, most)) if type(value) is int else least
            rule = f"must be an integer in {least}..{most}, not {shown(value)}"
            raise ConfigError(key, rule, near)

    def _check_power(self, key: str, least: int) -> None:
        self._check_range(key, least, MOST_BYTES)
        value = getattr(self, key)
        if value & (value - 1):
            near = 1 << value.bit_length() - 1
            raise ConfigError(key, f"must be a power of 2, not {value}", near)

    @property
    def bus_bits(self) -> int:
        """Bits of a word of RAM: the engine's bus, or the core's."""
        return self.engine.bus_bits if self.engine else 32

    @property
    def core_parameters(self) -> dict[str, int]:
        """Parameters of PicoRV32 that differ with the configuration."""
        return {**MULTIPLIERS[self.multiplier], "BARREL_SHIFTER": int(self.barrel_shifter)}

    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain JSON data, the engine's below ``engine``."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "engine"}
        return {"engine": self.engine.parameters() if self.engine else None, **own}

    @property
    def module(self) -> str:
        """Name of the system's module: the engine's, ``_system``, and 6 digits of a digest where
        another parameter differs from its default."""
        own = {key: value for key, value in asdict(self).items() if key != "engine"}
        differs = any(value != getattr(type(self), key) for key, value in own.items())
        digest = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:6]
        begin = self.engine.module if self.engine else "cim_cpu"
        return f"{begin}_system{f'_{digest}' if differs else ''}"
