"""cimforge synth of an engine: which part each block counts for, and what is refused."""

import pytest

from cimforge.flow.engine_area.engine_area import MEMORIES, PARTS, count_parts
from cimforge.flow.engine_area.engine_netlist import engine_modules
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.params.engine_file import load_engine
from cimforge.scripts.main import main


@pytest.mark.parametrize("fronts", [("axi4lite", "axi4"), ("apb", "wishbone")])
def test_every_block_counts_for_its_part_as_often_as_it_stands_there(fronts):
    """Of a netlist with one cell a module: four lanes, two halves of the activation buffer."""
    config = load_engine("engine_base")
    top, macro = build_engine_top(config, *fronts), config.macro.module
    modules = engine_modules(top, macro)
    known = {kind for kinds in PARTS.values() for kind in kinds}
    front = [m.kind for m in modules if m.kind not in known and not isinstance(m, Ram)]
    assert front == [top.kind]  # the wrapper's own lines are the fronts'
    netlist = {m.name: {"cells": {"one": {"type": m.kind or "engine"}}} for m in modules}
    counts = count_parts(netlist, top, macro)
    assert counts["requantise"] == {"store_lanes": 1, "requantiser": 4, "channel_table": 1}
    assert counts[MEMORIES] == {
        **{"sum_ram": 1, "activation_ram": 2, "channel_ram": 4, "burst_ram": 1},
    }
    assert counts["fetch"] == {"fetch": 1, "read_arbiter": 1}
    assert counts["queue"] == {"engine": 1, "queue": 1, "activity": 1, "soft_reset": 1}
    assert counts["store"] == {"store": 1, "burst_writer": 1}
    assert counts["sums"] == {"sums": 1}
    assert counts["registers"] == {"registers": 1}
    assert sum(counts["bus fronts"].values()) >= 3


@pytest.mark.parametrize("option", [("--flatten",), ("--clock", "2"), ("--cell", "fa=X")])
def test_options_of_a_macro_are_refused_for_an_engine(option, capsys):
    assert main(["synth", "engine_base", *option]) == 2
    rule = f"cimforge: {option[0]}: only for a macro, not for the engine 'engine_base'"
    assert capsys.readouterr().err.strip() == rule
