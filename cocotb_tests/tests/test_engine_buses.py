"""Whole engines on their emitted Verilog behind every bus, under masters and slaves not ours.

A few thousand accesses and words each; with CIMFORGE_BUS_BEATS as many in all, over every pair of
buses.
"""

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cimforge.cocotb_tests.bus_fronts.whole_design import whole_design
from cimforge.cocotb_tests.engine.engine_job import engine_parameters
from cimforge.flow.simulate.simulator import build, run_tests
from cimforge.hdl.bus.engine_top import CONTROLS, MEMORIES
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.tests.c_driver import compiler

BEATS = int(os.environ.get("CIMFORGE_BUS_BEATS", 0))
EVERY = [(control, memory) for control in CONTROLS for memory in MEMORIES]
PAIRS = [("axi4lite", "axi4"), ("apb", "axi4"), ("wishbone", "wishbone")]
LIMIT_S = 1200 + BEATS // 100  # in which a test must end
ENGINE = EngineConfig(
    macro=MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4, banks=2),
    **{"act_bytes": 64, "acc_vectors": 4, "channels": 9, "burst": 8},
)


def simulate(control: str, memory: str, suite: str, tests: int, **job) -> Path:
    """Run a suite of bus_fronts, which must pass; its folder of results. Suites share builds."""
    folder = Path("build/tests/engine_buses") / f"{control}_{memory}"
    design = whole_design(ENGINE, control, memory, folder)
    build(design, "verilator", announce=lambda _: None)
    job |= {"engine": engine_parameters(ENGINE), "control": control, "memory": memory, "seed": 6}
    modules, results = [f"cimforge.cocotb_tests.bus_fronts.{suite}"], folder / suite
    ended = run_tests(design, "verilator", modules, results, job=job, limit=LIMIT_S)
    assert not ended, ended
    cases = ET.parse(results / "results.xml").getroot().findall(".//testcase")
    assert len(cases) == tests
    assert [case.attrib for case in cases if case.find("failure") is not None] == []
    return results


@pytest.mark.parametrize(("control", "memory"), EVERY if BEATS else PAIRS)
def test_a_whole_engine(control, memory):
    beats = BEATS // len(EVERY) or 3000
    told = json.loads(
        (simulate(control, memory, "whole_suite", 4, beats=beats) / "traffic.json").read_text()
    )
    print(told)
    assert told["accesses"] + told["words"] >= beats


@pytest.mark.skipif(compiler() is None, reason="needs a C compiler: cc, or ziglang")
def test_the_c_driver_on_verilog():
    simulate("axi4lite", "axi4", "c_driver_suite", 2)
