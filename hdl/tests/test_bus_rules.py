"""Wishbone's rules and the slave's whole contract, proven by k-induction on the emitted Verilog."""

from pathlib import Path

import pytest

from cimforge.hdl.bus.wishbone import WishboneSlave
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.bus_proof import prove, refuted, replaced, unreset
from cimforge.hdl.tests.configs import DIVERSE, macro

PROVEN = {
    "tiny": DIVERSE["tiny"],
    "latches": macro(5, 3, 3, 6, 2, 3, "latch"),
    "two_words": macro(5, 3, 16, 16, banks=2),
    "one_row": macro(1, 4, 4, 4),
}


def proof(config: MacroConfig, folder: Path, edit=lambda text: text) -> str:
    """What the proof says of the slave."""
    slave = WishboneSlave(config)
    return prove(slave, config, "wishbone_rules.sv", folder, edit, inside=("?_kept_q",), depth=4)


@pytest.mark.parametrize("config", PROVEN.values(), ids=PROVEN)
def test_the_contract_holds(config, tmp_path):
    said = proof(config, tmp_path)
    assert "DONE (PASS, rc=0)" in said, said[-2000:]


MUTANTS = {
    "always acknowledges": (r"assign wb_ack = .*;", "assign wb_ack = wb_cyc & wb_stb & ~wb_err;"),
    "takes partial accesses": (r"(assign whole = ).*;", r"\1 1'b1;"),
    "drops a waiting vector": (r"x_ready \? 1'h0 : x_valid", "1'h0"),
    "takes row == rows": (r"(wb_dat_w\[15:0\] <)( 4'h8)", r"\1=\2"),
    "compares rows in 8 bits": (r"wb_dat_w\[15:0\]( < 4'h8)", r"wb_dat_w[7:0]\1"),
    "takes bank == banks": (r"(wb_dat_w\[23:16\] <)( 1'h1)", r"\1=\2"),
    "compares banks in 7 bits": (r"wb_dat_w\[23:16\]( < 1'h1)", r"wb_dat_w[22:16]\1"),
    "takes 9 bits as 1": (r"wb_dat_w\[15:0\] <= 3'h4", "wb_dat_w[15:0] <= 4'h9"),
    "compares precisions in 8 bits": (r"wb_dat_w\[15:0\]( <= 3'h4)", r"wb_dat_w[7:0]\1"),
    "ignores reserved bits 24-27": (r"wb_dat_w\[30:24\]", "wb_dat_w[30:28], 4'h0"),
    "ignores r_start's bit 31": (r"wb_dat_w\[31:24\]", "1'h0, wb_dat_w[30:24]"),
    "overwrites an unread result": (r"(assign y_ready = ).*;", r"\1 1'b1;"),
    "clocks the result register while nothing comes": (
        r"(y_kept_q <= )(\w+);",
        r"\1y_full_q ? y_kept_q : y_data;",
    ),
    "counts results by two": (r"y_tag_q \+ 1'h1", "y_tag_q + 2'h2"),
}


@pytest.mark.parametrize(("old", "new"), MUTANTS.values(), ids=MUTANTS)
def test_the_proof_notices(old, new, tmp_path):
    said = proof(PROVEN["tiny"], tmp_path, replaced(old, new))
    assert refuted(said), said[-2000:]


@pytest.mark.parametrize("place", range(10))
def test_the_proof_notices_what_a_reset_through_control_leaves(place, tmp_path):
    """Ten registers are emptied: one that is not, is noticed."""
    said = proof(PROVEN["tiny"], tmp_path, unreset("reset_q", place, of=10))
    assert refuted(said), said[-2000:]
