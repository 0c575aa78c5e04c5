"""The part of a netlist that is timed, against the whole one: same arcs, same period."""

import shutil

import pytest

from cimforge.flow.handover import timed_part as timed_part_module
from cimforge.flow.handover.arc_answers import read_arcs
from cimforge.flow.handover.arc_axes import Axes
from cimforge.flow.handover.arc_queries import PERIOD, arc_script, inside_script, points_done
from cimforge.flow.handover.opensta_runs import run_together
from cimforge.flow.handover.port_arcs import PortArcs
from cimforge.flow.handover.timed_part import timed_part
from cimforge.flow.handover.whole_netlist import WHOLE, WholeNetlist, map_whole
from cimforge.flow.liberty.library_path import OSU018
from cimforge.flow.power.flat_netlist import FlatCell, FlatNetlist
from cimforge.flow.synth.static_timing import STA
from cimforge.hdl.emit.constraints import timing_constraints
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config_file import load_config

pytestmark = pytest.mark.skipif(
    shutil.which(STA) is None or not OSU018.is_file(),
    reason="no sta on PATH or no osu018; install OpenSTA and qflow-tech-osu018",
)
CONFIG = load_config("tiny", ["storage=latch", "rows=4", "cols=3", "weight_bits=2", "input_bits=2"])
PORTS = macro_ports(CONFIG)
AXES = Axes((0.05, 0.6), (0.01, 0.3))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> WholeNetlist:
    folder = tmp_path_factory.mktemp("whole")
    emit_macro(CONFIG, folder)
    mapped = map_whole(CONFIG, folder, [OSU018])
    mapped.write_verilog()
    return mapped


@pytest.fixture(scope="module")
def arcs(whole) -> PortArcs:
    """Measured on the netlist that Yosys flattened."""
    return measured(whole, WHOLE, WHOLE)


def measured(whole: WholeNetlist, points: str, inside: str) -> PortArcs:
    constraints = timing_constraints(CONFIG, str(PERIOD), divider=".", gate_pin=None)
    read = (CONFIG.module, constraints, whole.libraries)
    scripts = {
        "points": arc_script(*read, points, PORTS, AXES),
        "period": inside_script(*read, inside, PORTS),
    }
    printed = run_together(scripts, whole.folder)
    assert points_done(printed[0]) == 2 * len(AXES.slews) * len(AXES.slews)
    return read_arcs("".join(printed), AXES)


def parts(whole: WholeNetlist) -> list[str]:
    """The two parts, as files beside the whole."""
    names = []
    for inside in (False, True):
        text = timed_part(CONFIG.module, whole.netlist, whole.library, PORTS, inside=inside)
        assert text
        names.append(f"part{int(inside)}.v")
        (whole.folder / names[-1]).write_text(text)
        assert text.count(";\n") < len(whole.netlist.cells) * (0.9 if inside else 0.6)
    return names


def test_a_part_has_the_arcs_and_the_period_of_the_whole(whole, arcs):
    """To all digits that OpenSTA prints but the last."""
    own = measured(whole, *parts(whole))
    assert flat(own) == pytest.approx(flat(arcs), abs=1.5e-6)
    assert len(flat(own)) > 500
    assert own.period == pytest.approx(arcs.period, rel=1e-9)


def test_loads_count(whole, arcs, monkeypatch):
    """The comparison can fail: without what else loads its nets a part is faster."""
    kept = timed_part_module._kept

    def bare(graph, inside):
        return {place: pins for place, pins in kept(graph, inside).items() if len(pins) > 1}

    monkeypatch.setattr(timed_part_module, "_kept", bare)
    assert flat(measured(whole, *parts(whole))) != pytest.approx(flat(arcs), abs=1e-3)


def flat(arcs: PortArcs) -> dict[tuple[str, ...], float]:
    """Every number of the arcs, named."""
    found: dict[tuple[str, ...], float] = {}
    for what, loads in (("pins", arcs.pins), ("wires", arcs.wires)):
        found |= {(what, bit): load for bit, load in loads.items()}
    tables = {}
    for name, checks in arcs.checks.items():
        tables |= {(name, c.kind, c.edge, e): t for c in checks for e, t in c.tables.items()}
    for name, delays in arcs.delays.items():
        for d in delays:
            for what, edges in (("delay", d.delays), ("slew", d.slews)):
                key = (name, d.related, d.kind, d.sense, what)
                tables |= {(*key, edge): table for edge, table in edges.items()}
    for key, table in tables.items():
        for row, values in enumerate(table.values):
            found |= {(*key, str(row), str(col)): value for col, value in enumerate(values)}
    return found


def test_no_part_where_the_clock_is_data(whole):
    """An ideal clock has no delay of its own, so nothing may be left out there."""
    ports = [Port("clk", "input", 1), Port("y", "output", 1)]
    inverter = FlatCell("inverter", "INVX1", "other", {"A": 0, "Y": 1})
    netlist = FlatNetlist((inverter,), 2, {"clk": (0,), "y": (1,)}, frozenset({"y"}))
    assert timed_part("top", netlist, whole.library, ports, inside=True) is None
