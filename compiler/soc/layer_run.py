"""Runs a layer's program on a simulated system: cycles, utilisation, and whether it is right."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.soc.layer_program import LayerProgram
from cimforge.compiler.soc.soc_backend import SocTarget
from cimforge.flow.simulate.simulator import build, run_tests

__all__ = ["run_layer"]

PLAY = "cimforge.compiler.soc.layer_play"
SOURCES = ("layer.c",)
CYCLES_A_WORD = 80  # that the core makes or copies, and more of the engine's cycles than a word has


def run_layer(
    target: SocTarget,
    program: LayerProgram,
    folder: Path,
    announce: Callable[[str], None] = print,
) -> dict[str, Any]:
    """What the system tells: ``cycles`` from the queue's start to its end, ``busy`` those that the
    engine counted, ``computing`` those in which its array computed, ``utilisation`` the share of
    these in ``cycles``, ``predicted`` the planner's cycles, ``macs``, and ``exact``: the results
    have golden's digest.

    Raises SimulationError where the simulation fails or the program refuses, and as
    ``target.build_program`` does.
    """
    work = Path(mkdtemp(prefix="layer-", dir=folder)).resolve()
    announce("compiling the program")
    target.build_program(work, SOURCES, program.source(), program.plan.end - target.ram)
    build(target.design, "verilator", announce=announce)
    announce(f"simulating {target.design.top}")
    patience = program.plan.cycles + CYCLES_A_WORD * (program.plan.end - target.ram)
    job = {"outputs": str(work / "told.json"), "divisor": target.divisor, "seed": program.seed}
    job["patience_bytes"] = patience // (10 * target.divisor)
    ending = run_tests(target.design, "verilator", [PLAY], work, job=job)
    if not (said := work / "told.json").exists():
        raise SimulationError(work / "sim.log", ending)
    word, *numbers = json.loads(said.read_text())["line"] or ["nothing"]
    if word != "layer" or len(numbers) != 4:
        raise SimulationError(work / "sim.log", f"it says {' '.join((word, *numbers))!r}")
    cycles, busy, computing, digest = map(int, numbers)
    shutil.rmtree(work)
    return {
        **{"inputs": program.inputs, "outputs": program.outputs, "batch": program.batch},
        **{"cycles": cycles, "busy": busy, "computing": computing, "macs": program.macs},
        **{"utilisation": round(computing / cycles, 4), "predicted": program.plan.cycles},
        **{"exact": digest == program.digest, "seed": program.seed},
    }
