"""Ablations: every idea is where its entry says, is put back, and changes what is built."""

from importlib import import_module
from pathlib import Path

import pytest

from cimforge.flow.synth.synth_report import synth_macro
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.scripts.ablation import IDEAS, main, switch_off
from cimforge.scripts.bench_table import load_bench

ROOT = Path(__file__).parents[2]
SG13G2 = ROOT / "flow/tests/data/sg13g2_typ.lib.gz"


@pytest.mark.parametrize("name", IDEAS)
def test_an_idea_is_switched_off_and_put_back(name):
    idea = IDEAS[name]
    module = import_module(idea.module)
    kept = getattr(module, idea.name)
    put_back = switch_off(name)
    assert getattr(module, idea.name) is idea.plain
    put_back()
    assert getattr(module, idea.name) is kept


def test_every_idea_that_the_bench_switches_off_is_one_and_each_is_used():
    used = {row.off for row in load_bench(ROOT / "results").rows} - {""}
    assert used == set(IDEAS)


def test_a_macro_without_clock_gates_is_larger():
    config = MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4)

    def area(folder: str) -> float:
        place = ROOT / "build" / "ablation" / folder
        place.mkdir(parents=True, exist_ok=True)
        emit_macro(config, place)
        quiet = {"announce": lambda text: None}
        return synth_macro(config, place, "liberty", liberty=[SG13G2], **quiet).total

    with_gates = area("with")
    put_back = switch_off("clock_gates")
    try:
        assert area("without") > with_gates
    finally:
        put_back()


def test_no_idea_is_refused(capsys):
    assert main(["magic", "synth", "tiny"]) == 2
    assert "no idea 'magic'; ideas: clock_gates, " in capsys.readouterr().err
