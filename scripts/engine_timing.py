"""Pictures of an engine at work, drawn from a simulation of its emitted Verilog in Icarus.

``python -m cimforge.scripts.engine_timing -o hdl/docs`` writes those of the documents.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import matplotlib as mpl
import wavedrom
from matplotlib.figure import Figure

from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import check_simulator
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.emit.engine_sources import engine_sources
from cimforge.hdl.emit.engine_testbench import engine_testbench
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.engine_file import load_engine
from cimforge.scripts.bench_charts import STYLE
from cimforge.scripts.engine_example import engine_example
from cimforge.scripts.options import OutputPath

__all__ = ["draw_engine", "recorded"]

CONFIG, OVERRIDES, BATCH = "engine_small", ("engine.lanes=4",), 24
START = (  # ports of the top that the pictures of its buses show, a group a channel
    ("axil_awvalid", "axil_awready", "axil_awaddr"),
    ("axil_wvalid", "axil_wready", "axil_wdata"),
    ("axil_bvalid", "axil_bready"),
    ("axi_arvalid", "axi_arready", "axi_araddr", "axi_arlen"),
    ("axi_rvalid", "axi_rready", "axi_rlast"),
)
END = (
    ("axi_awvalid", "axi_awready", "axi_awaddr", "axi_awlen"),
    ("axi_wvalid", "axi_wready", "axi_wlast"),
    ("axi_bvalid", "axi_bready"),
    ("irq",),
    ("axil_arvalid", "axil_arready", "axil_araddr"),
    ("axil_rvalid", "axil_rready", "axil_rdata"),
)
TOP = tuple(name for group in (*START, *END) for name in group)
CORE = (  # nets of the engine that the picture of its units shows
    *("busy", "fetch_idle", "run_idle", "store_idle", "fetch_command_valid"),
    *("fetch_command_ready", "fetch_command_load", "fetch_command_channels", "count_compute"),
    *("read_data_valid", "read_data_ready", "write_data_valid", "write_data_ready", "interrupt"),
)
Trace = dict[str, list[int]]
COLOURS = {"LOAD": "#4477aa", "COPY": "#66ccee", "channels": "#aa3377", "": "#228833"}
SHOWN = 36  # cycles of a bus picture


def recorded() -> Trace:
    """Every signal of TOP and CORE in each cycle of the example's program, from before its start
    to behind its interrupt; numbers, unknown bits as 0.

    Raises InputError where Icarus is not installed.
    """
    check_simulator("icarus")
    config = load_engine(CONFIG, OVERRIDES)
    top = build_engine_top(config, "axi4lite", "axi4")
    bench = engine_testbench(config, top, "axi4lite", "axi4", engine_example(config, BATCH))
    files = {**macro_extras(config.macro), **engine_sources(config, top), **bench}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        emit_macro(config.macro, folder, files)
        (folder / "probe.v").write_text(_probe(f"tb_{top.name}"))
        listed = (folder / f"{top.name}.f").read_text().split()
        sources = [name for name in listed if not name.endswith(".vlt")]
        build = ["iverilog", "-g2005", "-s", f"tb_{top.name}", "-s", "probe", "-o", "tb.vvp"]
        build += ["probe.v", f"tb_{top.name}.v", *sources]
        subprocess.run(build, cwd=folder, check=True)
        ran = subprocess.run(["vvp", "tb.vvp"], cwd=folder, check=True, capture_output=True)
    lines = ran.stdout.decode().splitlines()
    assert any(line.startswith("PASS") for line in lines), lines[-1]
    words = [re.sub("[xz]", "0", line, flags=re.I).split()[1:] for line in lines if line[0] == "@"]
    return {
        name: [int(word, 16) for word in column]
        for name, column in zip((*TOP, *CORE), zip(*words, strict=True), strict=True)
    }


def _probe(bench: str) -> str:
    """A module that prints the signals late in every cycle."""
    paths = [f"{bench}.dut.{name}" for name in TOP]
    paths += [f"{bench}.dut.engine.{name}" for name in CORE]
    return (
        f"module probe;\n  always @(posedge {bench}.clk)\n"
        f'    $display("@{" %h" * len(paths)}", {", ".join(paths)});\nendmodule\n'
    )


def draw_engine(folder: Path) -> list[Path]:
    """Write engine_units.svg, engine_start.svg and engine_end.svg; equal hardware gives equal
    bytes."""
    trace = recorded()
    started = trace["busy"].index(1)
    rose = trace["irq"].index(1)
    with mpl.rc_context(STYLE):
        chart = _units({name: values[started - 4 : rose + 8] for name, values in trace.items()})
        chart.savefig(folder / "engine_units.svg", metadata={"Date": None})
    for name, groups, first in (("start", START, started - 8), ("end", END, rose - 20)):
        shown = {key: values[first : first + SHOWN] for key, values in trace.items()}
        write_file(folder / f"engine_{name}.svg", _bus(shown, groups))
    return [folder / f"engine_{name}.svg" for name in ("units", "start", "end")]


def _units(trace: Trace) -> Figure:
    """What each unit is at, over the cycles of a queue."""
    chart = Figure(figsize=(9, 2.9), layout="constrained")
    axis = chart.subplots()
    rows: dict[str, list[Any]] = {
        "words read": _both(trace, "read_data"),
        "fetch": _commands(trace),
        "run": [1 - idle for idle in trace["run_idle"]],
        "array computes": trace["count_compute"],
        "store": [1 - idle for idle in trace["store_idle"]],
        "words written": _both(trace, "write_data"),
        "interrupt": trace["interrupt"],
    }
    for place, values in enumerate(rows.values()):
        for kind in dict.fromkeys(value for value in values if value):
            spans = _spans([value == kind for value in values])
            colour = COLOURS.get(str(kind), COLOURS[""])
            axis.broken_barh(spans, (place - 0.35, 0.7), color=colour, linewidth=0)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.invert_yaxis()
    axis.set_xlabel("cycle")
    axis.set_xlim(0, len(trace["busy"]))
    axis.spines[["top", "right"]].set_visible(False)
    handles = [mpl.patches.Patch(color=COLOURS[k], label=k) for k in ("channels", "COPY", "LOAD")]
    axis.legend(handles=handles, title="fetch", loc="center left", bbox_to_anchor=(1, 0.5))
    return chart


def _both(trace: Trace, stream: str) -> list[int]:
    return [v & r for v, r in zip(trace[f"{stream}_valid"], trace[f"{stream}_ready"], strict=True)]


def _commands(trace: Trace) -> list[str]:
    """The fetch unit's command in each cycle, by name; empty while it is idle."""
    kinds, now = [], ""
    for cycle, idle in enumerate(trace["fetch_idle"]):
        if trace["fetch_command_valid"][cycle] and trace["fetch_command_ready"][cycle]:
            copy = "channels" if trace["fetch_command_channels"][cycle] else "COPY"
            now = "LOAD" if trace["fetch_command_load"][cycle] else copy
        kinds.append("" if idle else now)
    return kinds


def _spans(values: Sequence[bool]) -> list[tuple[int, int]]:
    """Runs of true values as (first, length)."""
    spans, place = [], 0
    for value, run in groupby(values):
        length = len(list(run))
        spans += [(place, length)] if value else []
        place += length
    return spans


def _bus(trace: Trace, groups: Sequence[Sequence[str]]) -> str:
    """Ports in each cycle as a wave diagram."""
    lanes: list[Any] = [{"name": "clk", "wave": "p" + "." * (SHOWN - 1)}]
    for names in groups:
        lanes += [{}, *(_lane(trace, name) for name in names)]
    text = json.dumps({"signal": lanes, "config": {"hscale": 1}})
    return wavedrom.render(text).tostring() + "\n"


def _lane(trace: Trace, name: str) -> dict[str, Any]:
    """A line as bits; what has values only while its channel's valid is high."""
    values = trace[name]
    valid = next((v for v in TOP if v.endswith("valid") and name[: len(v) - 5] == v[:-5]), "")
    if not name.endswith(("addr", "len", "data")):
        wave = "".join("." if n and v == values[n - 1] else str(v) for n, v in enumerate(values))
        return {"name": name, "wave": wave}
    wave, labels, before = "", [], None
    for offered, value in zip(trace[valid], values, strict=True):
        now = value if offered else None
        wave += "." if wave and now == before else ("=" if offered else "x")
        labels += [f"{value:x}"] if wave[-1] == "=" else []
        before = now
    return {"name": name, "wave": wave, "data": labels}


@click.command()
@click.option("-o", "--output", type=OutputPath(), required=True, help="Folder to write to.")
def main(output: Path) -> None:
    """Draw an engine at work."""
    output.mkdir(exist_ok=True)
    for path in draw_engine(output):
        click.echo(path)


if __name__ == "__main__":
    main()
