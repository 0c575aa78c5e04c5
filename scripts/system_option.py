"""--system: parameters of the core's side of a system, as options of a command."""

from collections.abc import Iterable
from typing import Any

import click

from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError, shown

__all__ = ["chosen_system", "system_option"]

WORDS: dict[str, Any] = {"true": True, "false": False}
KEYS = ("rom_bytes", "ram_bytes", "multiplier", "barrel_shifter")

system_option = click.option(
    "--system",
    "system_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a parameter of the core's side, for example rom_bytes=32768; repeatable.",
)


def chosen_system(
    engine: EngineConfig | None, options: Iterable[str], **defaults: Any
) -> SystemConfig:
    """The system that the ``options`` describe; ``defaults`` are what they do not say.

    Raises InputError, one line, where an option is no KEY=VALUE of KEYS, or its value is illegal.
    """
    chosen = dict(defaults)
    for text in options:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--system: must be KEY=VALUE, not {shown(text)}")
        if key not in KEYS:
            raise InputError(f"--system: {shown(key)} is not one of {', '.join(KEYS)}")
        whole = value.isascii() and value.isdecimal() and len(value) < 10
        chosen[key] = int(value) if whole else WORDS.get(value, value)
    try:
        return SystemConfig(engine=engine, **chosen)
    except ConfigError as error:
        raise InputError(f"--system: {error}") from None
