"""The player: results of golden, measured cycles, and what it says where something is wrong."""

import numpy as np
import pytest

from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.tiling import make_job
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

SMALL = MacroConfig(rows=6, cols=3, weight_bits=4, input_bits=4)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The folder of a small macro, built once."""
    folder = tmp_path_factory.mktemp("small")
    emit_macro(SMALL, folder)
    return folder


def drawn(seed, batch, k, n):
    """Operands of 4 bits, signed, that reach past the last tiles."""
    rng = np.random.default_rng(seed)
    return rng.integers(-8, 8, (batch, k)), rng.integers(-8, 8, (k, n))


def test_products_are_exact_over_tiles_of_rows_and_columns(small):
    x, w = drawn(0, batch=9, k=14, n=7)
    backend, told = PlayerBackend(small), []
    job = make_job(SMALL, x, w)
    y = job.assemble(backend.run_job(SMALL, job))
    assert np.array_equal(y, x @ w)
    assert backend.bit_exact
    assert backend.compared == 9 * 9 * 3
    assert backend.passes == 81
    assert backend.pass_cycles == 81 * 4
    assert backend.macs == 9 * 14 * 7
    assert backend.cycles > backend.pass_cycles
    assert told == []
    again = PlayerBackend(small, told.append)
    again.run_job(SMALL, job)
    assert told == []  # the same player, not built again
