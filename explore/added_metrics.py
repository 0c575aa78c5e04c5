"""Metrics of measurements by themselves: energy, a board, a network, approximate trees, Verilog."""

from cimforge.explore.metric import (
    ANSWERS,
    CHECKED,
    LABELS,
    NETWORK,
    PERIOD,
    PLACED,
    POWER,
    TREE_ERROR,
    Metric,
    metric,
)

__all__ = ["ADDED"]


def _told(name: str, unit: str, about: str, *needs: str) -> Metric:
    """A metric that a measurement tells as it is."""
    return metric(unit, about, lambda config, raw: raw[name], *needs)


ADDED: dict[str, Metric] = {
    "energy_per_mac": _told(
        "energy_per_mac", "fJ", "dynamic, a 1b-MAC, as cimforge power measures it", POWER
    ),
    "tops_per_w": _told(
        "tops_per_w", "TOPS/W", "binary, two a 1b-MAC, leakage included, at that clock", POWER
    ),
    "gops": _told("gops", "GOPS", "int8, at the board's clock; 0 where Fmax is below it", PLACED),
    "gops_fmax": _told("gops_fmax", "GOPS", "int8, at Fmax", PLACED),
    "board_luts": _told("board_luts", "luts", "of the whole SoC on the board", PLACED),
    "board_rams": _told("board_rams", "blocks", "block RAMs of the SoC on the board", PLACED),
    "network_cycles": _told(
        "network_cycles",
        "cycles",
        "of an item of the network on one macro, weights loaded",
        NETWORK,
    ),
    "network_use": metric(
        "share",
        "of the tiles' cells that hold a weight of the network",
        lambda c, r: r["network_cells"] / r["network_room"] if r["network_room"] else 0.0,
        NETWORK,
    ),
    "network_time": metric(
        "us",
        "of these cycles at the shortest period",
        lambda c, r: r["network_cycles"] * r["period"] / 1000,
        *(NETWORK, PERIOD),
    ),
    "accuracy": _told(
        "accuracy", "share", "of the items whose answer is the label", *(ANSWERS, LABELS)
    ),
    "agreement": _told(
        "agreement", "share", "of the items whose answer is that of exact products", ANSWERS
    ),
    **{
        f"{name}{sign}": _told(f"{name}{sign}", "share", f"{about}, {kind}", TREE_ERROR)
        for sign, kind in (("", "unsigned"), ("_signed", "signed"))
        for name, about in (
            ("error_mred", "mean of |error| by |result|"),
            ("error_nmed", "mean of |error| by the largest result"),
            ("error_bias", "mean of error by the largest result"),
        )
    },
    "checked": _told("checked", "0 or 1", "whether the Verilog passes a short regression", CHECKED),
}
