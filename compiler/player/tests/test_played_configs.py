"""Macros of every kind on the player: golden's results, and the cycles that job_cycles predicts."""

import os
from random import Random

import numpy as np
import pytest

from cimforge.cocotb_tests.draw import draw_configs
from cimforge.compiler.map.job_cycles import job_cycles
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.player.tests.job_draw import draw_job
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

SEED = int(os.environ.get("CIMFORGE_SEED", "1"))
DRAWN = int(os.environ.get("CIMFORGE_CONFIGS", "0"))  # soak: so many, the diverse ones first
JOBS = 8

SHAPE = {"rows": 7, "cols": 3, "weight_bits": 4, "input_bits": 4}
FEW = [
    {"storage": "latch", "group": 2, "banks": 3, "features": ("zero_skip",)},
    {"storage": "sram", "sram_ports": "1rw_reg", "banks": 3, "bits_per_cycle": 4},
    {"storage": "setclear", "banks": 2, "tree": "approx1", "tree_stages": 1},
    {"multiply": "xnor", "weight_bits": 1, "input_bits": 1, "banks": 5},
    {"multiply": "booth", "bits_per_cycle": 2, "slice_bits": 2, "features": ("zero_skip",)},
    {"storage": "lutram", "tree": "csa", "accumulate": "carry_save", "banks": 2},
    {"storage": "hybrid", "tree": "behavioral", "group": 5, "banks": 3, "ram_cols": 2},
]
CONFIGS = [MacroConfig(**SHAPE | parameters) for parameters in FEW]


@pytest.mark.parametrize("config", [*CONFIGS, *draw_configs(DRAWN, SEED)], ids=lambda c: c.module)
def test_every_kind_of_macro_plays_jobs_in_the_cycles_predicted(config, tmp_path):
    emit_macro(config, tmp_path)
    backend, rng = PlayerBackend(tmp_path), Random(f"{SEED} {config.module}")
    for number in range(JOBS):
        job = draw_job(config, rng)
        print(f"job {number} of seed {SEED}: {job.plan.passes} passes, {job.x_bits} bits")
        before = backend.cycles
        results = backend.run_job(config, job)
        assert backend.bit_exact
        if config.tree_traits.exact:
            product = job.inputs[job.k_index] @ job.weights
            within = np.arange(job.plan.cols) < [[t.n1 - t.n0] for t in job.plan.tiles]
            assert np.array_equal(results * within[:, None], product * within[:, None])
        measured = backend.cycles - before
        told = (config, job.plan, job.x_bits, job.x_signed, job.fuse)
        assert job_cycles(*told, inputs=job.inputs) == measured
        assert job_cycles(*told) >= measured
