"""Compares a macro's timing constraints with what its netlist needs, command by command."""

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cimforge.hdl.tests.tools import netlist

__all__ = ["Needs", "faults", "needs_of"]

WORD = re.compile(r"\{[^{}]*\}|\[(?:[^\[\]{}]|\{[^{}]*\})*\]|\S+")


@dataclass
class Needs:
    """What a netlist tells of itself: ports, instances of each leaf cell by path, and the port that
    opens every clock gate."""

    inputs: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    cells: dict[str, str] = field(default_factory=dict)  # path: type
    openers: set[str] = field(default_factory=set)

    def of(self, kind: str) -> set[str]:
        """The paths of all instances of a leaf cell."""
        return {path for path, cell in self.cells.items() if cell == kind}


def needs_of(folder: Path, top: str) -> Needs:
    """Reads the emitted Verilog in ``folder``."""
    script = f"read_verilog cim_cells.v {top}.v\nhierarchy -check -top {top}\nproc"
    modules = netlist(folder, script)
    found = Needs()
    ports = modules[top]["ports"]
    for name, port in ports.items():
        (found.inputs if port["direction"] == "input" else found.outputs).add(name)
    nets = {bit: name for name, port in ports.items() for bit in port["bits"]}
    _walk(modules, top, "", nets, found)
    return found


def _walk(
    modules: dict[str, Any], module: str, path: str, nets: dict[int, str], found: Needs
) -> None:
    """All instances below a module; ``nets`` names the top's port behind each bit."""
    for name, cell in modules[module]["cells"].items():
        inner, here = cell["type"], f"{path}{name}"
        found.cells[here] = inner
        if inner == "cim_clkgate":
            found.openers |= {nets.get(bit, here) for bit in cell["connections"]["test_en"]}
        if inner in modules:
            pins = {}
            for port, bits in cell["connections"].items():
                own = modules[inner]["ports"][port]["bits"]
                pins |= {o: nets[b] for o, b in zip(own, bits, strict=False) if b in nets}
            _walk(modules, inner, f"{here}/", pins, found)


def faults(text: str, needs: Needs) -> list[str]:
    """What the constraints say too much, too little or otherwise than the netlist needs."""
    said = [_words(line) for line in text.splitlines() if line and not line.startswith(("#", "if"))]
    latches, gates = needs.of("cim_latch"), needs.of("cim_clkgate")
    timed = needs.inputs - {"clk"}
    expected: list[list[Any]] = [
        ["create_clock", "-name", "clk", "-period", "$period", {"clk"}],
        ["set_input_delay", "0", "-clock", "clk", timed],
        ["set_output_delay", "0", "-clock", "clk", needs.outputs],
    ]
    if gates:
        expected.append(["set_case_analysis", "0", needs.openers])
    if latches:
        expected.append(["set_multicycle_path", "2", "-setup", "-from", latches])
        expected.append(["set_multicycle_path", "1", "-hold", "-from", latches])
    found = [[_meant(word, needs) for word in command] for command in said]
    return [
        *(f"not needed: {json.dumps(command, default=sorted)[:200]}"
          for command in found if command not in expected),
        *(f"missing: {json.dumps(command, default=sorted)[:200]}"
          for command in expected if command not in found),
    ]  # fmt: skip


def _words(line: str) -> list[str]:
    return WORD.findall(line)


def _meant(word: str, needs: Needs) -> Any:
    """A word, or the objects that a query finds: * does not reach over a /."""
    query = re.fullmatch(r"\[get_(\w+) \{?([^{}]*?)\}?\]", word)
    if not query:
        return word
    pins = {f"{path}/gate" for path in needs.of("cim_clkgate")}
    pins |= {f"{path}/{pin}" for path in needs.of("cim_clkgate") for pin in ("clk", "enable")}
    pins |= {f"{path}/{pin}" for path in needs.of("cim_latch") for pin in ("gate", "d", "q")}
    every = {"ports": needs.inputs | needs.outputs, "cells": set(needs.cells), "pins": pins}
    patterns = query[2].split()
    return {name for name in every[query[1]] if any(_matches(name, p) for p in patterns)}


def _matches(name: str, pattern: str) -> bool:
    names, patterns = name.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))
