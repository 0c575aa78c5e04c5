"""Proof of the adders of tables, and that it notices a broken one."""

from pathlib import Path

import pytest

from cimforge.flow.formal.adder_proof import AdderProof, prove_adders
from cimforge.flow.formal.tree_claims import macro_claims, unclaimed_sums
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

PROVEN = {
    "odd": {"rows": 11, "storage": "bram"},
    "chained": {"rows": 30, "storage": "lutram", "tree": "behavioral", "tree_stages": "auto"},
    "four_planes": {
        **{"rows": 14, "storage": "lutram", "bits_per_cycle": 4, "slice_bits": 2},
        **{"tree": "behavioral", "tree_stages": 2},
    },
    "compressors": {"rows": 21, "storage": "bram", "tree": "csa42", "bits_per_cycle": 2},
    "both": {"rows": 21, "storage": "hybrid", "tree": "ripple", "tree_stages": 1},
    "kept": {"rows": 9, "storage": "lutram", "accumulate": "carry_save", "bits_per_cycle": 2},
}


def made(changes: dict, folder: Path) -> MacroConfig:
    """A small macro of tables, emitted."""
    config = MacroConfig(**{"cols": 2, "weight_bits": 4, "input_bits": 4, **changes})
    emit_macro(config, folder)
    return config


@pytest.mark.parametrize("name", PROVEN)
def test_every_claimed_adder_of_tables_is_proven(name, tmp_path):
    config = made(PROVEN[name], tmp_path)
    proof = prove_adders(config, tmp_path)
    assert proof.faults == ()
    trees = [f"{part.module}_tree" for part in config.parts]
    assert {*trees, *(claim.module for claim in macro_claims(config))} <= set(proof.adders)
    assert "renewal" in unclaimed_sums(config)
    assert ("join" in unclaimed_sums(config)) == (not config.carry_save)


def broken(changes: dict, folder: Path, old: str, new: str) -> AdderProof:
    """The proof of a macro with a piece of its Verilog changed."""
    config = made(changes, folder)
    path = folder / f"{config.module}.v"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return prove_adders(config, folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # a chain of two words without the place that keeps their carries apart
        (
            "{{1'h0, terms[11:8]}, {1'h0, terms[3:0]}}",
            "{{1'h0, terms[11:8]}, {terms[4], terms[3:0]}}",
        ),
        ("terms[15:12]", "terms[16:13]"),
    ],
)
def test_a_wrong_word_on_a_chain_is_found(old, new, tmp_path):
    changes = {**PROVEN["chained"], "slice_bits": 2}
    assert broken(changes, tmp_path, old, new).faults


def test_a_macro_of_flip_flops_claims_all():
    assert unclaimed_sums(MacroConfig()) == ()
