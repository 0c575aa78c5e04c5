"""From a macro to a bitstream: Yosys, nextpnr and the packer of a board."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.board import Board
from cimforge.flow.critical_path import critical_path
from cimforge.flow.families import FAMILIES, Family, constraints_text
from cimforge.flow.placer_run import program, run_tool
from cimforge.flow.synth.static_timing import Step
from cimforge.flow.synth.synthesis import chain_commands, fold_commands
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.netlist.module import Module, behavioural_models, distinct_modules
from cimforge.hdl.netlist.yosys import run_yosys
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint
from cimforge.hdl.params.storage import FPGA

__all__ = ["build_bitstream", "check_tools"]

SEEDS = (1,)
NETLIST, UNMAPPED, REPORT = "netlist.json", "unmapped.json", "report.json"


def build_bitstream(
    top: Module,
    folder: Path,
    name: str,
    board: Board,
    announce: Callable[[str], None] = print,
    seeds: Sequence[int] = SEEDS,
) -> BitstreamReport:
    """Build ``top``, whose sources TOP.f in ``folder`` lists, to a bitstream there.

    It is placed and routed with each of the placer's ``seeds``, and the fastest is packed, so equal
    input gives an equal bitstream. Raises InputError where the design does not fit the device or
    the device has no such pin, FlowError or YosysError where a tool fails otherwise.
    """
    started = time.perf_counter()
    work, family = folder / "fpga" / name, FAMILIES[board.family]
    work.mkdir(parents=True, exist_ok=True)
    files = family.names(name, seeds[0])
    announce(f"synthesising {top.name} for {board.device}")
    _synthesise(top, folder, work, family)
    (work / files["pins"]).write_text(constraints_text(board))
    reports = {}
    for seed in seeds:
        told = f" with seed {seed}" if len(seeds) > 1 else ", some minutes for a large macro"
        announce(f"placing and routing {top.name} on {board.device}{told}")
        reports[seed] = _place(work, board, family, name, seed, announce)
    fmax = {seed: _fmax(report) for seed, report in reports.items()}
    best = max(fmax, key=lambda seed: fmax[seed])
    announce("packing the bitstream")
    files = family.names(name, best)
    run_tool(work, family.packer, *board.pack, *(word.format(**files) for word in family.pack))
    use = _utilisation(reports[best], work, family)
    bitstream, path = work / files["bitstream"], _critical_path(reports[best], work, top)
    seconds = time.perf_counter() - started
    return BitstreamReport(name, board.device, bitstream, fmax, **use, seconds=seconds, path=path)


def check_tools(board: Board) -> None:
    """Raise InputError, naming the way to get them, where the board's programs are not here."""
    family = FAMILIES[board.family]
    for tool in (family.placer, family.packer):
        if not program(tool).exists():
            raise InputError(f"{tool} is not installed; run {install_hint('fpga')}")


def _synthesise(top: Module, folder: Path, work: Path, family: Family) -> None:
    """One flat netlist of the board's top, as JSON; blocks of the device stay what they are."""
    sources = (folder / f"{top.name}.f").read_text().split()
    models = behavioural_models(distinct_modules(top))
    verilog = [source for source in sources if source.endswith(".v") and source not in models]
    for source in verilog:
        (work / source).write_text((folder / source).read_text())
    script = [
        f"read_verilog {' '.join(verilog)}",
        *fold_commands(FPGA[0], work),
        f"hierarchy -top {top.name}",  # cells of the device are read with its library
        *chain_commands(FPGA[0], work),  # every family has carry chains
        *family.synthesis(top.name, UNMAPPED),
        f"write_json {NETLIST}",
    ]
    run_yosys("\n".join(script) + "\n", work)


def _place(
    work: Path,
    board: Board,
    family: Family,
    name: str,
    seed: int,
    announce: Callable[[str], None],
) -> dict[str, Any]:
    """What the placer reports of a run."""
    files = family.names(name, seed)
    common = ("--json", NETLIST, "--report", REPORT, "--seed", str(seed))
    words = (word.format(**files) for word in (*family.constrain, *family.write))
    clock = ("--freq", f"{board.clock_hz / 1e6:g}", "--timing-allow-fail")  # the caller judges
    arguments = (*board.place, *common, *clock, *family.options, *words)
    run_tool(work, family.placer, *arguments, announce=announce)
    return json.loads((work / REPORT).read_text())


def _fmax(report: dict[str, Any]) -> float:
    """The slowest clock's frequency in MHz."""
    return min(clock["achieved"] for clock in report["fmax"].values())


def _utilisation(report: dict[str, Any], work: Path, family: Family) -> dict[str, Any]:
    """Cells used, and those there are."""
    use = report["utilization"]
    available = {kind: entry["available"] for kind, entry in use.items()}
    return {
        "luts": family.used(use, family.luts),
        "ffs": family.used(use, family.ffs) if family.ffs else _flip_flops(work, family),
        "brams": family.used(use, family.rams) // family.ram_size,
        "capacity": {
            "luts": available[family.luts[0]],
            "brams": sum(available.get(kind, 0) for kind in family.rams) // family.ram_size,
        },
    }


def _critical_path(report: dict[str, Any], work: Path, top: Module) -> list[Step]:
    netlist, unmapped = (
        json.loads((work / name).read_text())["modules"][top.name] for name in (NETLIST, UNMAPPED)
    )
    sources = {path.name: path.read_text() for path in work.glob("*.v")}
    return critical_path(report, netlist, unmapped, sources, top)


def _flip_flops(work: Path, family: Family) -> int:
    """Flip-flops of the netlist, for a family whose placer counts cells that hold a LUT and a
    flip-flop."""
    modules = json.loads((work / NETLIST).read_text())["modules"].values()
    cells = (cell["type"] for module in modules for cell in module["cells"].values())
    return sum(TARGETS[family.target].is_flip_flop(kind) for kind in cells)
