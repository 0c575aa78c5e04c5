"""What people look for in a datasheet, first: each figure that a check measured, its condition."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["highlights"]

Checks = Mapping[str, Mapping[str, Any]]
UNITS = {"um2": "µm²", "luts": "LUT sites", "cells": "cells"}


class Figure(NamedTuple):
    """One figure: what, its value, unit and condition, from a check's result."""

    what: str
    value: Any
    unit: str
    condition: str


def highlights(checks: Checks, orders: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of the page's first table, JSON data: what, value, unit, condition, the ``check`` it is
    of, its ``status``, and the ``command`` that makes it where it is not run.

    ``checks`` are the datasheet's entries by name; ``orders`` commands by the name of each check
    that is told even where it did not run: one without an entry needs a library.
    """
    rows = []
    for name, make in ROWS:
        entry = checks.get(name, {"status": "not run", "why": "needs a cell library"})
        if entry["status"] == "passed":
            told = [figure._asdict() for figure in make(name, checks)]
        elif name in orders or entry["status"] == "failed":
            what = entry.get("title") or LIBRARY_TITLES[name]
            told = [Figure(what, None, "", entry["why"])._asdict()]
        else:
            continue
        ordered = orders.get(name) or entry.get("command", "")
        command = "" if entry["status"] == "passed" else ordered
        told_of = {"check": name, "status": entry["status"], "command": command}
        rows += [{**row, **told_of} for row in told]
    return rows


def _library(entry: Mapping[str, Any]) -> str:
    """The library by its file's name, which names its corner."""
    return ", ".join(Path(library["path"]).name for library in entry["libraries"])


def _library_size(name: str, checks: Checks) -> Iterator[Figure]:
    entry = checks[name]
    result, on = entry["result"], _library(entry)
    wires = result["wire_load"]
    loads = f"wire loads {wires}" if wires else "wires not counted"
    uncounted = result.get("ram") and not result["ram"]["cell"]
    area = f"on {on}" + ("; RAMs not counted" if uncounted else "")
    yield Figure("area of cells", result["total"], UNITS[result["unit"]], area)
    if result["min_period_ns"] is None:
        yield Figure("shortest clock period", None, "ns", "; ".join(result["notes"]))
        return
    yield Figure("shortest clock period", result["min_period_ns"], "ns", f"on {on}; {loads}")
    binary = f"products of bits, at {result['min_period_ns']} ns on {on}; {loads}"
    yield Figure("rate", result["tops"], "TOPS", binary)
    yield Figure("rate an area", result["tops_per_mm2"], "TOPS/mm²", f"{binary}; area as above")


def _energy(name: str, checks: Checks) -> Iterator[Figure]:
    entry = checks[name]
    result = entry["result"]
    wires = f"{result['wire_ff']} fF of wire a pin" if result["wire_ff"] else "wires not counted"
    held = (
        f"{result['vectors']} {result['data']} vectors, seed {result['seed']}, at "
        f"{result['period_ns']} ns on {_library(entry)}; {wires}"
    )
    shortest = checks.get("library-synth", {}).get("result") or {}
    if result["period_ns"] < (shortest.get("min_period_ns") or 0):
        held += "; this clock is faster than the shortest period above, which counts wire loads"
    dynamic = f"dynamic, glitches included; {held}"
    yield Figure("energy", result["fj_per_1b_mac"], "fJ a product of bits", dynamic)
    yield Figure("efficiency", result["tops_per_w"], "TOPS/W", f"leakage included; {held}")


def _size(name: str, checks: Checks) -> Iterator[Figure]:
    entry = checks[name]
    result = entry["result"]
    rams = [f"{number} {kind}" for kind, number in result["ram_blocks"].items()]
    named = "beside them" if result["unit"] == "luts" else "of them"
    condition = f"{named} {result['ffs']} flip-flops"
    condition += f"; RAM blocks: {', '.join(rams)}" if rams else ""
    yield Figure(f"size, {result['target']}", result["total"], UNITS[result["unit"]], condition)


def _tests(name: str, checks: Checks) -> Iterator[Figure]:
    entry = checks[name]
    result = entry["result"]
    passed = result["tests"] - result["failed"] - result["skipped"]
    told = f"of {result['tests']}; {result['skipped']} are not for this macro"
    how = f"{result['passes']} passes compared in {result['simulator']}, seed {result['seed']}"
    yield Figure(f"tests passed, {entry['title']}", passed, "", f"{told}; {how}")
    if name == "verify":
        bins = result["coverage"]
        waived = f", {bins['waived']} of them waived" if bins["waived"] else ""
        yield Figure("coverage bins hit", bins["hit"], "", f"of {bins['bins']}{waived}")


def _proof(name: str, checks: Checks) -> Iterator[Figure]:
    entry = checks[name]
    result = entry["result"]
    on = f" in cells of {_library(entry)}" if entry["libraries"] else ""
    laws = "; ".join(result["laws"].values())
    where = f"of {len(result['adders'])} blocks{on}, each distinct block once"
    what = "adders proven, library cells" if entry["libraries"] else "adders proven, Verilog"
    yield Figure(what, sum(result["adders"].values()), "", f"{where}: {laws}")


def _mutants(name: str, checks: Checks) -> Iterator[Figure]:
    entry = checks[name]
    result = entry["result"]
    equal = f"{result['proven']} are proven to change nothing, {result['bounded']} within a bound"
    how = f"in {result['simulator']}, seed {result['seed']}"
    told = f"of {result['generated']}; {equal}, {result['survived']} survive; {how}"
    yield Figure("mutants killed", result["killed"], "", told)


Maker = Callable[[str, Checks], Iterator[Figure]]

LIBRARY_TITLES = {
    "library-synth": "area, period and rate on a library",
    "library-power": "energy on a library",
}
ROWS: tuple[tuple[str, Maker], ...] = (
    ("library-synth", _library_size),
    ("library-power", _energy),
    ("synth", _size),
    *((f"{name}-synth", _size) for name in ("ice40", "ecp5", "gowin")),
    ("verify", _tests),
    *((f"{name}netlist", _tests) for name in ("", "library-", "ice40-", "ecp5-", "gowin-")),
    ("prove", _proof),
    ("library-prove", _proof),
    ("mutants", _mutants),
)
