"""What the optimiser of sweeps is worth: its front and that of chance, against the whole grid's.

``python -m cimforge.scripts.search_gain SWEEP.toml`` measures every point of the grid once (kept in
the store), then searches it with several seeds: shares of the area that the front of all beats."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from cimforge.explore.optimiser import optimise
from cimforge.explore.pareto import beaten_area
from cimforge.explore.points import Point, list_points
from cimforge.explore.result_store import STORE, ResultStore
from cimforge.explore.run_sweep import Measured, run_sweep
from cimforge.explore.sweep import GRID, MAXIMISE, OPTIMISE, RANDOM, Sweep
from cimforge.explore.sweep_file import read_sweep
from cimforge.explore.workers import Workers
from cimforge.hdl.params.config_file import InputError
from cimforge.scripts.explore import FOLDER
from cimforge.scripts.options import print_json, show_table

__all__ = ["search_gain"]


@click.command()
@click.argument("sweep", metavar="SWEEP.toml", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=FOLDER)
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def search_gain(sweep: Path, output: Path, seeds: int, as_json: bool) -> None:
    """Compare the search of SWEEP.toml, two objectives on one target, with chance."""
    read = read_sweep(sweep)
    if len(read.objectives) != 2 or len(read.targets) != 1 or not read.samples:
        rule = "two objectives, one target and samples are compared"
        raise InputError(f"{sweep}: {rule}, not {len(read.objectives)} and {len(read.targets)}")
    with ResultStore(output / STORE) as store, Workers(len(os.sched_getaffinity(0))) as workers:

        def measure(points: Sequence[Point], *progress: object) -> list[Measured]:
            return run_sweep(read, points, store, output, workers)

        every = [m for m in measure(list_points(replace(read, search=GRID)).points) if not m.why]
        whole = _beaten(read, every, every)
        shares: dict[str, list[float]] = {OPTIMISE: [], RANDOM: []}
        for seed in range(seeds):
            chosen = optimise(replace(read, search=OPTIMISE, seed=seed), measure)[1]
            drawn = list_points(replace(read, search=RANDOM, seed=seed)).points
            shares[OPTIMISE].append(_beaten(read, chosen, every) / whole)
            shares[RANDOM].append(_beaten(read, measure(drawn), every) / whole)
    told = {name: [round(share, 3) for share in each] for name, each in shares.items()}
    if as_json:
        print_json({"points": len(every), "samples": read.samples, **told})
        return
    rows = [(name, " ".join(f"{share:.3f}" for share in each)) for name, each in told.items()]
    title = f"{read.samples} of {len(every)} points: share of what the whole front beats"
    show_table(title, rows, ("search", f"seeds 0 to {seeds - 1}"))


def _beaten(sweep: Sweep, measured: Sequence[Measured], every: Sequence[Measured]) -> float:
    """Within the corner of the worst figures of all points."""
    worst = {
        name: (min if way == MAXIMISE else max)(each.figures[name] for each in every)
        for name, way in sweep.objectives.items()
    }
    figures = [each.figures for each in measured if not each.why]
    return beaten_area(figures, sweep.objectives, worst)


if __name__ == "__main__":
    search_gain()
