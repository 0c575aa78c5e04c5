"""Emitted engines are reset, fed with errors and with nonsense, in every phase and at every place.

A sample of the cycles and words. CIMFORGE_RESETS says how many resets instead, some 10000 are one
in every cycle, and then every word of memory fails.
"""

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cimforge.cocotb_tests.engine.bare_design import bare_design
from cimforge.cocotb_tests.engine.engine_job import engine_parameters
from cimforge.flow.simulate.simulator import build, run_tests
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig

RESETS = int(os.environ.get("CIMFORGE_RESETS", 0))
ALL = {"resets": RESETS, "places": 0} if RESETS else {}
LIMIT_S = 1200 + 2 * RESETS  # in which a test must end
SMALL = {"act_bytes": 64, "acc_vectors": 4, "channels": 9}
TWO_BANKS = MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4, banks=2)
ODD = MacroConfig(rows=5, cols=3, weight_bits=4, input_bits=3, bits_per_cycle=3, banks=2)
CONFIGS = {
    "plain": EngineConfig(macro=TWO_BANKS, **SMALL),
    "wide": EngineConfig(
        **{"macro": ODD, "macros": 2, "bus_bits": 64, "lanes": 2, "burst": 2, **SMALL},
        weight_zeros=True,
    ),
}
every_engine = pytest.mark.parametrize("name", CONFIGS)


def attack(name: str, suite: str, tests: int) -> Path:
    """Run a suite on an engine, in the build that all suites share; its folder of results."""
    folder = Path("build/tests/engine_hostile") / name
    config = CONFIGS[name]
    design = bare_design(config, folder)
    build(design, "verilator", announce=lambda _: None)
    job = {"engine": engine_parameters(config), "seed": 5, **ALL}
    modules, results = [f"cimforge.cocotb_tests.engine.{suite}"], folder / suite
    ended = run_tests(design, "verilator", modules, results, job=job, limit=LIMIT_S)
    assert not ended, ended
    cases = ET.parse(results / "results.xml").getroot().findall(".//testcase")
    assert len(cases) == tests
    assert [case.attrib for case in cases if case.find("failure") is not None] == []
    return results


@every_engine
def test_resets_in_every_phase(name):
    told = attack(name, "reset_suite", 3)
    for kind in ("soft", "hard"):
        print(json.loads((told / f"{kind}_resets.json").read_text()))


@every_engine
def test_errors_of_memory_at_every_access(name):
    hit = json.loads((attack(name, "fault_suite", 4) / "faults.json").read_text())
    print(hit)
    assert {*hit} == {"descriptor", "load", "copy of channels", "copy", "store"}


@every_engine
def test_every_rule_of_descriptors_broken(name):
    broken = json.loads((attack(name, "malformed_suite", 1) / "broken.json").read_text())
    assert len(broken) > 150
