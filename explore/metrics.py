"""Metrics of a point: what each is, in which unit, and which measurement it needs."""

from cimforge.explore.added_metrics import ADDED
from cimforge.explore.metric import LIBRARY, PERIOD, SIZE, Metric, Raw, metric
from cimforge.flow.synth.census import BREAKDOWN
from cimforge.hdl.params.config import MacroConfig

__all__ = ["METRICS", "added_figures_of", "figures_of", "needed"]


def _tera_operations(config: MacroConfig, raw: Raw) -> float:
    """Binary tera-operations a second, full precision, two a 1b-MAC: ``2 rows cols weight_bits
    input_bits / (cycles_per_pass period)``, period in ns; as ``cimforge synth`` tells."""
    macs = config.rows * config.cols * config.weight_bits * config.input_bits
    return 2 * macs / (config.cycles_per_pass() * raw["period"]) / 1000


def _role(role: str) -> Metric:
    return metric("size", f"what serves {role} alone", lambda config, raw: raw[role], SIZE)


METRICS: dict[str, Metric] = {
    "area": metric(
        "size", "all cells: um2 on a library, LUT sites, or cells", lambda c, r: r["total"], SIZE
    ),
    **{f"area_{role}": _role(role) for role in BREAKDOWN},
    "area_per_mac": metric(
        "size", "area by 1b-MACs a cycle", lambda c, r: r["total"] / c.macs_1b, SIZE
    ),
    "ram_cells": metric(
        "cells",
        "an FPGA's RAM cells of any kind, which no area counts",
        lambda c, r: r["rams"],
        SIZE,
    ),
    "flip_flops": metric("cells", "flip-flops", lambda c, r: r["ffs"], SIZE),
    "period": metric("ns", "shortest clock period", lambda c, r: r["period"], PERIOD),
    "fmax": metric("MHz", "highest clock", lambda c, r: 1000 / r["period"], PERIOD),
    "tops": metric("TOPS", "binary, two a 1b-MAC, at that clock", _tera_operations, PERIOD),
    "tops_per_mm2": metric(
        "TOPS/mm2",
        "tops by area of cells",
        lambda c, r: _tera_operations(c, r) / (r["total"] * 1e-6),
        *(SIZE, PERIOD, LIBRARY),
    ),
    "macs_1b": metric("1b-MAC", "1-bit products a cycle", lambda c, r: c.macs_1b),
    "capacity": metric(
        "bit", "weights held", lambda c, r: c.rows * c.cols * c.weight_bits * c.banks
    ),
    "latency": metric("cycles", "of a pass of full precision", lambda c, r: c.latency()),
    "cycles": metric("cycles", "that such a pass takes", lambda c, r: c.cycles_per_pass()),
    **ADDED,
}


def needed(names: set[str]) -> frozenset[str]:
    """The measurements that these metrics need."""
    return frozenset().union(*(METRICS[name].needs for name in names))


def figures_of(config: MacroConfig, raw: Raw, measured: frozenset[str]) -> dict[str, float]:
    """Every metric that follows from what was ``measured``, in the order of METRICS."""
    return {
        name: metric.of(config, raw) for name, metric in METRICS.items() if metric.needs <= measured
    }


def added_figures_of(
    config: MacroConfig, figures: Raw, raw: Raw, known: frozenset[str]
) -> dict[str, float]:
    """The metrics beyond ``figures`` that follow from them, and from what was ``known`` by
    measurements by themselves, ``raw``."""
    told = {**figures, **raw}
    return {
        name: metric.of(config, told)
        for name, metric in METRICS.items()
        if name not in figures and metric.needs <= known
    }
