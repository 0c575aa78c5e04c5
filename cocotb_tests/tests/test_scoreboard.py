"""The scoreboard itself: it must notice wrong, early, late, missing and extra results."""

from random import Random

import numpy as np
import pytest

from cimforge.cocotb_tests.coverage import Coverage, bins_of, merge
from cimforge.cocotb_tests.packing import as_patterns, pack, pack_all, unpack, unpack_signed
from cimforge.cocotb_tests.paused_rules import PausedRules
from cimforge.cocotb_tests.ready_rules import Offer, ReadyRules
from cimforge.cocotb_tests.scoreboard import Scoreboard
from cimforge.cocotb_tests.stimuli import row_classes, some
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


LATCHED = MacroConfig(rows=3, cols=2, weight_bits=4, input_bits=4, banks=3, storage="latch")


def _rules(config: MacroConfig = LATCHED) -> ReadyRules:
    return ReadyRules(Scoreboard(config))


def _offers(x=None, w=None, r=None) -> dict[str, Offer]:
    """Offers for these banks; None is an idle stream that shows bank 0."""
    given = {"x": x, "w": w, "r": r}
    return {s: Offer(bank is not None, bank or 0) for s, bank in given.items()}


def test_an_idle_macro_must_be_ready_for_all_without_any_valid():
    assert _rules().expected(_offers(), stalled=False) == {"x": True, "w": True, "r": True}


def test_a_row_waits_for_the_last_cycle_of_its_banks_pass_only():
    rules = _rules()
    rules._board.vector(np.zeros(3, np.int64), 2, False, 1)
    for stalled, same in ((False, False), (True, False)):
        assert rules.expected(_offers(w=1), stalled)["w"] is same
        assert rules.expected(_offers(w=2), stalled)["w"] is True
        assert rules.expected(_offers(w=3), stalled)["w"] is True  # there is no bank 3
        assert rules.expected(_offers(x=0), stalled)["x"] is False
    rules._board.end_cycle(stalled=False)
    assert rules.expected(_offers(w=1), stalled=True)["w"] is False
    last = rules.expected(_offers(x=0, w=1), stalled=False)
    assert (last["x"], last["w"]) == (True, True)


def test_a_landing_row_holds_back_its_bank_and_then_waits_for_it():
    rules = _rules()
    offers = _offers(x=1, w=1)
    assert rules.expected(offers, stalled=False)["x"] is False
    assert rules.expected(_offers(x=2, w=1), stalled=False)["x"] is True
    rules.end_cycle(offers, {"x": False, "w": True, "r": False}, stalled=False)
    assert rules.expected(offers, stalled=False)["w"] is False
    assert rules.expected(offers, stalled=False)["x"] is True
    flop = _rules(LATCHED.model_copy(update={"storage": "flop"}))
    assert flop.expected(offers, stalled=False)["x"] is True


def test_a_row_of_several_cycles_holds_back_its_bank_until_it_is_written():
    config = LATCHED.model_copy(update={"storage": "setclear"})
    rules = PausedRules(Scoreboard(config))
    offers = _offers(x=1, w=1)
    assert rules.expected(offers, stalled=False)["x"] is False
    rules.end_cycle(offers, {"x": False, "w": True, "r": False}, stalled=False)
    rules._board.write(1, 0, np.zeros(2, np.int64), False)
    assert rules.expected(offers, stalled=False) == {"x": False, "w": False, "r": None}
    assert rules.expected(_offers(x=2, w=0), stalled=False)["x"] is True
    rules.end_cycle(offers, {"x": False, "w": False, "r": False}, stalled=False)
    rules._board.end_cycle(stalled=False)
    assert rules.expected(offers, stalled=False)["x"] is True
    assert rules.expected(offers, stalled=False)["w"] is False, "the vector goes first"


def test_vectors_and_read_backs_take_turns():
    rules = _rules()
    both = _offers(x=0, r=0)
    assert rules.expected(both, stalled=False)["x"] is None
    rules.end_cycle(both, {"x": True, "w": True, "r": False}, stalled=False)
    assert rules.expected(both, stalled=False) == {"x": False, "w": True, "r": True}


@pytest.mark.parametrize(
    ("rows", "classes"), [(1, [0]), (5, [0, 1, 2, 3, 4]), (20, [0, 1, 2, 3, 4, 7, 8, 15, 16, 19])]
)
def test_row_classes_are_the_edges_of_every_address_bit(rows, classes):
    assert row_classes(rows) == classes


def test_some_keeps_the_order_and_no_more_than_asked():
    rng = Random(1)
    assert some(range(5), 5, rng) == [0, 1, 2, 3, 4]
    chosen = some(range(100), 7, rng)
    assert len(chosen) == 7
    assert chosen == sorted(chosen)


def test_a_row_of_a_missing_bank_renews_no_sum():
    board = Scoreboard(MacroConfig(rows=4, cols=1, weight_bits=2, input_bits=2, banks=3, group=2))
    for bank, row in ((3, 0), (0, 4)):
        board.write(bank, row, np.zeros(1, int), signed=False)
        assert (board.under_way, board.wants, board.filling) == (None, False, 0)
    board.write(0, 0, np.zeros(1, int), signed=False)
    assert board.wants
