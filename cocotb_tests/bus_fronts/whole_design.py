"""A whole engine behind buses, emitted to be simulated."""

from pathlib import Path

from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["whole_design"]


def whole_design(config: EngineConfig, control: str, memory: str, folder: Path) -> Design:
    """The emitted files of build_engine_top in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    emit_macro(config.macro, folder, macro_extras(config.macro))
    top = build_engine_top(config, control, memory)
    for name, text in engine_sources(config, top).items():
        (folder / name).write_text(text)
    return Design.listed(config.macro, folder, top.name, tuple(top.ports))
