"""The whole contract of the slave that decides in a cycle of its own, proven by k-induction on its
emitted Verilog, for a master that does what it likes."""

from pathlib import Path

import pytest

from cimforge.hdl.bus.decided_slave import DecidedSlave
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.bus_proof import prove, refuted, replaced, unreset
from cimforge.hdl.tests.configs import DIVERSE, macro

PROVEN = {
    "tiny": DIVERSE["tiny"],
    "latches": macro(5, 3, 3, 6, 2, 3, "latch"),
    "two_words": macro(5, 3, 16, 16, banks=2),
    "one_row": macro(1, 4, 4, 4),
    "tables": DIVERSE["tables"],
}


def proof(config: MacroConfig, folder: Path, edit=lambda text: text) -> str:
    """What the proof says of the slave."""
    inside = ("seen_q", "asked_q", "answered_q")
    return prove(
        DecidedSlave(config), config, "decided_rules.sv", folder, edit, inside=inside, depth=6
    )


@pytest.mark.parametrize("config", PROVEN.values(), ids=PROVEN)
def test_the_contract_holds(config, tmp_path):
    said = proof(config, tmp_path)
    assert "DONE (PASS, rc=0)" in said, said[-2000:]


MUTANTS = {
    "does what was given up in its second cycle": (r"seen_q & offered", "seen_q"),
    "does what was given up in its third cycle": (r"(= asked_q) & offered", r"\1"),
    "answers a master that is gone": (r"(assign answer = answered_q) & offered", r"\1"),
    "looks at the word again": (r"\w+ \? dat_w_q : wb_dat_w", "wb_dat_w"),
    "takes partial accesses": (r"(assign whole = ).*;", r"\1 1'b1;"),
    "answers twice": (r"~ answered_q", "1'b1"),
    "takes a vector while one waits": (r"(assign n_\d+ = )~ x_valid;", r"\1 1'b1;"),
    "shows a result that is not there": (r"(assign n_\d+ = n_\d+) & y_full_q;", r"\1;"),
    "shows another result": (r"adr_q\[5:2\] == 2'h3", "adr_q[5:2] == 2'h2"),
    "shows a word with every error": (r"(y0_hit_q <= )\w+;", r"\1 1'b1;"),
    "takes row == rows": (r"(dat_w_q\[15:0\] <)( 4'h8)", r"\1=\2"),
    "takes bank == banks": (r"(dat_w_q\[23:16\] <)( 1'h1)", r"\1=\2"),
    "takes 9 bits as 1": (r"dat_w_q\[15:0\] <= 3'h4", "dat_w_q[15:0] <= 4'h9"),
    "ignores reserved bits 24-27": (r"dat_w_q\[30:24\]", "dat_w_q[30:28], 4'h0"),
    "ignores r_start's bit 31": (r"dat_w_q\[31:24\]", "1'h0, dat_w_q[30:24]"),
    "drops a waiting vector": (r"x_ready \? 1'h0 : x_valid", "1'h0"),
    "counts results by two": (r"y_tag_q \+ 1'h1", "y_tag_q + 2'h2"),
    "releases what nobody released": (r"(y_ready <= )(\w+);", r"\1\2 | y_full_q;"),
}


@pytest.mark.parametrize(("old", "new"), MUTANTS.values(), ids=MUTANTS)
def test_the_proof_notices(old, new, tmp_path):
    said = proof(PROVEN["tiny"], tmp_path, replaced(old, new))
    assert refuted(said), said[-2000:]


@pytest.mark.parametrize("place", range(10))
def test_the_proof_notices_what_a_reset_through_control_leaves(place, tmp_path):
    """Ten registers are emptied: one that is not, is noticed."""
    said = proof(PROVEN["tiny"], tmp_path, unreset("macro_rst", place, of=10))
    assert refuted(said), said[-2000:]


def test_the_proof_notices_a_fill_that_is_lost(tmp_path):
    lost = replaced(r"w_start_given \? dat_w_q\[30\] : w_fill", "w_fill")
    said = proof(PROVEN["tables"], tmp_path, lost)
    assert refuted(said), said[-2000:]
