"""EngineConfig: the parameters of an engine, and every width and limit derived from them."""

import hashlib
import json
from math import ceil
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError, explain, unknown_key
from cimforge.hdl.params.interface import ENGINE_VERSION
from cimforge.hdl.params.mode import Mode
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["ADDRESS_BITS", "CHANNEL_WORDS", "EngineConfig"]

ADDRESS_BITS = 32  # of a byte in memory
CHANNEL_WORDS = 4  # 32-bit words of a channel in memory: bias, multiplier, shift, weight zero point


class EngineConfig(BaseModel):
    """Parameters of one engine, checked on construction; an illegal one raises ConfigError with the
    nearest legal value.

    ``macros`` macros of one configuration stand side by side: all take the same vectors, each holds
    its own columns, so that together they are one macro of ``macros`` times as many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, title="cimforge engine")

    macro: MacroConfig
    macros: int = Field(1, ge=1, le=64, description="macros side by side, which share the vectors")
    bus_bits: int = Field(
        32, ge=32, le=512, description="data bits of the memory bus, a power of 2"
    )
    acc_bits: int = Field(32, ge=32, le=48, description="bits of a sum over tiles, 32 or 48")
    act_bytes: int = Field(
        16384, ge=64, le=2**20, description="bytes of the activation buffer, a power of 2"
    )
    acc_vectors: int = Field(
        256, ge=2, le=65535, description="vectors whose sums are kept, of all columns each"
    )
    channels: int = Field(
        256, ge=1, le=65535, description="channels whose requantisation is kept, one a column"
    )
    lanes: int = Field(1, ge=1, le=64, description="results requantised in a cycle, a power of 2")
    burst: int = Field(16, ge=1, le=256, description="most words of a burst, a power of 2")
    weight_zeros: bool = Field(
        False, description="channels have a zero point of weights, which a column of ones serves"
    )
    streams: bool = Field(False, description="data may come and go by streams in place of memory")

    def __init__(self, /, **parameters: Any):
        fields = type(self).model_fields
        unknown = next((key for key in parameters if key not in fields), None)
        if unknown is not None:
            raise unknown_key(unknown, list(fields))
        try:
            super().__init__(**parameters)
        except ValidationError as error:
            raise explain(error, type(self)) from None

    @model_validator(mode="after")
    def _check(self) -> "EngineConfig":
        for key in ("bus_bits", "act_bytes", "lanes", "burst"):
            value = getattr(self, key)
            if value & (value - 1):
                nearest = 1 << round(value.bit_length() - 1 + (value >> value.bit_length() - 2 & 1))
                raise ConfigError(key, f"must be a power of 2, not {value}", nearest)
        self._check_together()
        return self

    def _check_together(self) -> None:
        if self.acc_bits not in (32, 48):
            nearest = 32 if self.acc_bits < 40 else 48
            raise ConfigError("acc_bits", f"must be 32 or 48, not {self.acc_bits}", nearest)
        widest = max(mode.y_bits for mode in self.macro.modes)
        if widest > self.acc_bits:
            rule = f"must be at least the macro's y_bits = {widest}, not {self.acc_bits}"
            raise ConfigError("acc_bits", rule, 48 if widest <= 48 else None)
        if self.lanes > self.bus_bits // (8 * self.element_bytes):
            most = self.bus_bits // (8 * self.element_bytes)
            rule = f"must be at most {most}, the elements of a word of the bus, not {self.lanes}"
            raise ConfigError("lanes", rule, most)
        if self.act_bytes < 2 * self.gather_bytes:
            rule = f"must be at least {2 * self.gather_bytes}, two of its words, not"
            raise ConfigError("act_bytes", f"{rule} {self.act_bytes}", 2 * self.gather_bytes)
        if self.outputs > 65535:
            most = 65535 // max(mode.outputs for mode in self.macro.modes)
            raise ConfigError("macros", f"must be at most {most}: 65535 outputs a pass", most)
        if self.channels < self.outputs:
            rule = f"must be at least {self.outputs}, the outputs of a pass, not {self.channels}"
            raise ConfigError("channels", rule, self.outputs)
        if self.burst * self.bus_bytes > 4096:
            most = 4096 // self.bus_bytes
            raise ConfigError("burst", f"must be at most {most}, a page of 4096 bytes", most)

    # what several macros are together

    @property
    def bus_bytes(self) -> int:
        """Bytes of a word of the memory bus."""
        return self.bus_bits // 8

    @property
    def element_bytes(self) -> int:
        """Bytes of an input in memory and in the activation buffer: 1, of over 8 bits 2."""
        return 1 if self.macro.input_bits <= 8 else 2

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The macro's modes, with the outputs of all macros."""
        return tuple(m._replace(outputs=m.outputs * self.macros) for m in self.macro.modes)

    @property
    def outputs(self) -> int:
        """Most outputs of a pass, of any mode: sums of a vector that are kept."""
        return max(mode.outputs for mode in self.modes)

    @property
    def row_bits(self) -> int:
        """Bits of a row of all macros' weights, macro 0 lowest."""
        return self.macros * max(mode.row_width for mode in self.macro.modes)

    @property
    def row_words(self) -> int:
        """Words of the bus that a row takes in memory, the last padded."""
        return ceil(self.row_bits / self.bus_bits)

    @property
    def vector_bytes(self) -> int:
        """Bytes of a vector of ``rows`` elements."""
        return self.macro.rows * self.element_bytes

    @property
    def gather_bytes(self) -> int:
        """Bytes of a word of the activation buffer, read in a cycle: a power of 2, those of a bus
        word at least, and enough to make a vector in the cycles of a pass at full precision."""
        least = ceil(self.vector_bytes / self.macro.cycles_per_pass(0, True))
        return max(self.bus_bytes, 1 << (least - 1).bit_length())

    @property
    def gather_words(self) -> int:
        """Words of the activation buffer that hold a vector, which begins at one of them."""
        return ceil(self.vector_bytes / self.gather_bytes)

    @property
    def act_bits(self) -> int:
        """Bits of a byte's address in the activation buffer, which wraps."""
        return unsigned_width(self.act_bytes - 1)

    @property
    def acc_address_bits(self) -> int:
        """Bits of a kept vector's number."""
        return unsigned_width(self.acc_vectors - 1)

    @property
    def channel_bits(self) -> int:
        """Bits of a channel's number; 0 of one."""
        return unsigned_width(self.channels - 1)

    # identity

    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain JSON data, defaults included, the macro's below ``macro``."""
        return {**self.model_dump(mode="json"), "macro": self.macro.parameters()}

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of the parameters and of the engine's interface version, as
        canonical JSON; of the macro its digest, so not its name."""
        told = {**self.parameters(), "macro": self.macro.digest, "interface": ENGINE_VERSION}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def module(self) -> str:
        """Name of the engine's module: the macro's, ``_engine``, and 6 digits of the digest where
        a parameter differs from its default and nobody has named the macro."""
        fields = type(self).model_fields
        differs = any(v != fields[key].default for key, v in self if key != "macro")
        tail = f"_{self.digest[:6]}" if differs and not self.macro.name else ""
        return f"{self.macro.module}_engine{tail}"
