"""Metrics of a point: what each is, in which unit, and which measurement it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cimforge.flow.synth.census import BREAKDOWN
from cimforge.hdl.params.config import MacroConfig

__all__ = [
    *(
        "METRICS",
        "NETWORK",
        "PERIOD",
        "SIZE",
        "Metric",
        "figures_of",
        "needed",
        "network_figures_of",
    ),
]

# Measurements; metrics of none follow from the parameters.
SIZE, PERIOD, NETWORK = "size", "period", "network"
Raw = Mapping[str, float]


@dataclass(frozen=True)
class Metric:
    """A number of a point. ``needs`` are measurements of SIZE, PERIOD and NETWORK; ``of`` makes it
    of the configuration and of what was measured (flow/shared_blocks: ``total``, roles, ``ffs`` and
    ``period``; network_plans: ``network_cycles``, ``network_cells``, ``network_room``). A ``unit``
    of "size" is the target's: um2, LUT sites or cells."""

    unit: str
    needs: frozenset[str]
    of: Callable[[MacroConfig, Raw], float]
    about: str


def _tera_operations(config: MacroConfig, raw: Raw) -> float:
    """Binary tera-operations a second, full precision, two a 1b-MAC: ``2 rows cols weight_bits
    input_bits / (cycles_per_pass period)``, period in ns; as ``cimforge synth`` tells."""
    macs = config.rows * config.cols * config.weight_bits * config.input_bits
    return 2 * macs / (config.cycles_per_pass() * raw["period"]) / 1000


def _metric(unit: str, about: str, of: Callable[[MacroConfig, Raw], float], *needs: str) -> Metric:
    return Metric(unit, frozenset(needs), of, about)


def _role(role: str) -> Metric:
    return _metric("size", f"what serves {role} alone", lambda config, raw: raw[role], SIZE)


METRICS: dict[str, Metric] = {
    "area": _metric(
        "size", "all cells: um2 on a library, LUT sites, or cells", lambda c, r: r["total"], SIZE
    ),
    **{f"area_{role}": _role(role) for role in BREAKDOWN},
    "area_per_mac": _metric(
        "size", "area by 1b-MACs a cycle", lambda c, r: r["total"] / c.macs_1b, SIZE
    ),
    "flip_flops": _metric("cells", "flip-flops", lambda c, r: r["ffs"], SIZE),
    "period": _metric("ns", "shortest clock period", lambda c, r: r["period"], PERIOD),
    "fmax": _metric("MHz", "highest clock", lambda c, r: 1000 / r["period"], PERIOD),
    "tops": _metric("TOPS", "binary, two a 1b-MAC, at that clock", _tera_operations, PERIOD),
    "tops_per_mm2": _metric(
        "TOPS/mm2",
        "tops by area of cells",
        lambda c, r: _tera_operations(c, r) / (r["total"] * 1e-6),
        *(SIZE, PERIOD),
    ),
    "macs_1b": _metric("1b-MAC", "1-bit products a cycle", lambda c, r: c.macs_1b),
    "capacity": _metric(
        "bit", "weights held", lambda c, r: c.rows * c.cols * c.weight_bits * c.banks
    ),
    "latency": _metric("cycles", "of a pass of full precision", lambda c, r: c.latency()),
    "cycles": _metric("cycles", "that such a pass takes", lambda c, r: c.cycles_per_pass()),
    "network_cycles": _metric(
        "cycles",
        "of an item of the network on one macro, weights loaded",
        lambda c, r: r["network_cycles"],
        NETWORK,
    ),
    "network_use": _metric(
        "share",
        "of the tiles' cells that hold a weight of the network",
        lambda c, r: r["network_cells"] / r["network_room"] if r["network_room"] else 0.0,
        NETWORK,
    ),
    "network_time": _metric(
        "us",
        "of these cycles at the shortest period",
        lambda c, r: r["network_cycles"] * r["period"] / 1000,
        *(NETWORK, PERIOD),
    ),
}


def needed(names: set[str]) -> frozenset[str]:
    """The measurements that these metrics need."""
    return frozenset().union(*(METRICS[name].needs for name in names))


def figures_of(config: MacroConfig, raw: Raw, measured: frozenset[str]) -> dict[str, float]:
    """Every metric that follows from what was ``measured``, in the order of METRICS."""
    return {
        name: metric.of(config, raw) for name, metric in METRICS.items() if metric.needs <= measured
    }


def network_figures_of(config: MacroConfig, raw: Raw) -> dict[str, float]:
    """The metrics of a network that follow from its plan and a point's figures, both in ``raw``."""
    known = {NETWORK, PERIOD} if "period" in raw else {NETWORK}
    return {
        name: metric.of(config, raw)
        for name, metric in METRICS.items()
        if NETWORK in metric.needs and metric.needs <= known
    }
