"""What ``cimforge run FILE`` reports: one object, one table, one picture."""

import json
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np

from cimforge.compiler.graph.graph import Graph
from cimforge.compiler.map.layer_plan import macros_that_halve
from cimforge.compiler.network.divergence import DivergenceError
from cimforge.compiler.network.expected import DifferenceError
from cimforge.compiler.network.feeds import Feeds
from cimforge.compiler.network.layer_names import short_names_of
from cimforge.compiler.network.network_run import Layer, NetworkRun
from cimforge.compiler.npy import npy_bytes
from cimforge.hdl.emit.outputs import Content
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.install_hint import install_hint
from cimforge.scripts.model_options import Asked
from cimforge.scripts.options import show_table
from cimforge.scripts.way import link_rows

__all__ = ["model_files", "model_report", "show_model"]

WHOSE = {
    "golden": "the golden model",
    "rtl": "the emitted Verilog, simulated",
    "serial": "a board",
    "soc": "the engine of a simulated system",
}
REPORT, PICTURE = "report.json", "layers.svg"


def model_report(
    asked: Asked,
    macro: MacroConfig,
    run: NetworkRun,
    feeds: Feeds,
    times: tuple[float, float],
    failure: Exception | None,
) -> dict[str, Any]:
    """The JSON contract of ``cimforge run FILE``; ``times`` are seconds in all and of the products
    alone."""
    told: dict[str, Any] = {
        "model": asked.model.name,
        "macro": macro.module,
        "macros": run.macros,
        "backend": asked.way.backend,
        "bit_exact": failure is None and (run.exact or not macro.tree_traits.exact),
        "checked": _checked(run, failure),
        "images": run.done_items,
        "macs": run.macs,
        "host_macs": run.host_macs,
        "cycles": run.cycles,
        "seconds": round(times[0], 3),
        "backend_seconds": round(times[1], 3),
        "remarks": list(feeds.remarks),
        "layers": [_layer(layer) for layer in run.layers],
    }
    if failure is not None:
        told["failed"] = str(failure)
    if isinstance(failure, DivergenceError):
        told["divergence"] = failure.divergence.as_json()
    if isinstance(failure, DifferenceError):
        told["difference"] = failure.difference.as_json()
    return told


def _checked(run: NetworkRun, failure: Exception | None) -> bool | None:
    """Whether expected tensors are equal; None where none were given, or not all were reached."""
    if isinstance(failure, DifferenceError):
        return False
    return None if run.expected is None or failure else True


def _layer(layer: Layer) -> dict[str, Any]:
    plan, use = layer.plan, layer.use
    return {
        "name": plan.name,
        "operator": plan.operator,
        "on": "macro" if layer.chosen else "host",
        "k": plan.k,
        "n": plan.n,
        "vectors": plan.vectors,
        "parts": plan.parts,
        "parts_a_tile": plan.together,
        "macs": plan.macs,
        "x_bits": plan.x_bits,
        "w_bits": plan.w_bits,
        "tiles": plan.tiles,
        "passes": plan.passes,
        "utilisation": round(plan.utilisation, 4),
        "predicted_cycles": plan.cycles,
        "cycles": None if use is None else use.cycles,
        "pass_cycles": None if use is None else use.pass_cycles,
        "weight_bytes": plan.weight_bytes,
        "input_bytes": plan.input_bytes,
        "result_bytes": plan.result_bytes,
        "sum_bytes": plan.sum_bytes,
    }


def model_files(
    graph: Graph, report: dict[str, Any] | None = None, run: NetworkRun | None = None
) -> dict[str, Content]:
    """The files of a run by name: report, outputs, and the picture where matplotlib is here; the
    report alone where the ``run`` was not whole, names alone before it."""
    outputs = "y.npy" if len(graph.outputs) == 1 else "y.npz"
    if report is None:
        return {REPORT: "", outputs: "", PICTURE: ""}
    files: dict[str, Content] = {REPORT: json.dumps(report, indent=2) + "\n"}
    if run is None:
        return files
    arrays = {name: _stored(graph, name, array) for name, array in run.outputs.items()}
    if outputs.endswith(".npy"):
        files[outputs] = npy_bytes(next(iter(arrays.values())))
    else:
        file = BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        files[outputs] = file.getvalue()
    if report["layers"]:
        try:
            picture = import_module("cimforge.compiler.network.layer_picture")
        except ModuleNotFoundError as error:
            report["remarks"].append(f"no picture: needs {error.name}; {install_hint('networks')}")
        else:
            files[PICTURE] = picture.draw_layers(report)
    return files


def _stored(graph: Graph, name: str, array: np.ndarray) -> np.ndarray:
    """In the kind that the model gives, where NumPy has it."""
    kind = graph.tensors[name].kind
    return array.astype(kind) if kind in np.sctypeDict else array


def show_model(
    asked: Asked,
    macro: MacroConfig,
    run: NetworkRun,
    report: dict[str, Any],
    below: list[tuple[str, object]],
) -> None:
    """The table of layers, and what there is of the whole run."""
    alone = "predicted" if asked.way.backend in ("rtl", "golden") else "macros alone"
    header = ("", "layer", "operator", "products", "MACs", "tiles", "used", "cycles", alone)
    names = short_names_of([layer.plan.name for layer in run.layers])
    rows = [
        _row(place, name, layer)
        for place, (name, layer) in enumerate(zip(names, run.layers, strict=True))
    ]
    total = sum(layer.plan.cycles for layer in run.layers if layer.use)
    rows.append(("", "all", "", "", f"{run.macs:,}", "", "", f"{run.cycles:,}", f"{total:,}"))
    several = f" x {run.macros}" if run.macros > 1 else ""
    show_table(f"{asked.model.name} on {macro.module}{several}", rows, header)
    check = {None: "not reached", True: "equal", False: "DIFFERS"}[report["checked"]]
    kept = report["kept_jobs"]
    rows = [
        ("items", f"{report['images']}"),
        *(("remark", text) for text in report["remarks"]),
        ("sums equal to golden's and NumPy's", _sums(macro, run, report)),
        ("expected values", check if run.expected else "not asked for (--check)"),
        *_half(run, report),
        *([("kept from a run that was cut off", f"{kept} jobs")] if kept else []),
        ("run on", WHOSE.get(asked.way.backend, asked.way.backend)),
        ("time", _time(report)),
        *link_rows(report),
    ]
    show_table("", rows, below=below)


def _sums(macro: MacroConfig, run: NetworkRun, report: dict[str, Any]) -> str:
    """Whether every sum of the layers that ran is right."""
    if "divergence" in report:
        return "NO"
    if run.exact:
        return "yes" if report["images"] else "those that there are"
    return "NO" if macro.tree_traits.exact else "golden's yes, NumPy's no: the tree is approximate"


def _half(run: NetworkRun, report: dict[str, Any]) -> list[tuple[str, str]]:
    """What would halve the cycles, of macros that work alone."""
    if run.macros > 1 or not report["images"] or report["backend"] not in ("rtl", "golden"):
        return []
    found = macros_that_halve(run.graph, run.config, report["images"], run.worker.chosen)
    told = f"--macros {found[0]}: {found[1]:,}" if found else "not by up to 32 macros side by side"
    return [("half the cycles", told)]


def _time(report: dict[str, Any]) -> str:
    """Seconds, and the rate of the network's own multiply-accumulates."""
    inner = report["backend_seconds"]
    rate = f", {report['macs'] / inner / 1e6:,.1f} M MAC/s" if inner and report["macs"] else ""
    return f"{report['seconds']:.1f} s, of which {inner:.1f} s in products{rate}"


def _row(place: int, name: str, layer: Layer) -> tuple[str, ...]:
    plan, use = layer.plan, layer.use
    unused = "not run" if layer.chosen else "host"
    parts = f"{plan.parts:,} x " if plan.parts > 1 else ""
    shared = f", {plan.together} a tile" if plan.together > 1 else ""
    size = f"{parts}({plan.vectors:,} x {plan.k}) ({plan.k} x {plan.n}){shared}"
    cycles = unused if use is None else f"{use.cycles:,}"
    counts = (f"{plan.macs:,}", f"{plan.tiles:,}", f"{plan.utilisation:.0%}")
    return (str(place), name, plan.operator, size, *counts, cycles, f"{plan.cycles:,}")
