"""A folder that shows a divergence again without the network: Verilog, beats, a cocotb test."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from cimforge.compiler.network.divergence import Divergence
from cimforge.compiler.tiling import Job, run_job_golden
from cimforge.flow.simulate.simulator import Design
from cimforge.hdl.emit.outputs import Content
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import to_field_rows

__all__ = ["reproducer_files"]

SUITE, RUN = "reproduce_suite.py", "reproduce.py"
MAKEFILE = """# One job on which {top} differs from its golden model: make, or make SIM=verilator
SIM ?= icarus
TOPLEVEL_LANG = verilog
VERILOG_SOURCES = {sources}
TOPLEVEL = {top}
COCOTB_TEST_MODULES = reproduce_suite
include $(shell cocotb-config --makefiles)/Makefile.sim
"""


def reproducer_files(design: Design, divergence: Divergence) -> dict[str, Content]:
    """Path and text of each file of the folder.

    ``make`` there runs the case with cocotb and Icarus alone; ``python reproduce.py`` with this
    package's simulators. Raises OSError where a source cannot be read.
    """
    paths = [Path(design.folder, source) for source in design.sources]
    verilog: dict[str, Content] = {f"verilog/{path.name}": path.read_bytes() for path in paths}
    case = {
        "divergence": divergence.as_json(),
        "top": design.top,
        "ports": list(design.ports),
        "sources": [path.name for path in paths],
        "config": design.config.parameters(),
        **_beats(design.config, divergence.job),
    }
    plain = [f"$(CURDIR)/{path}" for path in verilog if path.endswith((".v", ".sv"))]
    package = files("cimforge.compiler.network") / "reproduction"
    return {
        **verilog,
        "case.json": json.dumps(case, indent=1) + "\n",
        "Makefile": MAKEFILE.format(top=design.top, sources=" ".join(plain)),
        **{name: (package / name).read_bytes() for name in (SUITE, RUN)},
    }


def _beats(config: MacroConfig, job: Job) -> dict[str, Any]:
    """The beats of each tile, as hex by port, and its results; inputs of other streams are idle."""
    mode = config.modes[job.fuse]
    ports = {port.name: port for port in macro_ports(config)}
    driven = {"w_valid", "x_valid", "y_ready", "clk", "rst"}
    idle = [
        name for name, port in ports.items() if port.direction == "input" and name not in driven
    ]
    tiles = []
    for tile, results in enumerate(run_job_golden(config, job)):
        bank = int(job.banks[tile])
        shared = {"w_bank": bank, "w_signed": int(job.w_signed), "w_fill": 1, "w_fuse": job.fuse}
        rows = to_field_rows(job.weights[tile], mode.weight_bits)
        w = [{"w_row": row, "w_data": data, **shared} for row, data in enumerate(rows)]
        shared = {"x_bank": bank, "x_bits": job.x_bits, "x_signed": int(job.x_signed)}
        vectors = to_field_rows(job.inputs[job.k_index[tile]], config.input_bits)
        x = [{"x_data": data, **shared} for data in vectors]
        tiles.append({"w": _hex(w, ports), "x": _hex(x, ports), "y": results.tolist()})
    return {"y_bits": mode.y_bits, "outputs": mode.outputs, "idle": idle, "tiles": tiles}


def _hex(beats: list[dict[str, int]], ports: dict[str, Any]) -> list[dict[str, str]]:
    """Values of the ports that there are."""
    return [{name: f"{beat[name]:x}" for name in beat if name in ports} for beat in beats]
