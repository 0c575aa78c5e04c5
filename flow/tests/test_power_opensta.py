"""OpenSTA's report_power, fed the same activities, says what ours does."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cimforge.flow.liberty.liberty_text import KEPT, POWER, Group, read_groups
from cimforge.flow.liberty.liberty_writer import _complex, _simple, _word
from cimforge.flow.power.energy import NetActivity, net_activity
from cimforge.flow.power.flat_netlist import FlatCell, FlatNetlist
from cimforge.flow.power.mapped_macro import MappedMacro, map_macro
from cimforge.flow.power.operating_point import net_loads, operating_point
from cimforge.flow.power.toggles import Toggles
from cimforge.flow.synth.static_timing import STA
from cimforge.flow.tests.test_leaf_cells import SG13G2
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import load_config

needs_opensta = pytest.mark.skipif(
    shutil.which(STA) is None, reason="no sta on PATH; install OpenSTA"
)
PERIOD_NS = 4.0
POWERS = ("rise_power", "fall_power", "power")
LEFT_OUT = ("leakage_power", "wire_load", "default_wire_load", "default_operating_conditions")


def statements(group: Group, scale: float) -> Iterator[str]:
    """A group as Liberty text: of a pin's energies the first alone, whatever the state, times
    ``scale``; leakage whatever the state; no wires.

    OpenSTA 2.0 adds the energies of both edges and of all conditions where later ones take means,
    and weighs conditions otherwise than by how often they hold; so conditions are kept out of the
    comparison, and ``scale`` halves what it is given.
    """
    yield f"{group.kind} ({', '.join(_word(arg) for arg in group.args)}) {{"
    if group.kind == "library":
        volt = group.values["nom_voltage"]
        yield f"operating_conditions (c) {{ process : 1; temperature : 25; voltage : {volt}; }}"
        yield "default_operating_conditions : c;"
    left = ("when", "sdf_cond", "related_pin") if group.kind == "internal_power" else ()
    for key, text in group.values.items():
        if key not in (*LEFT_OUT, *left):
            yield _simple(key, text)
    if group.kind == "internal_power":
        related = group.values.get("related_pin")
        yield from (['when : "1";'] + ([_simple("related_pin", related)] if related else []))
    for key, args in group.lists:
        if key == "values" and group.kind in POWERS:
            yield _complex(key, [", ".join(scaled(row, scale)) for row in args])
        else:
            yield _complex(key, args)
    energies = group.all("internal_power")[1:]
    for inner in group.groups:
        wanted = inner.kind in KEPT | POWER and inner.kind not in LEFT_OUT
        if wanted and not any(inner is other for other in energies):
            yield from statements(inner, scale)
    yield "}"


def scaled(row: str, scale: float) -> list[str]:
    """The numbers of a row, times ``scale``."""
    return [repr(float(word) * scale) for word in row.replace(",", " ").split()]


def library(folder: Path, name: str, scale: float) -> Path:
    """SG13G2 without conditions, energies times ``scale``."""
    (group,) = read_groups(SG13G2, POWER)
    (folder / name).write_text("\n".join(statements(group, scale)) + "\n")
    return folder / name


def part(case: MappedMacro) -> MappedMacro:
    """A macro's gates and flip-flops; in place of its latches, its clock network and its ports
    stands a flip-flop for each net that they drive, the clocks being ports.

    OpenSTA 2.0 keeps no activity of what ports or latches lead to: it makes up its own.
    """
    physics, clocks = case.physics, case.clock.nets
    cells = [
        cell
        for cell in case.netlist.cells
        if cell.kind not in case.kinds or case.library.cells[cell.kind].ff is not None
        if not any(cell.pins.get(pin) in clocks for pin in outputs(case, cell))
    ]
    flip_flop = next(cell for cell in cells if cell.kind in case.kinds)
    driven = {cell.pins[pin] for cell in cells for pin in outputs(case, cell)}
    taken = {net for cell in cells for net in cell.pins.values() if net >= 0} - driven - {*clocks}
    data, root = case.netlist.nets, case.netlist.ports["clk"][0]
    for net in sorted(taken):
        pins = {**flip_flop.pins, "CLK": root, "D": data, "Q": net}
        pins.pop("Q_N", None)
        cells.append(FlatCell(f"source{net}", flip_flop.kind, "input", pins))
    ports = {"clk": (root,), "data": (data,)}
    ports |= {f"c{c.pins['CLK']}": (c.pins["CLK"],) for c in cells if c.kind in case.kinds}
    flat = FlatNetlist(tuple(cells), data + 1, ports, frozenset())
    loads = net_loads(flat, physics)
    point = operating_point(flat, physics, case.kinds, case.clock, loads)
    return replace(case, netlist=flat, loads=loads, point=point)


def outputs(case: MappedMacro, cell: FlatCell) -> list[str]:
    """A cell's wired outputs."""
    inputs = case.physics[cell.kind].capacitance
    return [pin for pin, net in cell.pins.items() if net >= 0 and pin not in inputs]


def netlist_text(case: MappedMacro) -> str:
    """A flat netlist for OpenSTA, its ports named after their nets."""
    names = {-1: "1'b0", -2: "1'b1"}
    flat = case.netlist
    inputs = list(dict.fromkeys(nets[0] for nets in flat.ports.values()))
    used = sorted({net for cell in flat.cells for net in cell.pins.values() if net >= 0})
    lines = [f"module core ({', '.join(f'n{net}' for net in inputs)});"]
    lines += [f"input n{net};" for net in inputs]
    lines += [f"wire n{net};" for net in used if net not in inputs]
    for index, cell in enumerate(flat.cells):
        pins = (f".{pin}({names.get(net) or f'n{net}'})" for pin, net in cell.pins.items())
        lines.append(f"{cell.kind} u{index} ({', '.join(pins)});")
    return "\n".join([*lines, "endmodule", ""])


def report_power(folder: Path, case: MappedMacro, activity: NetActivity) -> list[float]:
    """Internal, switching and leakage power in W that OpenSTA reports of halved energies.

    Where any pin is left without an activity it forgets those of others: so all pins are told.
    """
    library(folder, "halved.lib", 0.5)
    (folder / "flat.v").write_text(netlist_text(case))
    flat = case.netlist
    inputs = {nets[0] for nets in flat.ports.values()}
    clocks = [f"n{net}" for net in sorted(inputs) if net in case.clock.nets]
    lines = ["read_liberty halved.lib", "read_verilog flat.v", "link_design core"]
    lines.append(f"create_clock -name c -period {PERIOD_NS} [get_ports {{{' '.join(clocks)}}}]")
    lines.append("set_propagated_clock [all_clocks]")
    for index, cell in enumerate(flat.cells):
        for pin in case.physics[cell.kind].arcs:
            net = cell.pins.get(pin, -1)
            told = (activity.rate[net], activity.duty[net]) if net >= 0 else (0.0, 0.5)
            where = f"[get_pins u{index}/{pin}]"
            lines.append(f"sta::set_power_pin_activity {where} {told[0]:.6f} {told[1]:.6f}")
    (folder / "power.tcl").write_text("\n".join([*lines, "report_power -digits 6", ""]))
    command = (STA, "-exit", "power.tcl")
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    (total,) = re.findall(r"^Total +([\d.e+-]+) +([\d.e+-]+) +([\d.e+-]+) ", run.stdout, re.M)
    return [float(value) for value in total]


@needs_opensta
def test_opensta_says_the_same(tmp_path):
    """Within 5 %: internal and switching power, and leakage, of a macro's cells at drawn
    activities."""
    ours = library(tmp_path, "whole.lib", 1.0)
    config = load_config("tiny", ["storage=latch"])
    emit_macro(config, tmp_path / "m")
    case = part(map_macro(config, tmp_path / "m", [ours]))
    assert len(case.netlist.cells) > 1000
    draw = np.random.default_rng(1)
    high = draw.integers(20, 80, case.netlist.nets)
    rates = draw.integers(0, 200, case.netlist.nets)
    for net, inverted in case.clock.nets.items():  # which OpenSTA knows, and takes as never gated
        rates[net], high[net] = 200, 100 if inverted else 0
    activity = net_activity(Toggles(100, rates, rates, high), case.clock.nets)
    found = case.energies(activity)
    theirs = report_power(tmp_path, case, activity)
    watts = 1e-15 / (PERIOD_NS * 1e-9)
    sums = [found.internal.sum() * watts, found.switching.sum() * watts, found.leakage.sum() * 1e-9]
    assert sums == pytest.approx(theirs, rel=0.05)
