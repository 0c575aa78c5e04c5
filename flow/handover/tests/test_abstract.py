"""The Liberty abstract, loaded back: by OpenSTA in a system, by Yosys, by our own reader."""

import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from cimforge.flow.handover.macro_views import FOLDER, HandoverReport, write_views
from cimforge.flow.handover.opensta_runs import run_opensta
from cimforge.flow.handover.outline import bit_names
from cimforge.flow.handover.tech_lef import read_tech_lef
from cimforge.flow.handover.view_ports import compare_ports, read_ports
from cimforge.flow.handover.whole_netlist import WHOLE, WholeNetlist, map_whole
from cimforge.flow.liberty.library import read_library
from cimforge.flow.liberty.library_path import OSU018
from cimforge.flow.synth.static_timing import STA
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.tests.tools import netlist

LEF = OSU018.with_suffix(".lef")
pytestmark = pytest.mark.skipif(
    shutil.which(STA) is None or not LEF.is_file(),
    reason="no sta on PATH or no osu018; install OpenSTA and qflow-tech-osu018",
)
PERIOD = 10.0
# ns, of a slack: of a bus every bit counts as its worst, and slews meet other slews inside than
# those they were measured with
TOLERANCE = 0.05
CONFIG = load_config("tiny", ["storage=latch", "rows=3", "cols=2", "weight_bits=2", "input_bits=2"])


@pytest.fixture(scope="module")
def handed(tmp_path_factory) -> tuple[Path, HandoverReport, WholeNetlist]:
    """A small macro in latches with its views, and the folder of its mapped netlist."""
    folder = tmp_path_factory.mktemp("handed")
    emit_macro(CONFIG, folder)
    report = write_views(CONFIG, folder, liberty=[OSU018], tech=read_tech_lef(LEF))
    whole = map_whole(CONFIG, folder, [OSU018])
    whole.write_verilog()
    return folder, report, whole


def system(config: MacroConfig) -> str:
    """A flip-flop before each input of the macro and behind each output."""
    lines = ["module system (clk, data);", "  input clk, data;"]
    pins = [".clk(clk)", ".test_en(1'b0)"]
    for port in timed(config):
        bits = f"[{port.width - 1}:0] " if port.width > 1 else ""
        lines.append(f"  wire {bits}{port.name};")
        pins.append(f".{port.name}({port.name})")
        for bit, name in zip(bit_names(port), cells(port), strict=True):
            ends = f".D(data), .Q({bit})" if port.direction == "input" else f".D({bit}), .Q()"
            lines.append(f"  DFFPOSX1 {name} (.CLK(clk), {ends});")
    return "\n".join([*lines, f"  {config.module} macro ({', '.join(pins)});", "endmodule", ""])


def timed(config: MacroConfig) -> list[Port]:
    return [port for port in macro_ports(config) if port.name not in ("clk", "test_en")]


def cells(port: Port) -> list[str]:
    """The flip-flops of a port, one a bit."""
    return [f"at_{port.name}_{place}" for place in range(port.width)]


def slacks(folder: Path, reads: list[str], name: str) -> dict[str, dict[str, float]]:
    """The worst slack through each port, by path kind: of all paths but those that end at a latch,
    for what counts there is when it opens, and a latch may take until it closes."""
    script = [*reads, "read_verilog system.v", "link_design system"]
    script += ["set_cmd_units -time ns", f"create_clock -name clk -period {PERIOD} [get_ports clk]"]
    script += ["set latches [all_registers -data_pins -level_sensitive]"]
    script += ["if {[llength $latches]} { group_path -name latches -to $latches }"]
    for port in timed(CONFIG):
        way = "-from" if port.direction == "input" else "-to"
        ends = f"{way} [get_cells {{{' '.join(cells(port))}}}]"
        for kind in ("max", "min"):
            script += [f'puts "@@ {port.name} {kind}"']
            script += [f"report_checks -path_delay {kind} {ends} -digits 4"]
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for answer in run_opensta("\n".join(script) + "\n", folder, name).split("@@ ")[1:]:
        port, kind = answer.split()[:2]
        paths = [path for path in answer.split("Startpoint: ")[1:] if "Group: latches" not in path]
        worst = [float(re.search(r"(-?[\d.]+) +slack", path)[1]) for path in paths]
        found[port][kind] = min(worst)
    return found


def test_a_system_has_the_slacks_of_the_whole_netlist(handed):
    """Setup and hold, port by port. Where a latch takes the worst of an input, the abstract may
    say less than the other paths do, never more."""
    _, report, whole = handed
    place = whole.folder
    (place / "system.v").write_text(system(CONFIG))
    shutil.copy(report.folder / f"{CONFIG.module}.lib", place / "abstract.lib")
    library = [f"read_liberty {name}" for name in whole.libraries]
    flat = slacks(place, [*library, f"read_verilog {WHOLE}"], "flat")
    ours = slacks(place, [*library, "read_liberty abstract.lib"], "abstract")
    assert set(flat) == set(ours) == {port.name for port in timed(CONFIG)}
    differing = {}
    for port, told in flat.items():
        for kind, slack in told.items():
            difference = ours[port][kind] - slack
            if abs(difference) > TOLERANCE:
                differing[port, kind] = (slack, ours[port][kind])
    assert differing == {}
    # worst of all: what a designer reads first
    for kind in ("max", "min"):
        worst = [min(each[kind] for each in found.values()) for found in (flat, ours)]
        assert worst[0] == pytest.approx(worst[1], abs=TOLERANCE)


def test_a_changed_arc_would_be_noticed(handed):
    """The comparison above can fail: an abstract whose outputs come 0.2 ns later differs."""
    _, report, whole = handed
    text = (report.folder / f"{CONFIG.module}.lib").read_text()
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if "values (" in line and "transition" not in lines[place - 1]:
            lines[place] = re.sub(r"-?\d\.\d{6}", lambda n: f"{float(n[0]) + 0.2:.6f}", line)
    later = "\n".join(lines)
    (whole.folder / "later.lib").write_text(later)
    (whole.folder / "system.v").write_text(system(CONFIG))
    library = [f"read_liberty {name}" for name in whole.libraries]
    true = slacks(whole.folder, [*library, f"read_verilog {WHOLE}"], "flat")
    late = slacks(whole.folder, [*library, "read_liberty later.lib"], "later")
    assert true["y_data"]["max"] - late["y_data"]["max"] > 0.1
    assert true["x_bits"]["max"] - late["x_bits"]["max"] > 0.1


def test_our_reader_finds_ports_and_leaves_the_macro_alone(handed):
    _, report, _ = handed
    path = report.folder / f"{CONFIG.module}.lib"
    assert compare_ports(macro_ports(CONFIG), read_ports(path)) == []
    (cell,) = read_library(path).cells.values()
    assert cell.name == CONFIG.module
    assert not cell.usable
    assert cell.area == pytest.approx(report.outline.width * report.outline.height)


def test_yosys_reads_the_abstract(handed):
    _, report, _ = handed
    modules = netlist(report.folder, f"read_liberty -lib {CONFIG.module}.lib")
    ports = modules[CONFIG.module]["ports"]
    found = [Port(name, each["direction"], len(each["bits"])) for name, each in ports.items()]
    assert sorted(found) == sorted(macro_ports(CONFIG))


def test_loads_are_the_sums_of_the_cells_behind_a_port(handed):
    """OpenSTA's, against the sum over the netlist as data: a second way."""
    _, report, whole = handed
    for port in macro_ports(CONFIG):
        if port.direction == "input":
            told = max(report.arcs.pins[bit] for bit in bit_names(port))
            assert told == pytest.approx(whole.capacitance(port), rel=0.03), port.name
    assert {arc for arc, wires in report.arcs.wires.items() if wires} == set()  # osu018 has none


def test_the_period_inside_is_what_synthesis_finds(handed):
    """Shortest from register to register, no longer than with ports: 0.05 % is the resolution."""
    from cimforge.flow.liberty.leaf_cells import choose_cells
    from cimforge.flow.synth.static_timing import analyse_timing
    from cimforge.flow.synth.synthesis import map_to_library

    folder, report, whole = handed
    mapped = map_to_library(CONFIG, folder, whole.library, choose_cells(whole.library))
    whole_period = analyse_timing(CONFIG, mapped, whole.library).period
    assert 0.5 * whole_period < report.arcs.period <= whole_period * 1.001


def test_areas_come_from_the_lef_where_liberty_has_none(handed):
    """osu018 tells no area of its latch."""
    _, report, whole = handed
    area, unknown = whole.cell_area()
    assert unknown == ["LATCH"]
    latches = sum(cell.kind == "LATCH" for cell in whole.netlist.cells)
    sizes = read_tech_lef(LEF).sizes
    assert report.area == pytest.approx(area + latches * sizes["LATCH"])
    assert not [note for note in report.notes if "no area" in note]
    assert report.leakage
    assert "latch" in (report.folder / f"{CONFIG.module}_scan.md").read_text()


def test_every_port_but_test_en_has_an_arc(handed):
    _, report, _ = handed
    assert report.arcs.untimed(tuple(p.name for p in macro_ports(CONFIG))) == ["test_en"]
    assert "no arc begins or ends at test_en" in report.notes
    assert (report.folder.name, report.folder.is_dir()) == (FOLDER, True)
