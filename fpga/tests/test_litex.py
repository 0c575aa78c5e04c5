"""An engine in LiteX systems: a whole one in Verilator, and what systems of one's own may ask."""

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
    """LiteX's SoCCore without a core of its own, a bus of 64 bits, the engine where it is asked
    for; LiteX's own documents know it."""
    from litex.build.io import CRG
    from litex.soc.integration.export import get_csr_json
    from litex.soc.integration.soc_core import SoCCore

    from cimforge.fpga.litex.engine_module import add_engine
    from cimforge.fpga.litex.litex_system import SystemPlatform

    with quiet_litex():
        platform = SystemPlatform("own")
        soc = SoCCore(platform, 1e6, cpu_type=None, bus_data_width=64, with_uart=False)
        soc.crg = CRG(platform.request("clk"))
        add_engine(soc, load_engine("tiny"), tmp_path, name="cim", origin=0x9000_0000)
        soc.finalize()
        verilog = str(platform.get_verilog(soc, name="own"))
    assert soc.bus.regions["cim"].origin == 0x9000_0000
    assert list(soc.bus.masters) == ["cim_memory"]
    assert '"cim_ev_pending"' in get_csr_json(soc.csr_regions, soc.constants, soc.bus.regions)
    assert "_engine_wb_wbm engine_top" in verilog
    assert {Path(source).name for source, *_ in platform.sources} >= {"cim_cells.v"}
    with quiet_litex(), pytest.raises(InputError, match="streams: a LiteX system has no streams"):
        add_engine(soc, load_engine("tiny", ["engine.streams=true"]), tmp_path, name="other")


def test_what_is_missing_is_named(monkeypatch):
    place = "cimforge.fpga.litex.litex_install.find_spec"
    monkeypatch.setattr(place, lambda name: None if name == "litex" else name)
    with pytest.raises(
        InputError, match="a LiteX system needs litex, which is not installed; run "
    ):
        check_litex()
