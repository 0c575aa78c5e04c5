"""The key of a point: a hash of all that decides its figures, and of nothing else."""

import hashlib
import shutil
import subprocess
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from cimforge.explore.points import Point
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.synth.static_timing import STA
from cimforge.flow.synth.targets import LIBERTY

__all__ = ["mapping_target", "point_key", "timing_release"]

HARDWARE = ("params", "netlist", "arith", "cells", "macro")  # packages of hdl
METRICS = "metrics.py"  # the formulas of the figures


def mapping_target(point: Point) -> MappingTarget:
    """What its blocks are mapped to."""
    return MappingTarget(point.target.kind, point.target.libraries)


def point_key(point: Point) -> str:
    """SHA-256, 24 digits: the parameters without the name (MacroConfig.digest), the target with its
    libraries' text (MappingTarget.digest), the text of what generates the hardware, and the
    releases of Amaranth and OpenSTA. The same on every machine. Raises InputError."""
    target = mapping_target(point)
    timing = timing_release() if target.kind == LIBERTY else ""
    told = (point.config.digest, target.digest, _hardware(), version("amaranth"), timing)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:24]


@cache
def _hardware() -> str:
    digest = hashlib.sha256(files("cimforge.explore").joinpath(METRICS).read_bytes())
    for package in HARDWARE:
        found = {each.name: each for each in files(f"cimforge.hdl.{package}").iterdir()}
        for name in sorted(name for name in found if name.endswith((".py", ".v"))):
            digest.update(name.encode() + found[name].read_bytes())
    return digest.hexdigest()


@cache
def timing_release() -> str:
    """What OpenSTA calls itself; empty without it."""
    program = shutil.which(STA)
    if program is None:
        return ""
    try:
        told = subprocess.run(
            (program, "-version"), capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()
