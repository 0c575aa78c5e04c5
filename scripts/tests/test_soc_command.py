"""run --backend soc: what it reports, and what it refuses before any work."""

import numpy as np
import pytest

from cimforge.compiler.soc.soc_backend import SocBackend
from cimforge.fpga.cpu.toolchain import GCC
from cimforge.scripts.way import BACKENDS, NETWORK_BACKENDS

RUN = ("run", "digits", "--config", "tiny", "--images", "3", "--backend", "soc")


@pytest.fixture
def stub(monkeypatch):
    """The simulation's place is taken by labels that are given, and counts."""

    def predict_as(labels):
        def predict(backend, network, images):
            backend.cycles, backend.busy, backend.pass_cycles, backend.passes = 300, 150, 40, 10
            backend.core_cycles, backend.all_cycles, backend.images = 5000, 9000, len(images)
            return np.array(labels)

        monkeypatch.setattr(SocBackend, "predict", predict)

    monkeypatch.setattr("cimforge.scripts.way.check_compiler", lambda: None)
    monkeypatch.setattr("cimforge.scripts.way.check_simulator", lambda _: None)
    monkeypatch.setattr("cimforge.fpga.cpu.system_outputs.core_text", lambda: "// a core\n")
    return predict_as


def test_cycles_of_engine_and_core_are_reported(cimforge, folder, stub):
    stub([6, 6, 6])
    done = cimforge(*RUN, "--json")
    assert (done.status, done.json["bit_exact"]) == (0, True)
    told = done.json
    assert (told["images"], told["cycles"], told["cycles_per_pass"]) == (3, 300, 4)
    assert (told["engine_cycles_per_image"], told["core_cycles_per_image"]) == (100, 5000)
    assert (told["speed_up"], told["engine_busy_share"], told["simulated_cycles"]) == (
        50,
        0.5,
        9000,
    )
    assert told["system"].startswith("cim_r8c4_w4x4_k1_b1_flop_csa_engine_system")
    (rtl,) = folder.glob("build/*-soc/rtl")
    names = {path.name for path in rtl.iterdir()}
    assert {"picorv32.v", f"{told['system']}.v", f"{told['system']}.f"} <= names
    table = cimforge(*RUN)
    assert table.status == 0
    assert "100 with the engine, 5,000 by the core alone: 50 x" in table.out


def test_other_classes_fail(cimforge, stub):
    stub([6, 6, 1])
    done = cimforge(*RUN, "--json")
    assert (done.status, done.json["bit_exact"]) == (1, False)


def test_what_it_lacks_is_told_first(cimforge, monkeypatch):
    done = cimforge(*RUN, "--simulator", "icarus")
    assert (done.status, done.out) == (2, "")
    assert "--simulator: --backend soc runs in verilator alone" in done.messages[0]
    done = cimforge(*RUN, "--board", "hx8k")
    assert "--board: is of --backend uart-sim and spi-sim alone" in done.messages[0]
    monkeypatch.setattr("cimforge.fpga.cpu.toolchain.has_compiler", lambda: False)
    done = cimforge(*RUN)
    assert (done.status, done.out) == (2, "")
    assert "needs a RISC-V C compiler; run " in done.messages[0]
    assert f"or install {GCC}" in done.messages[0]


def test_products_alone_have_no_program(cimforge):
    assert (*BACKENDS, "soc") == NETWORK_BACKENDS
    done = cimforge("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "--backend", "soc")
    assert (done.status, done.out) == (2, "")
    assert "'soc' is not one of" in done.messages[0]
