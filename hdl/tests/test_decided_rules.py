"""The whole contract of the slave that decides in a cycle of its own, proven by k-induction on its
emitted Verilog, for a master that does what it likes."""

from pathlib import Path

import pytest

from cimforge.hdl.bus.decided_slave import DecidedSlave
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.bus_proof import prove
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
