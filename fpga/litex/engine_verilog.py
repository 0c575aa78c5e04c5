"""The Verilog of an engine between two Wishbone buses, as LiteX's main bus is one."""

from pathlib import Path

from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["CONTROL", "MEMORY", "check_engine", "write_engine"]

CONTROL = MEMORY = "wishbone"


def check_engine(config: EngineConfig) -> None:
    """Raise InputError for an engine with streams, at whose other end nothing in a system is."""
    if config.streams:
        rule = "a LiteX system has no streams for an engine"
        raise InputError(f"streams: {rule} (nearest legal value: --set engine.streams=false)")


def write_engine(config: EngineConfig, folder: Path) -> tuple[Path, ...]:
    """Write the engine of ``config`` into ``folder`` and return its sources, lint waivers left out.

    Raises InputError as check_engine and emit_macro do.
    """
    check_engine(config)
    top = build_engine_top(config, CONTROL, MEMORY)
    texts = engine_sources(config, top)
    emit_macro(config.macro, folder, texts)
    listed = texts[f"{top.name}.f"].split()
    return tuple(folder.resolve() / name for name in listed if not name.endswith(".vlt"))
