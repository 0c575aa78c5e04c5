"""Designs of engines and of front ends of buses that mutants are drawn from, with their tests."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cimforge.cocotb_tests.bus_fronts.front_designs import (
    master_design,
    slave_design,
    stream_design,
)
from cimforge.cocotb_tests.engine.engine_job import engine_parameters
from cimforge.cocotb_tests.engine.suites import ENGINE_SUITE
from cimforge.cocotb_tests.mutation.subjects import Subject
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.engine.engine_core import build_engine
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_file import load_engine

__all__ = ["ENGINE_SUBJECTS", "EngineSubject", "FrontSubject"]

QUICK = {"programs": 4, "stores": 8, "malformed": 12, "failures": 4, "resets": 10}
MODULE = re.compile(r"^module (\w+)", re.M)


@dataclass(frozen=True)
class EngineSubject(Subject):
    """An engine at its own ports, of which all is broken but its macros: they are subjects of their
    own."""

    title: str = ""
    engine: EngineConfig | None = None

    @classmethod
    def of(cls, title: str, engine: EngineConfig) -> "EngineSubject":
        """The engine under the suite that verifies it."""
        options: dict[str, Any] = {"engine": engine_parameters(engine), **QUICK}
        return cls(engine.macro, "engine", ENGINE_SUITE, options, False, title, engine)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.title

    def emit(self, folder: Path) -> Design:
        """Write its files and return the design they are."""
        assert self.engine is not None
        top = build_engine(self.engine)
        emit_macro(self.config, folder, engine_sources(self.engine, top))
        return Design.listed(self.config, folder, top.name, tuple(top.ports))


@dataclass(frozen=True)
class FrontSubject(Subject):
    """A front end of a bus, alone or before registers of a test, which are not broken."""

    title: str = ""
    make: Callable[[Path], Design] | None = None

    @classmethod
    def of(
        cls, title: str, make: Callable[[Path], Design], suite: str, options: Mapping[str, Any]
    ) -> "FrontSubject":
        """The design that ``make`` writes, under a suite of bus_fronts."""
        suites = (f"bus_fronts.{suite}",)
        return cls(load_config("tiny"), "front", suites, options, False, title, make)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.title

    def emit(self, folder: Path) -> Design:
        """Write its files and return the design they are."""
        assert self.make is not None
        return self.make(folder)

    def targets(self, design: Design) -> list[str]:
        """Its modules, without the registers behind it and what holds both."""
        names = MODULE.findall((design.folder / design.sources[-1]).read_text())
        return [name for name in names if not name.startswith("front_file") and "bench" not in name]


def _slave(bus: str, patience: int) -> FrontSubject:
    options = {"bus": bus, "patience": patience, "beats": 400}
    make = partial(slave_design, bus, patience)
    return FrontSubject.of(f"front_{bus}", make, "register_suite", options)


def _master(bus: str, data_bits: int) -> FrontSubject:
    options = {"bus": bus, "data_bits": data_bits, "beats": 1200}
    make = partial(master_design, bus, 32, data_bits)
    return FrontSubject.of(f"master_{bus}", make, "memory_suite", options)


# Small and odd, as each of a hundred mutants is simulated: two macros, a column of ones, two
# lanes, bursts that are shorter than a descriptor; and the preset, whose descriptors take one.
ENGINED = EngineConfig(
    **{"macro": MacroConfig(rows=5, cols=3, weight_bits=3, input_bits=4, banks=2)},
    **{"macros": 2, "lanes": 2, "burst": 4, "weight_zeros": True},
    **{"act_bytes": 64, "acc_vectors": 33, "channels": 24},
)
ENGINE_SUBJECTS: tuple[Subject, ...] = (
    EngineSubject.of("engine_odd", ENGINED),
    EngineSubject.of("engine_small", load_engine("engine_small")),
    *(_slave("axi4lite", 21), _slave("apb", 21), _slave("wishbone", 21)),
    *(_master("axi4", 32), _master("wishbone", 32)),
    FrontSubject.of("streams", partial(stream_design, 16), "stream_suite", {"beats": 400}),
)
