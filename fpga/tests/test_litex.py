"""An engine in LiteX systems: a whole one in Verilator, and what systems of one's own may ask."""

import re
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler import digits
from cimforge.compiler.matmul import exact_matmul
from cimforge.compiler.soc.soc_backend import SocBackend
from cimforge.flow.simulate.simulator import build, run_tests
from cimforge.fpga.cpu.toolchain import GCC, has_compiler
from cimforge.fpga.litex.litex_install import check_litex, quiet_litex
from cimforge.fpga.litex.litex_simulation import LitexSimulation, litex_simulation
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.engine_file import load_engine

needs_litex = pytest.mark.skipif(find_spec("litex") is None, reason="needs LiteX (make litex)")
needs_core = pytest.mark.skipif(
    find_spec("pythondata_cpu_picorv32") is None,
    reason="no PicoRV32; install pythondata-cpu-picorv32",
)
needs_compiler = pytest.mark.skipif(
    not has_compiler(), reason=f"no RISC-V C compiler; install ziglang, or {GCC}"
)
PROGRAM = {"litex_check.c": Path(__file__).with_name("litex_check.c").read_text()}
SUITE = "cimforge.fpga.tests.soc_suite"
IMAGES = 6


@pytest.fixture(scope="module")
def system(tmp_path_factory) -> LitexSimulation:
    """A small engine, its bus of 64 bits behind LiteX's converter."""
    engine = load_engine("tiny", ["engine.bus_bits=64"])
    return litex_simulation(engine, tmp_path_factory.mktemp("litex"))


@needs_litex
@needs_core
@needs_compiler
def test_a_core_sees_memory_registers_and_the_interrupt(system, tmp_path):
    """The program's own checks; then bytes there and back, the light, the trap, and a reset."""
    system.build_program(tmp_path, (), PROGRAM)
    build(system.design, "verilator", announce=lambda _: None)
    job = {"divisor": system.divisor, "seed": 3}
    ended = run_tests(system.design, "verilator", [SUITE], tmp_path, job=job)
    assert not ended, ended
    cases = ET.parse(tmp_path / "results.xml").getroot().findall(".//testcase")
    assert len(cases) == 2
    failures = [failure.get("message") for case in cases for failure in case.findall("failure")]
    assert not failures


@needs_litex
@needs_core
@needs_compiler
def test_digits_are_classified_on_it(system):
    """Both layers in one queue, DMA over LiteX's bus; classes come back on LiteX's UART."""
    pytest.importorskip("sklearn", reason="needs scikit-learn (make setup)")
    data = digits.load()
    bits = digits.network_bits(system.engine.macro)
    network = digits.quantise_network(digits.train(), data.train_images, *bits)
    backend = SocBackend(system, system.design.folder, announce=lambda _: None)
    images = data.test_images[:IMAGES]
    assert np.array_equal(
        backend.predict(network, images), digits.predict(network, images, exact_matmul)
    )
    assert backend.bit_exact
    assert backend.cycles < backend.core_cycles


@needs_litex
@needs_core
def test_equal_input_gives_equal_files(system, tmp_path):
    litex_simulation(system.engine, tmp_path)
    for name in (*system.design.sources, "csr.h", "soc.h"):
        assert (tmp_path / name).read_bytes() == (system.design.folder / name).read_bytes(), name


@needs_litex
def test_a_system_of_ones_own(tmp_path):
    """LiteX's own builder, for a board's device, with a bus of 64 bits and two engines: what it
    hands to synthesis and to software knows both."""
    from litex.build.generic_platform import Pins
    from litex.build.io import CRG
    from litex.build.lattice import LatticeECP5Platform
    from litex.soc.integration.builder import Builder
    from litex.soc.integration.soc_core import SoCCore

    from cimforge.fpga.litex.engine_module import add_engine

    with quiet_litex():
        pins = [("clk", 0, Pins("G2"))]
        platform = LatticeECP5Platform("LFE5U-85F-6BG381C", pins, toolchain="trellis")
        soc = SoCCore(platform, 1e6, cpu_type=None, bus_data_width=64, with_uart=False)
        soc.crg = CRG(platform.request("clk"))
        add_engine(soc, load_engine("tiny"), tmp_path / "one", origin=0x9000_0000)
        wide = load_engine("tiny", ["rows=9", "engine.bus_bits=128"])
        add_engine(soc, wide, tmp_path / "two", name="second", origin=0x9000_1000)
        with pytest.raises(InputError, match="streams: a LiteX system has no streams"):
            add_engine(soc, load_engine("tiny", ["engine.streams=true"]), tmp_path / "three")
        builder = Builder(soc, tmp_path, compile_software=False, compile_gateware=False)
        builder.build(build_name="own")
    read = re.findall(r"^read_verilog .*/(.*)$", (tmp_path / "gateware/own.ys").read_text(), re.M)
    assert read.count("cim_cells.v") == 1
    assert sum(name.endswith("_engine_wb_wbm.v") for name in read) == 1
    assert sum("_engine_" in name for name in read) == 2
    headers = {path.stem: path.read_text() for path in tmp_path.glob("software/**/*.h")}
    assert "#define ENGINE_BASE 0x90000000L" in headers["mem"]
    assert "#define SECOND_BASE " in headers["mem"]
    for name in ("ENGINE", "SECOND"):
        assert f"CSR_{name}_EV_PENDING_ADDR" in headers["csr"]
    assert {"engine_memory", "second_memory"} <= set(soc.bus.masters)


def test_what_is_missing_is_named(monkeypatch):
    place = "cimforge.fpga.litex.litex_install.find_spec"
    monkeypatch.setattr(place, lambda name: None if name == "litex" else name)
    with pytest.raises(
        InputError, match="a LiteX system needs litex, which is not installed; run "
    ):
        check_litex()
