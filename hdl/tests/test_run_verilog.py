"""The run unit's Verilog: linted, and equal to what was simulated in Python, cycle by cycle."""

from random import Random

import pytest

from cimforge.hdl.emit.engine_sources import ENGINE_WAIVERS
from cimforge.hdl.emit.waivers import lint_waivers
from cimforge.hdl.engine.ram import Ram
from cimforge.hdl.engine.run_unit import RunUnit
from cimforge.hdl.netlist.module import distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.tests.block_run import run_block
from cimforge.hdl.tests.engine_configs import RUN_ENGINES
from cimforge.hdl.tests.run_bench import RunBench
from cimforge.hdl.tests.test_run_unit import PRESSURE, drawn_runs
from cimforge.hdl.tests.tools import lint, needs_icarus


@pytest.mark.parametrize("name", ["base", "odd", "binary", "slices"])
def test_lint_is_clean_with_the_engines_waivers(name, tmp_path):
    unit = RunUnit(RUN_ENGINES[name])
    (tmp_path / "run.v").write_text(modules_to_verilog(distinct_modules(unit)))
    (tmp_path / "run.vlt").write_text(lint_waivers("run", ENGINE_WAIVERS))
    assert lint(tmp_path, "--top-module", unit.name, "run.vlt", "run.v") == []


@needs_icarus
@pytest.mark.parametrize("name", ["tiny", "sixteen", "slices"])
def test_verilog_does_what_the_simulated_unit_does(name, tmp_path):
    """Fed with the same inputs; what is undefined in Verilog is not compared, but no control is."""
    config = RUN_ENGINES[name]
    bench = RunBench(config, drawn_runs(config, 21, 6), 22, **PRESSURE, traced=True)
    trace = bench.run(reset_at=30).trace
    unit = RunUnit(config)
    outputs = [port.name for port in unit.ports.values() if port.direction == "output"]
    inputs = [port.name for port in unit.ports.values() if port.name not in (*outputs, "clk")]
    start = dict.fromkeys(inputs, 0) | {"rst": 1}
    found = run_block(tmp_path, unit, [start, *({n: c[n] for n in inputs} for c in trace)])[1:]
    sums_given = 0
    for cycle, told in zip(trace, found, strict=True):
        wrong = {n: told[n] for n in outputs if told[n] is not None and told[n] != cycle[n]}
        assert not wrong
        payload = [n for n in outputs if n.startswith("x_") and n != "x_valid"]
        loose = {"sums_data"} | (set() if cycle["x_valid"] else set(payload))
        assert None not in (told[n] for n in outputs if n not in loose)
        sums_given += told["sums_data"] is not None
    assert sums_given


@needs_icarus
@pytest.mark.parametrize(("words", "lanes", "bits"), [(1, 1, 5), (6, 3, 1), (9, 2, 8)])
def test_ram_keeps_what_is_written_lane_by_lane(words, lanes, bits, tmp_path):
    """What was never written is undefined; read data stand until the next read."""
    print("seed 23")
    draw, ram = Random(23), Ram("any", "ram", "buffer", words, lanes, bits)
    kept: list[dict[int, int]] = [{} for _ in range(words)]
    cycles, expected, shown = [], [], {}
    for _ in range(300):
        cycle = {port.name: draw.getrandbits(port.width) for port in ram.ports.values()}
        where = {way: draw.randrange(words) for way in ("write", "read")}
        cycle |= {f"{way}_address": place for way, place in where.items() if words > 1}
        if where["read"] == where["write"] and cycle["write"]:
            cycle["read"] = 0
        del cycle["clk"], cycle["read_data"]
        cycles.append(cycle)
        expected.append(shown)
        if cycle["read"]:
            shown = dict(kept[where["read"]])
        for lane in range(lanes):
            if cycle["write"] >> lane & 1:
                value = cycle["write_data"] >> lane * bits & (1 << bits) - 1
                kept[where["write"]][lane] = value
    found = [cycle["read_data"] for cycle in run_block(tmp_path, ram, cycles)]
    whole = [
        sum(value << lane * bits for lane, value in lanes_.items())
        if len(lanes_) == lanes
        else None
        for lanes_ in expected
    ]
    assert found == whole
    assert sum(value is not None for value in found) > 50


def test_ram_without_a_role_is_refused():
    with pytest.raises(ValueError, match=r"role of any_ram must be one of .*, not 'memory'"):
        Ram("any", "ram", "memory", 4, 1, 8)
