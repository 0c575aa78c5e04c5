"""The naive macro through the same tools as the generated one."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from cimforge.flow.liberty.leaf_cells import choose_cells
from cimforge.flow.liberty.library import read_library
from cimforge.flow.naive.naive_macro import naive_verilog
from cimforge.flow.synth.static_timing import TimingError, analyse_timing
from cimforge.flow.synth.synth_report import NO_PERIOD, SynthReport
from cimforge.flow.synth.synthesis import map_to_library, synthesise
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.emit.outputs import CELLS, MANIFEST
from cimforge.hdl.params.config import MacroConfig

__all__ = ["synth_naive", "write_naive"]


def write_naive(config: MacroConfig, folder: Path) -> Path:
    """Write the naive macro of ``config`` and what the synthesis flow wants beside it; its file."""
    text = naive_verilog(config)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{config.module}.v"
    path.write_text(text)
    (folder / CELLS).write_text("")
    (folder / MANIFEST).write_text(json.dumps({"modules": [config.module]}))
    return path


def synth_naive(
    config: MacroConfig,
    folder: Path,
    target: str,
    *,
    liberty: Sequence[Path] = (),
    announce: Callable[[str], None] = print,
) -> SynthReport:
    """Synthesise the naive macro of ``config`` for ``target`` as ``synth_macro`` does the generated
    one: same scripts, same clock gating, same mapper, same timing. One module has no roles.

    Raises InputError where ``config`` has no naive macro, YosysError where Yosys fails.
    """
    started = time.perf_counter()
    write_naive(config, folder)
    announce(f"synthesising a naive {config.module}")
    measure = _on_library if target == LIBERTY else _on_target
    report = measure(config, folder, target, liberty)
    report.seconds = time.perf_counter() - started
    return report


def _on_target(
    config: MacroConfig, folder: Path, target: str, liberty: Sequence[Path]
) -> SynthReport:
    netlist = synthesise(config, folder, target, flatten=True)
    spec, kinds = TARGETS[target], _kinds(netlist.modules[netlist.top])
    total = sum(spec.size(kind) * count for kind, count in kinds.items())
    ffs = sum(count for kind, count in kinds.items() if spec.is_flip_flop(kind))
    return SynthReport(config, target, spec.unit, total, ffs, {}, folder=netlist.folder)


def _on_library(
    config: MacroConfig, folder: Path, target: str, liberty: Sequence[Path]
) -> SynthReport:
    library = read_library(*liberty)
    netlist = map_to_library(
        config, folder, library, choose_cells(library, latches=False), flatten=True
    )
    kinds = _kinds(netlist.modules[netlist.top])
    total = sum(library.cells[kind].area * count for kind, count in kinds.items())
    ffs = sum(count for kind, count in kinds.items() if library.cells[kind].ff is not None)
    report = SynthReport(config, target, "um2", total, ffs, {}, folder=netlist.folder)
    report.libraries = tuple(liberty)
    try:
        report.timing = analyse_timing(config, netlist, library)
    except TimingError as error:
        report.notes.append(f"{NO_PERIOD}: {error}")
    return report


def _kinds(module) -> Counter:
    return Counter(
        cell["type"] for cell in module["cells"].values() if not cell["type"].startswith("$scope")
    )
