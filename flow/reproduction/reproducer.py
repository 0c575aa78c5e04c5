"""A folder that shows a job again on which a macro was wrong: Verilog, beats, a cocotb test."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.outputs import Content
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import to_field_rows

__all__ = ["RUN", "Case", "reproducer_files"]

Ints = NDArray[np.int64]
SUITE, RUN = "reproduce_suite.py", "reproduce.py"
MAKEFILE = """# One job on which {top} differs from its golden model: make, or make SIM=verilator
SIM ?= icarus
TOPLEVEL_LANG = verilog
VERILOG_SOURCES = {sources}
TOPLEVEL = {top}
COCOTB_TEST_MODULES = reproduce_suite
# else pytest, which cocotb asks for its messages, looks for a conftest.py around this folder
export COCOTB_REWRITE_ASSERTION_FILES =
include $(shell cocotb-config --makefiles)/Makefile.sim
"""


class Case(NamedTuple):
    """Tiles of ``weights`` (tiles, rows, cols) and their ``vectors`` (tiles, vectors, rows), values
    not patterns, in ``banks`` (tiles,), of one input precision, weight sign and mode ``fuse``;
    ``expected`` (tiles, vectors, cols) is right."""

    weights: Ints
    vectors: Ints
    banks: Ints
    x_bits: int
    x_signed: bool
    w_signed: bool
    fuse: int
    expected: Ints


def reproducer_files(design: Design, case: Case, about: Mapping[str, Any]) -> dict[str, Content]:
    """Path and text of each file of the folder; ``about`` says where the case comes from.

    ``make`` there runs it with cocotb and Icarus alone; ``python reproduce.py`` with this package's
    simulators. Raises OSError where a source cannot be read.
    """
    paths = [Path(design.folder, source) for source in design.sources]
    verilog: dict[str, Content] = {f"verilog/{path.name}": path.read_bytes() for path in paths}
    told = {
        "about": dict(about),
        "top": design.top,
        "ports": list(design.ports),
        "sources": [path.name for path in paths],
        "config": design.config.parameters(),
        **_beats(design.config, case),
    }
    plain = [f"$(CURDIR)/{path}" for path in verilog if path.endswith((".v", ".sv"))]
    package = files("cimforge.flow.reproduction")
    return {
        **verilog,
        "case.json": json.dumps(told, indent=1) + "\n",
        "Makefile": MAKEFILE.format(top=design.top, sources=" ".join(plain)),
        **{name: (package / name).read_bytes() for name in (SUITE, RUN)},
    }


def _beats(config: MacroConfig, case: Case) -> dict[str, Any]:
    """The beats of each tile, as hex by port, and its results; inputs of other streams are idle."""
    mode = config.modes[case.fuse]
    ports = {port.name: port for port in macro_ports(config)}
    driven = {"w_valid", "x_valid", "y_ready", "clk", "rst"}
    idle = [
        name for name, port in ports.items() if port.direction == "input" and name not in driven
    ]
    tiles = []
    for tile, results in enumerate(case.expected):
        bank = int(case.banks[tile])
        shared = {"w_bank": bank, "w_signed": int(case.w_signed), "w_fill": 1, "w_fuse": case.fuse}
        rows = to_field_rows(case.weights[tile], mode.weight_bits)
        w = [{"w_row": row, "w_data": data, **shared} for row, data in enumerate(rows)]
        shared = {"x_bank": bank, "x_bits": case.x_bits, "x_signed": int(case.x_signed)}
        vectors = to_field_rows(case.vectors[tile], config.input_bits)
        x = [{"x_data": data, **shared} for data in vectors]
        tiles.append({"w": _hex(w, ports), "x": _hex(x, ports), "y": results.tolist()})
    return {"y_bits": mode.y_bits, "outputs": mode.outputs, "idle": idle, "tiles": tiles}


def _hex(beats: list[dict[str, int]], ports: Mapping[str, Port]) -> list[dict[str, str]]:
    """Values of the ports that there are."""
    return [{name: f"{beat[name]:x}" for name in beat if name in ports} for beat in beats]
