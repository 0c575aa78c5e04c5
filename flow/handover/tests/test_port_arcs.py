"""Arcs of a circuit of three cells, against the library's tables looked up by hand."""

import os
import shutil
from pathlib import Path

import pytest

from cimforge.flow.handover.arc_answers import read_arcs
from cimforge.flow.handover.arc_axes import LOADS, SLEWS, Axes, measured_axes
from cimforge.flow.handover.arc_queries import PERIOD, arc_script, inside_script
from cimforge.flow.handover.opensta_runs import run_opensta, run_together
from cimforge.flow.handover.port_arcs import PortArcs
from cimforge.flow.liberty.characterisation import Physics, read_physics
from cimforge.flow.liberty.liberty_text import read_groups
from cimforge.flow.liberty.library_path import OSU018
from cimforge.flow.liberty.lookup_table import LookupTable, read_table
from cimforge.flow.synth.static_timing import STA, TimingError
from cimforge.hdl.netlist.module import Port

needs_tools = pytest.mark.skipif(
    shutil.which(STA) is None or not OSU018.is_file(),
    reason="no sta on PATH or no osu018; install OpenSTA and qflow-tech-osu018",
)
CIRCUIT = """
module hand (clk, a, b, y, z, late);
  input clk, a, b; output y, z, late;
  wire n, m, clk_n, held;
  INVX1 inverter (.A(a), .Y(n));
  DFFPOSX1 flop (.CLK(clk), .D(n), .Q(y));
  NAND2X1 gate (.A(a), .B(b), .Y(z));
  INVX1 other (.A(clk), .Y(clk_n));
  DFFPOSX1 falling (.CLK(clk_n), .D(b), .Q(late));
endmodule
"""
CONSTRAINTS = f"create_clock -name clk -period {PERIOD} [get_ports clk]"
PORTS = [Port("clk", "input", 1), Port("a", "input", 1), Port("b", "input", 1)]
PORTS += [Port(name, "output", 1) for name in ("y", "z", "late")]
AXES = Axes((0.1, 0.4), (0.02, 0.2))
KINDS = ("INVX1", "NAND2X1", "DFFPOSX1")
NEAR = {"abs": 2e-4}  # ns: pins that load rising and falling edges otherwise, floats of 100 ns


@pytest.fixture(scope="module")
def arcs(tmp_path_factory) -> PortArcs:
    """What is measured of the circuit."""
    folder = tmp_path_factory.mktemp("hand")
    (folder / "hand.v").write_text(CIRCUIT)
    shutil.copy(OSU018, folder / "cells.lib")
    read = ("hand", CONSTRAINTS, ["cells.lib"], "hand.v", PORTS)
    scripts = {"arcs": arc_script(*read, AXES), "inside": inside_script(*read)}
    return read_arcs("".join(run_together(scripts, folder)), AXES)


@pytest.fixture(scope="module")
def cells() -> dict[str, Physics]:
    return read_physics([OSU018], KINDS)


def checks_of_flop() -> dict[tuple[str, str], LookupTable]:
    """The flip-flop's own setup and hold, by kind and edge: rows by slew of the clock."""
    (library,) = read_groups(OSU018)
    templates = {t.args[0]: t for t in library.all("lu_table_template")}
    flop = next(cell for cell in library.all("cell") if cell.args == ("DFFPOSX1",))
    data = next(pin for pin in flop.all("pin") if pin.args == ("D",))
    found = {}
    for timing in data.all("timing"):
        kind = timing.values["timing_type"].removesuffix("_rising")
        for edge in ("rise", "fall"):
            (table,) = timing.all(f"{edge}_constraint")
            template = templates[table.args[0]]
            assert template.values["variable_1"] == "related_pin_transition"
            found[kind, edge] = read_table(table, templates, 1.0, 1.0, 1.0)
    return found


def delay(cell: Physics, pin: str, edge: str, slew: float, load: float) -> tuple[float, float]:
    """Delay and slew (ns) of an output's edge, by its one cause's slew and a load in pF."""
    (arc, *_) = cell.arcs[pin]
    (delays,), (slews,) = arc.delays[edge], arc.slews[edge]
    return delays.value(slew, load * 1000), slews.value(slew, load * 1000)


@needs_tools
@pytest.mark.parametrize(("kind", "sign"), [("setup", 1), ("hold", -1)])
@pytest.mark.parametrize("edge", ["rise", "fall"])
def test_setup_and_hold_are_the_flop_s_behind_the_inverter(arcs, cells, kind, sign, edge):
    own = checks_of_flop()
    turned = {"rise": "fall", "fall": "rise"}[edge]
    load = cells["DFFPOSX1"].capacitance["D"] / 1000
    (check,) = [c for c in arcs.checks["a"] if c.kind == kind]
    assert check.edge == "rising"
    for slew in AXES.slews:
        wait, data = delay(cells["INVX1"], "Y", turned, slew, load)
        for clock in AXES.slews:
            need = own[kind, turned].value(clock, data) + sign * wait
            assert check.tables[edge].value(slew, clock) == pytest.approx(need, **NEAR)


@needs_tools
def test_a_flop_of_the_other_edge_is_checked_against_it(arcs):
    """Captured half a cycle later, by an ideal clock: its own setup and hold, at the falling
    edge."""
    own = checks_of_flop()
    found = {(c.kind, c.edge): c.tables for c in arcs.checks["b"]}
    assert set(found) == {("setup", "falling"), ("hold", "falling")}
    for (kind, _), tables in found.items():
        for edge, table in tables.items():
            need = own[kind, edge].value(0.1, 0.4)
            assert table.value(0.4, 0.1) == pytest.approx(need, **NEAR)


@needs_tools
def test_delays_from_the_clock_are_the_flop_s(arcs, cells):
    for port, sense in (("y", "rising_edge"), ("late", "falling_edge")):
        found = {(d.related, d.kind): d for d in arcs.delays[port]}
        assert set(found) == {("clk", "max"), ("clk", "min")}
        for arc in found.values():
            assert arc.sense == sense
            for edge in ("rise", "fall"):
                wait, slew = delay(cells["DFFPOSX1"], "Q", edge, 0.4, 0.2)
                assert arc.delays[edge].value(0.4, 0.2) == pytest.approx(wait, **NEAR)
                assert arc.slews[edge].value(0.4, 0.2) == pytest.approx(slew, **NEAR)


@needs_tools
def test_ways_through_are_the_gate_s_with_its_sense(arcs, cells):
    found = {(d.related, d.kind): d for d in arcs.delays["z"]}
    assert set(found) == {(pin, kind) for pin in "ab" for kind in ("max", "min")}
    gate = {arc.related: arc for arc in cells["NAND2X1"].arcs["Y"]}
    for (related, _), arc in found.items():
        assert arc.sense == "negative_unate"
        for edge in ("rise", "fall"):
            (table,) = gate[related.upper()].delays[edge]
            wait = table.value(0.1, 200)
            assert arc.delays[edge].value(0.1, 0.2) == pytest.approx(wait, **NEAR)


@needs_tools
def test_loads_and_what_is_untimed(arcs, cells):
    pins = {"a": [("INVX1", "A"), ("NAND2X1", "A")], "b": [("NAND2X1", "B"), ("DFFPOSX1", "D")]}
    for port, inside in pins.items():
        total = sum(cells[kind].capacitance[pin] for kind, pin in inside) / 1000
        assert arcs.pins[port] == pytest.approx(total, rel=0.02)  # one edge's, or both edges' mean
        assert arcs.wires[port] == 0
    assert arcs.untimed(("a", "b", "y", "z", "late", "clk", "w")) == ["w"]
    assert arcs.period == 0  # no path from register to register


def test_axes_begin_at_an_ideal_clock_and_end_at_the_largest_load():
    table = LookupTable((0.1, 0.2, 0.3, 0.9), (1.0, 10.0, 50.0), ((0.0,) * 3,) * 4)
    assert measured_axes([]) == Axes(
        SLEWS, tuple(LOADS[0] * s for s in (0, 1 / 64, 1 / 16, 1 / 4, 1))
    )
    arc = type("Arc", (), {"delays": {"rise": (table,)}})
    cell = type("Cell", (), {"arcs": {"Y": (arc,)}})
    assert measured_axes([cell]).slews == (0.0, 0.1, 0.2, 0.9)
    assert measured_axes([cell]).loads[-1] == 0.05
    assert measured_axes([cell], 0.64).loads == (0.0, 0.01, 0.04, 0.16, 0.64)


def test_a_missing_or_failing_opensta_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TimingError, match=r"needs OpenSTA \(Debian: apt install opensta\)"):
        run_opensta("", tmp_path, "arcs")
    program = tmp_path / STA
    program.write_text("#!/bin/sh\necho 'Error: arcs.tcl line 1, no such thing.'\n")
    program.chmod(0o755)
    with pytest.raises(TimingError, match=r"^OpenSTA: Error: arcs.tcl line 1, no such thing"):
        run_opensta("", Path(tmp_path), "arcs")


def test_an_interrupt_ends_every_run(tmp_path, monkeypatch):
    """Each leaves its number; none of them is alive when the interrupt has come through."""
    program = tmp_path / STA
    program.write_text("#!/bin/sh\necho $$ > $2.pid\nexec sleep 100\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    marks = [tmp_path / f"{name}.tcl.pid" for name in ("arcs", "inside")]

    def interrupt() -> None:
        if all(mark.is_file() and mark.read_text().strip() for mark in marks):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_together({"arcs": "", "inside": ""}, tmp_path, interrupt)
    for mark in marks:
        with pytest.raises(ProcessLookupError):
            os.kill(int(mark.read_text()), 0)
