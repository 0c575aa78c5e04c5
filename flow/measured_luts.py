"""What a macro measures on an FPGA or in generic cells, kept by content: measured once."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.measured_macro import content_key
from cimforge.flow.synth.synth_report import synth_macro
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.emit.outputs import write_file
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config import MacroConfig

__all__ = ["MeasuredLuts", "measure_luts"]


@dataclass(frozen=True)
class MeasuredLuts:
    """A macro on a target of TARGETS: its ``total`` in ``unit`` (LUT sites or cells), flip-flops,
    and RAM blocks by type. Its period is a board's: none here."""

    unit: str
    total: float
    ffs: int
    ram_blocks: dict[str, int]


def measure_luts(
    config: MacroConfig, target: str, store: Path, *, announce: Callable[[str], None] = print
) -> MeasuredLuts:
    """Size of ``config`` on ``target``: from ``store`` where the same content was measured before,
    else by synthesis, and then kept. Raises InputError and YosysError as synth_macro does."""
    folder = store / config.module
    emit_macro(config, folder)
    path = store / "figures" / f"{content_key(config, folder, ())}-{target}.json"
    if found := _read(path):
        return found
    announce(f"synthesising {config.module} for {target}")
    report = synth_macro(config, folder, target, announce=lambda text: None)
    unit = TARGETS[target].unit
    measured = MeasuredLuts(unit, report.total, report.ffs, dict(report.ram_blocks))
    write_file(path, json.dumps(vars(measured), indent=1) + "\n")
    return measured


def _read(path: Path) -> MeasuredLuts | None:
    """What was kept at ``path``; None where there is nothing, or something else."""
    try:
        return MeasuredLuts(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
