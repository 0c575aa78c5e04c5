"""Size and generation time of macros: ``python -m cimforge.hdl.emit.emission_speed [--json]``.

Sizes are exact. Times are of one run on this machine; the last figure is a ratio measured side by
side: Amaranth emitting one full-adder netlist as instances against the structural writer emitting
the same netlist.
"""

import argparse
import json
import time
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Instance, Module, Signal
from rich.console import Console
from rich.table import Table

from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.arith.planners import plan_sum, word_operands
from cimforge.hdl.macro.pipeline import tree_plan
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.presets import PRESETS

__all__ = ["main", "measure_emission", "measure_writer"]

SIZES = {
    **{name: preset.parameters for name, preset in PRESETS.items()},
    "256x16x8b": {"rows": 256, "cols": 16},
    "256x256x8b": {"rows": 256, "cols": 256},
    "1024x16x16b": {"rows": 1024, "cols": 16, "weight_bits": 16, "input_bits": 16},
}


def measure_emission(parameters: dict[str, Any]) -> dict[str, Any]:
    """Adder cells of one tree, bytes of Verilog and seconds to make it."""
    started = time.perf_counter()
    config = MacroConfig(**parameters)
    text = modules_to_verilog(macro_modules(config))
    seconds = time.perf_counter() - started
    cells = tree_plan(config).counts()
    size = {"bytes": len(text), "kilobytes": round(len(text) / 1000)}
    return {"fa": cells["fa"], "ha": cells["ha"], **size, "seconds": round(seconds, 2)}


class _AmaranthTree(Block):
    """The same netlist as build_adder's, combinational, as Amaranth instances."""

    role = "tree"

    def __init__(self, plan):
        self._plan = plan
        super().__init__(
            "bench", "tree", {"terms": In(plan.input_bits), "total": Out(len(plan.result))}
        )

    def elaborate(self, platform):
        m = Module()
        nets = list(self.terms)
        for number, cell in enumerate(self._plan.cells):
            s, co = Signal(name=f"s{number}"), Signal(name=f"c{number}")
            pins = dict(
                zip(("i_a", "i_b", "i_ci"), (nets[word[0]] for word in cell.inputs), strict=False)
            )
            m.submodules[f"cell{number}"] = Instance(f"cim_{cell.kind}", **pins, o_s=s, o_co=co)
            nets += [s, co]
        for place, bit in enumerate(self._plan.result):
            m.d.comb += self.total[place].eq(nets[bit])
        return m


def measure_writer(rows: int = 192, width: int = 8) -> dict[str, Any]:
    """Seconds of Amaranth and of the structural writer for one csa tree, and their ratio."""
    total = (rows * (2**width - 1)).bit_length()
    plan = plan_sum("csa", word_operands([width] * rows), total)
    started = time.perf_counter()
    rtlil.convert(_AmaranthTree(plan), emit_src=False, missing_domain=ClockDomain)
    amaranth = time.perf_counter() - started
    started = time.perf_counter()
    build_adder("bench", "tree", "", plan, role="tree").verilog()
    structure = time.perf_counter() - started
    return {
        "cells": len(plan.cells),
        "amaranth_seconds": round(amaranth, 2),
        "structure_seconds": round(structure, 3),
        "ratio": round(amaranth / structure),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m cimforge.hdl.emit.emission_speed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    modules_to_verilog(macro_modules(MacroConfig(rows=1, cols=1)))  # warm the tools
    emission = {name: measure_emission(parameters) for name, parameters in SIZES.items()}
    writer = measure_writer()
    growth = round(emission["256x256x8b"]["bytes"] / emission["256x16x8b"]["bytes"], 2)
    if options.json:
        print(json.dumps({"emission": emission, "writer": writer, "text_256": growth}, indent=2))
        return 0
    table = Table("macro", "FA a tree", "HA a tree", "Verilog kB", "seconds", title="generation")
    for name, row in emission.items():
        table.add_row(
            name, *(str(v) for v in (row["fa"], row["ha"], row["bytes"] // 1000, row["seconds"]))
        )
    console = Console()
    console.print(table)
    console.print(f"256x256x8b has {growth:.2f} times the text of 256x16x8b")
    faster = f"structural writer {writer['ratio']} times as fast as Amaranth"
    console.print(f"{writer['cells']} adder cells: {faster}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
