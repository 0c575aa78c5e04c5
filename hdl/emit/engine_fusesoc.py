"""A FuseSoC core of an engine, which depends on that of its macro."""

from importlib.metadata import version

from cimforge.hdl.emit.templates import render
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["engine_fusesoc"]


def engine_fusesoc(
    config: EngineConfig, top: str, control: str, memory: str, command: str
) -> dict[str, str]:
    """``TOP.core`` (CAPI2), which stands beside the engine's files and the macro's core: targets
    default (what another core gets that depends on it), lint (Verilator) and sim (Icarus, the plain
    testbench). ``command`` makes the engine again.
    """
    text = render(
        "engine.core.j2",
        name=top,
        macro=config.macro.module,
        bits=config.bus_bits,
        control=control,
        memory=memory,
        command=command,
        version=version("cimforge"),
    )
    return {f"{top}.core": text}
