"""run --backend litex: what it asks LiteX for, and what it refuses before any work."""

from functools import cache

import numpy as np
import pytest

from cimforge.compiler import digits
from cimforge.compiler.soc.soc_backend import SocBackend
from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.cpu.simulated_system import SimulatedSystem
from cimforge.fpga.cpu.system_config import SystemConfig

RUN = ("run", "digits", "--config", "tiny", "--images", "3", "--backend", "litex")
INSTALL = "cimforge.fpga.litex.litex_install.find_spec"
TRAIN = cache(digits.train)


@pytest.fixture(autouse=True)
def _there(monkeypatch):
    """Compiler and simulator are not looked for; the network is trained once."""
    monkeypatch.setattr(digits, "train", lambda seed=0: TRAIN(seed))
    monkeypatch.setattr("cimforge.scripts.way.check_compiler", lambda: None)
    monkeypatch.setattr("cimforge.scripts.way.check_simulator", lambda _: None)


def test_it_runs_on_a_litex_system(cimforge, monkeypatch):
    given = []

    def emitted(engine, folder):
        given.append(engine)
        config = SystemConfig(engine=engine)
        return SimulatedSystem(config, Design(engine.macro, folder, (), "some_litex", ()))

    def predict(backend, network, images):
        backend.cycles, backend.busy, backend.passes, backend.images = 300, 150, 10, len(images)
        backend.core_cycles = 5000
        return np.array([6, 6, 6])

    monkeypatch.setattr(INSTALL, lambda name: name)
    monkeypatch.setattr("cimforge.scripts.way.litex_simulation", emitted)
    monkeypatch.setattr(SocBackend, "predict", predict)
    done = cimforge(*RUN, "--set", "engine.act_bytes=256", "--json")
    assert (done.status, done.json["bit_exact"], done.json["system"]) == (0, True, "some_litex")
    assert done.json["engine_cycles_per_image"] == 100
    assert given[0].act_bytes == 256


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--simulator", "icarus"), "--simulator: --backend litex runs in verilator alone"),
        (("--board", "hx8k"), "--board: is of --backend uart-sim, spi-sim and soc alone"),
        (("--system", "rom_bytes=8192"), "--system: is of --backend soc alone"),
    ],
)
def test_what_it_does_not_take_is_told_first(cimforge, monkeypatch, more, message):
    monkeypatch.setattr(INSTALL, lambda name: name)
    done = cimforge(*RUN, *more)
    assert (done.status, done.out) == (2, "")
    assert message in done.messages[0]


def test_a_machine_without_litex_is_told_so(cimforge, monkeypatch):
    monkeypatch.setattr(INSTALL, lambda name: None if name == "litex" else name)
    done = cimforge(*RUN)
    assert (done.status, done.out) == (2, "")
    assert "a LiteX system needs litex, which is not installed; run " in done.messages[0]


def test_an_engine_with_streams_is_refused(cimforge, monkeypatch):
    pytest.importorskip("litex", reason="needs LiteX (make litex)")
    done = cimforge(*RUN, "--set", "engine.streams=true")
    assert (done.status, done.out) == (2, "")
    assert "streams: a LiteX system has no streams for an engine" in " ".join(done.messages)
