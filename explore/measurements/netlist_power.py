"""The measurement of a macro's energy on a library: that of cimforge power, at its defaults."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cimforge.compiler.precision import check_integers
from cimforge.explore.measurements.measurement import Measurement, Task
from cimforge.explore.source_digest import HARDWARE, content_key, release, source_digest
from cimforge.flow.power.toggle_run import check_icarus
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.shared_blocks.power_task import measure_energy
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

if TYPE_CHECKING:
    from cimforge.explore.points import Point
    from cimforge.explore.sweep import Sweep

__all__ = ["NETLIST_POWER"]


def _key(sweep: "Sweep", point: "Point") -> str:
    text = source_digest(*HARDWARE, "flow.power", "flow.simulate", "golden")
    told = (point.config.digest, _target(point).digest, text, release("amaranth"))
    return content_key("power", *told, _icarus_release())


def _task(sweep: "Sweep", point: "Point", folder: Path) -> Task:
    return measure_energy, (point.config, _target(point), folder)


def _target(point: "Point") -> MappingTarget:
    return MappingTarget(point.target.kind, point.target.libraries)


def _refuse(config: MacroConfig) -> None:
    """As cimforge power does."""
    check_integers(config, "power")
    if config.storage_traits.memory:
        rule = f"no cell library tells the energy of the RAMs of storage {config.storage}"
        raise InputError(f"power: {rule}")


def _check(sweep: "Sweep") -> None:
    check_icarus()


@cache
def _icarus_release() -> str:
    """The first line of what Icarus says of itself; empty without it."""
    program = shutil.which("iverilog")
    if program is None:
        return ""
    told = subprocess.run((program, "-V"), capture_output=True, text=True, timeout=60, check=False)
    return next(iter(told.stdout.splitlines()), "")


NETLIST_POWER = Measurement(_key, _task, 3, ("icarus",), _refuse, _check)
