"""cimforge synth of an engine: every part, its macro, and what is refused."""

import json

import pytest
from click.testing import CliRunner

from cimforge.hdl.params.engine_file import load_engine
from cimforge.scripts.main import cli, main

SMALL = ("engine.act_bytes=256", "engine.acc_vectors=4", "engine.channels=8")


def test_parts_of_an_engine_beside_its_macro(tmp_path):
    """Of generic cells, RAMs included: each part is there, and together they are all cells; the
    macro's own report stands beside them."""
    options = [word for each in SMALL for word in ("--set", each)]
    done = CliRunner().invoke(cli, ["synth", "tiny", *options, "-o", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    config = load_engine("tiny", SMALL)
    assert set(told["breakdown"]) == {
        *("queue", "fetch", "run", "sums", "requantise", "store", "registers", "bus fronts"),
        "memories",
    }
    assert min(told["breakdown"].values()) > 0
    assert told["own"] == pytest.approx(sum(told["breakdown"].values()), abs=1)
    assert told["macros"] == told["macro"]["total"]
    assert told["total"] == pytest.approx(told["own"] + told["macros"], abs=1)
    assert told["over_macro"] == pytest.approx(told["total"] / told["macros"], abs=1e-3)
    bits = told["ram_bits"]
    assert bits["sum_ram"] == config.acc_vectors * config.outputs * config.acc_bits
    assert bits["activation_ram"] >= 8 * config.act_bytes
    stored = sum(told["ffs"].values())
    assert stored >= sum(bits.values())  # of generic cells RAMs are flip-flops


@pytest.mark.parametrize("option", [("--flatten",), ("--clock", "2"), ("--cell", "fa=X")])
def test_options_of_a_macro_are_refused_for_an_engine(option, capsys):
    assert main(["synth", "engine_base", *option]) == 2
    rule = f"cimforge: {option[0]}: only for a macro, not for the engine 'engine_base'"
    assert capsys.readouterr().err.strip() == rule
