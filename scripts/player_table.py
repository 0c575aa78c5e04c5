"""How fast the player is beside cocotb, as a table: ``python -m cimforge.scripts.player_table``.

Each design plays one and the same job on its own emitted Verilog, by the player and through cocotb,
one after the other; results and cycles must be equal, and results golden's. Rates are those of the
clock on the wall; beside them stand the seconds of processor time, which other work on the machine
disturbs less.
"""

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from cimforge.compiler.backends.rtl import RtlBackend, SimulationError
from cimforge.compiler.player.player_backend import PlayerBackend
from cimforge.compiler.player.player_build import build_player
from cimforge.compiler.precision import Ints, Precision
from cimforge.compiler.tiling import Job, make_job
from cimforge.flow.simulate.simulator import BuildError, Design, build
from cimforge.hdl.emit.output_paths import BUILD
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.scripts.options import OutputPath, print_json

__all__ = ["main"]

HEADS = (
    *("design", "way", "build s", "build CPU s", "cycles", "s", "CPU s"),
    *("kcycles/s", "M MAC/s", "ratio"),
)
VARIANTS = {
    "as emitted": (),
    "latches": ("storage=latch",),
    "twin": ("tree=behavioral",),  # the same ports and cycles, sums left to the simulator
}


class Run(NamedTuple):
    """One design's job, played one way: seconds on the wall, and of processors."""

    design: str
    way: str
    build_seconds: float
    build_cpu: float
    cycles: int
    seconds: float
    cpu: float
    macs: int

    @property
    def rate(self) -> float:
        """Multiply-accumulates a second."""
        return self.macs / self.seconds

    def row(self, beside: float) -> tuple[str, ...]:
        """As the table shows it, with the ratio of rates to that of the way ``beside``."""
        return (
            *(self.design, self.way, f"{self.build_seconds:.1f}", f"{self.build_cpu:.1f}"),
            *(f"{self.cycles}", f"{self.seconds:.2f}", f"{self.cpu:.2f}"),
            *(f"{self.cycles / self.seconds / 1e3:.1f}", f"{self.rate / 1e6:.2f}"),
            f"{self.rate / beside:.1f}",
        )


def drawn_job(config: MacroConfig, batch: int, tiles: int) -> Job:
    """Signed operands of full precision, seeded: ``tiles`` sets of weights, ``batch`` vectors."""
    rng = np.random.default_rng(0)
    shapes = ((batch, config.rows), (config.rows, tiles * config.modes[0].outputs))
    bits = (config.input_bits, config.weight_bits)
    x, w = (
        rng.integers(-(1 << (b - 1)), 1 << (b - 1), shape)
        for b, shape in zip(bits, shapes, strict=True)
    )
    return make_job(config, x, w, Precision(bits[0], True), Precision(bits[1], True))


def played(config: MacroConfig, folder: Path, job: Job, way: str) -> tuple[Run, Ints]:
    """The job on the macro in ``folder``. Raises ClickException where results are not golden's."""
    design = Design.emitted(config, folder)
    marks = [_now()]
    backend: PlayerBackend | RtlBackend
    if way == "player":
        build_player(design, announce=_say)
        backend = PlayerBackend(folder, _say)
    else:
        build(design, "verilator", announce=_say)
        backend = RtlBackend(folder, announce=_say)
    marks.append(_now())
    results = backend.run_job(config, job)
    marks.append(_now())
    if not backend.bit_exact:
        raise click.ClickException(f"{config.module}, {way}: results differ from golden's")
    (wall, cpu), (_, simulated) = (
        (after[0] - before[0], after[1] - before[1]) for before, after in pairwise(marks)
    )
    ran = (backend.cycles, backend.seconds, simulated, backend.macs)
    return Run(config.module, way, wall, cpu, *ran), results


def _now() -> tuple[float, float]:
    """Seconds on the wall, and of processors in ended child processes."""
    spent = os.times()
    return time.perf_counter(), spent.children_user + spent.children_system


def runs(
    name: str, variants: tuple[str, ...], ways: tuple[str, ...], sizes: tuple[int, int], place: Path
) -> Iterator[tuple[Run, Run]]:
    """Each way of each variant of a preset or file, and the run that it is compared with: cocotb's
    of the same Verilog, of the twin that of its original; where cocotb does not run, the player's
    own. Raises ClickException where one differs from the first in its results or cycles."""
    first: tuple[int, Ints] | None = None
    beside: Run | None = None
    for variant in variants:
        config = load_config(name, VARIANTS[variant])
        emit_macro(config, place / config.module)
        job = drawn_job(config, *sizes)
        for way in ways if variant != "twin" else ("player",):
            run, results = played(config, place / config.module, job, way)
            first = first or (run.cycles, results)
            if run.cycles != first[0] or not np.array_equal(results, first[1]):
                raise click.ClickException(f"{run.design}, {way}: not what the first run gave")
            beside = run if beside is None or way == ways[0] != "player" else beside
            yield run, beside


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command()
@click.option("--design", "designs", multiple=True, default=("base", "wide"), show_default=True)
@click.option("--batch", type=click.IntRange(1), default=500, show_default=True)
@click.option("--tiles", type=click.IntRange(1), default=2, show_default=True)
@click.option("--latch", is_flag=True, help="Also with weights in latches.")
@click.option("--twin", is_flag=True, help="Also a macro of the same cycles, trees as sums.")
@click.option("--no-cocotb", is_flag=True, help="The player alone.")
@click.option("-o", "--output", type=OutputPath(), help="Where to build.  [default: build/player]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def main(
    designs: tuple[str, ...],
    batch: int,
    tiles: int,
    latch: bool,
    twin: bool,
    no_cocotb: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Play one job on each design by the player and by cocotb, and print how long it took."""
    variants = ("as emitted", *["twin"] * twin, *["latches"] * latch)
    ways = ("player",) if no_cocotb else ("cocotb", "player")
    folder, told = output or Path(BUILD) / "player", []
    if not as_json:
        for row in (HEADS, ("---",) * len(HEADS)):
            click.echo(f"| {' | '.join(row)} |")
    try:
        for design in designs:
            for run, beside in runs(design, variants, ways, (batch, tiles), folder):
                told.append(run._asdict())
                if not as_json:
                    click.echo(f"| {' | '.join(run.row(beside.rate))} |")
    except (InputError, BuildError, SimulationError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        print_json({"batch": batch, "tiles": tiles, "runs": told})


if __name__ == "__main__":
    main()
