"""Functional coverage: groups of named bins that must each be hit once."""

import json
from collections.abc import Hashable, Iterable
from pathlib import Path

from cimforge.golden.cycles import pass_cycles, result_interval
from cimforge.hdl.params.config import MacroConfig

__all__ = ["Coverage", "bins_of", "merge", "rows_class"]

Bins = dict[str, dict[str, int]]


def bins_of(config: MacroConfig) -> dict[str, list[Hashable]]:
    """The bins of each group that a macro of ``config`` can reach.

    A result can only be held back while the next pass is in its first ranks + 1 cycles,
    for it appears that many cycles after its own last plane, and a cycle earlier where it waits in
    the array for the one before it; an unready consumer (``unready``) can meet any cycle.
    """
    precisions = range(1, config.input_bits + 1)
    cycles = range(result_interval(config, config.input_bits))
    signs = ("unsigned", "signed")
    banks = range(config.banks)
    groups: dict[str, list[Hashable]] = {
        "banks": [(active, written) for active in banks for written in banks],
        "unready": list(cycles),
        "stall": list(cycles[: config.result_ranks + (not config.keeps_results)]),
        "reset": list(range(len(cycles) + config.result_ranks + 1)),
        "read": ["idle", "after pass"],
    }
    if config.binary:
        ports = range(1 << config.x_rows_width)
        groups["rows"] = [*{rows_class(config, x_rows): 0 for x_rows in ports}]
    else:
        groups["precision"] = [(b, x, w) for b in precisions for x in signs for w in signs]
    if config.slices > 1:
        fused = [mode.fused for mode in config.modes]
        ways = groups["precision"]
        groups["precision"] = [(*way, f"{f} fused") for way in ways for f in fused]  # type: ignore
        groups["modes"] = [(before, after) for before in fused for after in fused]
        groups["w_fuse"] = [*range(1 << config.w_fuse_width)]
    if config.skips:
        most = [(sign, pass_cycles(config, 0, sign == "signed")) for sign in signs]
        groups["skipped"] = [(skipped, sign) for sign, all_ in most for skipped in range(all_)]
    return groups


def rows_class(config: MacroConfig, x_rows: int) -> str:
    """What an x_rows asks for, of a binary macro."""
    if x_rows in (0, config.rows):
        return "all by name" if x_rows else "all by 0"
    return "all by too many" if x_rows > config.rows else "some"


class Coverage:
    """Counts of each group's bins."""

    def __init__(self, groups: dict[str, list[Hashable]]):
        self.counts: Bins = {
            group: {_key(name): 0 for name in bins} for group, bins in groups.items()
        }

    def hit(self, group: str, name: Hashable) -> None:
        """Count a bin; names that are no bin are ignored."""
        if _key(name) in self.counts[group]:
            self.counts[group][_key(name)] += 1

    def save(self, path: Path, passes: int) -> None:
        """Write the counts, and the number of passes checked, as JSON."""
        path.write_text(json.dumps({"passes": passes, "bins": self.counts}))


def merge(parts: Iterable[Bins]) -> Bins:
    """The sum of several runs' counts."""
    total: Bins = {}
    for part in parts:
        for group, bins in part.items():
            sums = total.setdefault(group, {})
            for name, count in bins.items():
                sums[name] = sums.get(name, 0) + count
    return total


def _key(name: Hashable) -> str:
    return " x ".join(map(str, name)) if isinstance(name, tuple) else str(name)
