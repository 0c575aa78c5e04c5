"""Front ends of buses on their emitted Verilog, under masters and slaves that are not ours.

A few thousand accesses and beats each; CIMFORGE_BUS_BEATS says how many instead.
"""

import os
import shutil

import pytest

from cimforge.cocotb_tests.bus_fronts.front_designs import (
    master_design,
    slave_design,
    stream_design,
    wrapper_design,
)
from cimforge.cocotb_tests.regression import run_regression
from cimforge.cocotb_tests.tests.conftest import assert_passed
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

BEATS = int(os.environ.get("CIMFORGE_BUS_BEATS", 0))
LIMIT_S = 1200 + BEATS // 100  # in which a test must end
# bus, patience in cycles: none, some that is too short at times, and enough for whatever waits
REGISTERS = [
    *(("axi4lite", 0, "icarus"), ("axi4lite", 40, "verilator")),
    *(("apb", 21, "verilator"), ("wishbone", 21, "verilator")),
]
MEMORIES = [("axi4", 64, "verilator"), ("axi4", 32, "icarus"), ("wishbone", 32, "verilator")]

ODD = MacroConfig(rows=5, cols=9, weight_bits=4, input_bits=6, banks=3, storage="latch")
WRAPPED = [("axi4lite", load_config("tiny"), "verilator"), ("apb", ODD, "icarus")]


def regression(design, folder, suite: str, simulator: str, **options):
    """Run a suite of bus_fronts, which must pass and leave no bin of its coverage empty."""
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus is not installed")
    report = run_regression(
        design,
        folder / "verify",
        simulator=simulator,
        suite=(f"bus_fronts.{suite}",),
        options=options,
        limit=LIMIT_S,
        announce=lambda _: None,
    )
    assert_passed(report)
    return report


def some(simulator: str, quick: int) -> int:
    """Accesses or beats: as many as asked for, or ``quick``, a tenth in Icarus."""
    return BEATS or (quick if simulator == "verilator" else quick // 10)


@pytest.mark.parametrize(("bus", "patience", "simulator"), REGISTERS)
def test_registers_behind_a_bus(bus, patience, simulator, place):
    design, beats = slave_design(bus, patience, place), some(simulator, 3000)
    options = {"bus": bus, "patience": patience, "beats": beats}
    report = regression(design, place, "register_suite", simulator, **options)
    assert report.tests == 4
    assert report.passes >= beats


@pytest.mark.parametrize(("bus", "data_bits", "simulator"), MEMORIES)
def test_memory_on_a_bus(bus, data_bits, simulator, place):
    design, beats = master_design(bus, 32, data_bits, place), some(simulator, 5000)
    options = {"bus": bus, "data_bits": data_bits, "beats": beats}
    report = regression(design, place, "memory_suite", simulator, **options)
    assert report.tests == 3
    assert report.passes >= beats


@pytest.mark.parametrize(("data_bits", "simulator"), [(32, "verilator"), (8, "icarus")])
def test_streams_of_a_bus(data_bits, simulator, place):
    design, beats = stream_design(data_bits, place), some(simulator, 5000)
    report = regression(design, place, "stream_suite", simulator, beats=beats)
    assert report.tests == 3
    assert report.passes >= beats


@pytest.mark.parametrize(("bus", "config", "simulator"), WRAPPED, ids=["axi4lite", "apb"])
def test_a_macro_behind_a_bus(bus, config, simulator, place):
    patience, vectors = 300, some(simulator, 50)
    design = wrapper_design(config, bus, patience, place)
    options = {"bus": bus, "patience": patience, "beats": vectors}
    report = regression(design, place, "wrapped_suite", simulator, **options)
    assert report.tests == 4
    assert report.passes >= vectors
