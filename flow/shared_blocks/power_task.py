"""What a process does for a sweep that asks for energy: cimforge power of a macro, at its
defaults."""

import shutil
from pathlib import Path

from cimforge.flow.power.power_report import measure_power
from cimforge.flow.power.toggle_run import WrongResultsError
from cimforge.flow.power.workload import drawn_workload
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.simulate.bounded_run import CommandError
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["measure_energy"]

DATA, VECTORS, SEED = "uniform", 200, 0  # those of the verb where nothing is asked for


def measure_energy(
    config: MacroConfig, target: MappingTarget, folder: Path
) -> dict[str, float] | str:
    """``energy_per_mac`` (fJ a 1b-MAC, dynamic) and ``tops_per_w`` of a macro on a library, or why
    there are none: back-to-back uniform vectors at 1.1 times the longest path, without wires, in
    the corner of the library's file. The folder is removed."""
    try:
        emit_macro(config, folder)
        report = measure_power(
            config,
            folder,
            drawn_workload(config, DATA, VECTORS, SEED),
            liberty=target.libraries,
            announce=lambda text: None,
        )
    except (YosysError, CommandError, WrongResultsError, InputError) as error:
        return str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"energy_per_mac": report.per_mac, "tops_per_w": report.tops_per_w}
