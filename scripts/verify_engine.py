"""cimforge verify of an engine: alone at its memory port, or behind the buses of a chip."""

from collections.abc import Callable

from cimforge.cocotb_tests.engine.engine_job import engine_parameters
from cimforge.cocotb_tests.engine.suites import ENGINE_SUITE
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_file import load_engine
from cimforge.scripts.options import SIMULATORS
from cimforge.scripts.verify_run import Asked, check_packages

__all__ = ["check_engine"]

FIRST_MEMORY = "axi4"
PACKAGES = {
    **{"axi4lite": ("cocotbext.axi",), "apb": ("cocotbext.apb",), "axi4": ("cocotbext.axi",)},
    "wishbone": ("cocotb_bus", "cocotbext.wishbone"),  # the second imports the first
}


def check_engine(
    asked: Asked, netlist: str | None, bus: str | None, patience: int | None, memory: str | None
) -> None:
    """The regression of the engine that is asked for; the others are verify's options.

    Raises InputError where they do not fit an engine, CheckFailedError where a check fails.
    """
    config = load_engine(asked.config, asked.overrides)
    if netlist:
        raise InputError(f"--netlist {netlist}: of a macro only; an engine is checked as Verilog")
    if patience is not None:
        raise InputError("--patience: of a macro only; an engine's registers answer at once")
    if memory and not bus:
        raise InputError(f"--memory {memory}: only together with --bus")
    if bus and asked.simulator != SIMULATORS[0]:
        rule = f"an engine behind buses runs in {SIMULATORS[0]} alone"
        raise InputError(f"--simulator {asked.simulator}: {rule}: its slaves take no unknown bytes")
    memory = (memory or FIRST_MEMORY) if bus else None
    if bus and memory:
        check_packages((*PACKAGES[bus], *PACKAGES[memory]))
        top = build_engine_top(config, bus, memory)
    else:
        top = build_engine(config)
    folder = asked.folder(config.macro)
    results = asked.results(folder, "engine", bus, memory)

    def design(announce: Callable[[str], None]) -> Design:
        if asked.sources:
            return asked.given(config.macro, folder, top)
        emit_macro(
            config.macro, folder, {**macro_extras(config.macro), **engine_sources(config, top)}
        )
        return Design.listed(config.macro, folder, top.name, tuple(top.ports))

    words = ["--bus", bus, "--memory", memory] if bus and memory else []
    job = {"engine": engine_parameters(config), "control": bus, "memory": memory}
    left_out = "" if bus else "registers and fronts of buses: add --bus, and --memory"
    asked.check(top.name, results, design, words, left_out, suite=ENGINE_SUITE, options=job)
