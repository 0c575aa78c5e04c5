"""Cycles of passes that the backend measures on the emitted Verilog are golden's, vector by
vector."""

import shutil

import numpy as np
import pytest

from cimforge.compiler.backends.rtl import RtlBackend
from cimforge.compiler.precision import Precision
from cimforge.compiler.tiling import golden_pass_cycles, make_job
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

SIMULATOR = "icarus" if shutil.which("iverilog") else "verilator"


@pytest.mark.parametrize("storage", ["flop", "lutram"])
@pytest.mark.parametrize("features", [[], ["zero_skip"]])
def test_measured_cycles_of_passes_are_goldens(features, storage, tmp_path):
    options = {"weight_bits": 4, "input_bits": 6, "features": features, "storage": storage}
    config = MacroConfig(rows=3, cols=2, **options)
    rng = np.random.default_rng(1)
    x = rng.integers(-32, 32, (12, 7)) >> rng.integers(0, 6, (12, 1))
    job = make_job(config, x, rng.integers(-8, 8, (7, 3)), Precision(6, True))
    emit_macro(config, tmp_path, macro_extras(config))
    backend = RtlBackend(tmp_path, SIMULATOR, announce=lambda _: None)
    backend.run_job(config, job)
    assert backend.bit_exact
    assert backend.passes == 12 * 3 * 2
    assert backend.pass_cycles == golden_pass_cycles(config, job)
    assert (backend.pass_cycles < 6 * backend.passes) == bool(features)


def test_banks_of_row_groups_are_filled(tmp_path):
    """A whole job takes less time than its one tile's rows would, written one by one."""
    options = {"weight_bits": 2, "input_bits": 2, "storage": "bram", "ram": "ecp5"}
    config = MacroConfig(rows=27, cols=3, **options)
    rng = np.random.default_rng(2)
    job = make_job(config, rng.integers(0, 4, (5, 27)), rng.integers(0, 4, (27, 3)))
    emit_macro(config, tmp_path, macro_extras(config))
    backend = RtlBackend(tmp_path, SIMULATOR, announce=lambda _: None)
    backend.run_job(config, job)
    assert backend.bit_exact
    filled, single = config.load_cycles(fill=True), config.load_cycles()
    assert filled < backend.cycles < single / 2, (filled, single)
