"""An emitted engine with a memory around it, to simulate."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.engine.activity import EVENTS
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["COUNTERS", "FIRST", "feed_design"]

FIRST = 1 << 20  # address of memory's first byte
COUNTERS = (*EVENTS, "count_read", "count_written")


def feed_design(config: EngineConfig, folder: Path, memory_bytes: int) -> Design:
    """The engine's sources and those of its bench, in ``folder``: ports clk, rst, load, start,
    base, count, over, failure, and a 32-bit output for each of COUNTERS."""
    folder.mkdir(parents=True, exist_ok=True)
    emit_macro(config.macro, folder, macro_extras(config.macro))
    engine = build_engine(config)
    for name, text in engine_sources(config, engine).items():
        (folder / name).write_text(text)
    top = f"{config.macro.module}_feed"
    loader = PackageLoader("cimforge.cocotb_tests.feed", ".")
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    told = [name.removeprefix("count_") for name in COUNTERS]
    facts = {
        **{"top": top, "engine": engine.name, "bits": config.bus_bits, "first": FIRST},
        **{"words": memory_bytes // config.bus_bytes, "lines": COUNTERS},
        "counters": told,
        "counted": list(zip(COUNTERS, told, strict=True)),
        "tied": [name for name, _ in config.macro.storage_traits.control_ports],
    }
    text = environment.get_template("feed_bench.v.j2").render(facts)
    (folder / f"{top}.v").write_text(text)
    listed = (folder / f"{engine.name}.f").read_text()
    (folder / f"{top}.f").write_text(f"{listed}{top}.v\n")
    ports = ("clk", "rst", "load", "start", "base", "count", "over", "failure", *told)
    return Design.listed(config.macro, folder, top, ports)
