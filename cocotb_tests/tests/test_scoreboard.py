"""The scoreboard itself: it must notice wrong, early, late, missing and extra results."""

import numpy as np
import pytest

from cimforge.cocotb_tests.coverage import Coverage, bins_of, merge
from cimforge.cocotb_tests.packing import as_patterns, pack, pack_all, unpack, unpack_signed
from cimforge.cocotb_tests.scoreboard import Scoreboard
from cimforge.hdl.params.config import MacroConfig

CONFIG = MacroConfig(rows=3, cols=2, weight_bits=4, input_bits=4)


@pytest.fixture
def board():
    board = Scoreboard(CONFIG)
    for row in range(CONFIG.rows):
        board.write(0, row, np.array([row + 1, 15]), False)
    return board


def _send(board):
    board.end_cycle(stalled=False)
    board.vector(np.array([1, 2, 3]), 0, False, 0)


def test_result_is_due_exactly_after_the_latency(board):
    _send(board)
    offers = []
    for _ in range(CONFIG.latency()):
        offers.append(board.must_offer())
        board.end_cycle(stalled=False)
    assert offers.index("y") == CONFIG.latency() - 1


def test_stalled_cycles_do_not_count(board):
    _send(board)
    for _ in range(10):
        board.end_cycle(stalled=True)
    assert board.must_offer() is None


def test_right_result_is_accepted_and_counted(board):
    _send(board)
    board.check("y", np.array([1 + 4 + 9, 15 * 6]))
    assert board.passes == 1
    assert not board.inflight


def test_wrong_result_names_the_column(board):
    _send(board)
    with pytest.raises(AssertionError, match=r"y\[1\] is 89, must be 90 \(1 of 2 columns differ\)"):
        board.check("y", np.array([14, 89]))


def test_result_on_the_wrong_stream_is_refused(board):
    _send(board)
    with pytest.raises(AssertionError):
        board.check("q", np.array([14, 90]))


def test_vector_during_a_pass_is_refused(board):
    _send(board)
    with pytest.raises(AssertionError, match="another pass is running"):
        board.vector(np.array([1, 2, 3]), 0, False, 0)


def test_write_in_the_middle_of_its_banks_pass_is_refused(board):
    _send(board)
    with pytest.raises(AssertionError, match="in the middle of its pass"):
        board.write(0, 0, np.array([0, 0]), False)


def test_reset_forgets_results_and_keeps_weights(board):
    _send(board)
    board.reset()
    assert board.must_offer() is None
    _send(board)
    board.check("y", np.array([14, 90]))


def test_undefined_weights_are_not_compared():
    board = Scoreboard(CONFIG)
    _send(board)
    assert board.inflight[0].values is None


@pytest.mark.parametrize(("bits", "count"), [(1, 1), (3, 5), (8, 16), (23, 7)])
def test_packing_is_undone_by_unpacking(bits, count):
    rng = np.random.default_rng(bits * 100 + count)
    patterns = rng.integers(0, 1 << bits, (4, count))
    for row, value in zip(patterns, pack_all(patterns, bits), strict=True):
        assert value == sum(int(p) << (bits * i) for i, p in enumerate(row)) == pack(row, bits)
        assert (unpack(value, bits, count) == row).all()
        signed = unpack_signed(value, bits, count)
        assert (as_patterns(signed, bits) == row).all()
        assert (signed < 1 << (bits - 1)).all()


def test_coverage_counts_known_bins_only():
    coverage = Coverage(bins_of(CONFIG))
    coverage.hit("banks", (0, 0))
    coverage.hit("banks", (9, 9))
    assert coverage.counts["banks"] == {"0 x 0": 1}
    assert merge([coverage.counts, coverage.counts])["banks"] == {"0 x 0": 2}
    assert len(bins_of(CONFIG)["precision"]) == 4 * 2 * 2
