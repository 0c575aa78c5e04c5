"""Ablations: every idea is where its entry says, is put back, and changes what is built."""

import json
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import pytest

from cimforge.flow.synth.synth_report import synth_macro
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.scripts.ablation import IDEAS, main, switched_off
from cimforge.scripts.bench_table import load_bench

ROOT = Path(__file__).parents[2]
SG13G2 = ROOT / "flow/tests/data/sg13g2_typ.lib.gz"


def place_of(place: str):
    """What stands at a place now."""
    module, _, path = place.partition(":")
    found = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("name", IDEAS)
def test_an_idea_is_switched_off_and_put_back(name):
    plain = IDEAS[name].plain
    kept = {place: place_of(place) for place in plain}
    with switched_off(name):
        assert {place: place_of(place) for place in plain} == plain
    assert {place: place_of(place) for place in plain} == kept


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("nor_products", []),
        ("drivers", []),
        ("input_plan", ["bits_per_cycle=2", "tree_stages=1", "group=2"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hardware_without_an_idea_still_computes(name, changes, tmp_path, capsys):
    folder = str(ROOT / "build" / "ablation" / f"{name}-{tmp_path.name}")
    words = [word for change in changes for word in ("--set", change)]
    assert main([name, "verify", "tiny", *words, "--test", "values", "-o", folder, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["passes"] > 100
    assert told["failed"] == 0


@pytest.mark.parametrize("name", ["nor_products", "input_plan"])
def test_hardware_without_an_idea_is_other_verilog(name):
    config = MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4, bits_per_cycle=2)
    texts = []
    for idea in (None, name):
        with switched_off(idea) if idea else nullcontext():
            texts.append(modules_to_verilog(macro_modules(config)))
    assert texts[0] != texts[1]


def test_and_products_of_several_banks_are_refused(capsys, tmp_path):
    words = ["nor_products", "generate", "tiny", "--set", "banks=2", "-o", str(tmp_path / "o")]
    assert main(words) == 2
    assert "nor_products: banks must be 1" in capsys.readouterr().err


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
    with switched_off("clock_gates"):
        assert area("without") > with_gates


def test_no_idea_is_refused(capsys):
    assert main(["magic", "synth", "tiny"]) == 2
    assert "no idea 'magic'; ideas: clock_gates, " in capsys.readouterr().err
