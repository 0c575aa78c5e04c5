"""From a macro to a bitstream: Yosys, nextpnr and the packer of a board."""

import json
import re
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimforge.flow.board import Board
from cimforge.flow.synth.blocks import name_cells, packed_name
from cimforge.flow.synth.static_timing import Step, group_steps
from cimforge.flow.synth.synthesis import chain_commands, fold_commands
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.yosys import ending, failure_cause, run_yosys
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = [
    "BitstreamReport",
    "FlowError",
    "build_bitstream",
    "check_tools",
    "constraints_text",
]

SEED = 1
NEXTPNR = "$nextpnr"  # how names of cells that it makes begin
PACKERS = {"ice40": "yowasp-icepack", "ecp5": "yowasp-ecppack"}


class FlowError(RuntimeError):
    """A tool of the flow failed; the text names it and what it said."""


@dataclass(frozen=True)
class BitstreamReport:
    """A bitstream and what place and route said of it; ``path`` is the critical path, block by
    block, wires included."""

    board: str
    device: str
    bitstream: Path
    fmax_mhz: float
    luts: int
    ffs: int
    brams: int
    capacity: dict[str, int]
    seconds: float
    path: list[Step] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of ``cimforge fpga``."""
        return {
            "board": self.board,
            "device": self.device,
            "bitstream": str(self.bitstream),
            "fmax_mhz": round(self.fmax_mhz, 2),
            "luts": self.luts,
            "ffs": self.ffs,
            "brams": self.brams,
            "capacity": self.capacity,
            "critical_path": [step.as_json() for step in self.path],
            "seconds": round(self.seconds, 1),
        }


def build_bitstream(
    top: Module,
    folder: Path,
    name: str,
    board: Board,
    announce: Callable[[str], None] = print,
) -> BitstreamReport:
    """Build ``top``, whose sources TOP.f in ``folder`` lists, to a bitstream there.

    Equal input gives an equal bitstream (nextpnr's seed is fixed). Raises InputError where the
    design does not fit the device, FlowError or YosysError where a tool fails otherwise.
    """
    started = time.perf_counter()
    work = folder / "fpga" / name
    work.mkdir(parents=True, exist_ok=True)
    announce(f"synthesising {top.name} for {board.device}")
    _synthesise(top.name, folder, work, board)
    announce(f"placing and routing {top.name} on {board.device}, some minutes for a large macro")
    constraints = work / f"{name}.{'pcf' if board.family == 'ice40' else 'lpf'}"
    constraints.write_text(constraints_text(board))
    routed = "routed.asc" if board.family == "ice40" else "routed.config"
    _place(work, board, constraints.name, routed)
    announce("packing the bitstream")
    bitstream = work / f"{name}.{'bin' if board.family == 'ice40' else 'bit'}"
    _run(work, PACKERS[board.family], routed, bitstream.name)
    path = _critical_path(work, top)
    return _report(work, name, board, bitstream, path, time.perf_counter() - started)


def constraints_text(board: Board) -> str:
    """PCF (iCE40) or LPF (ECP5): the pin of each port, and the clock's frequency."""
    mhz = board.clock_hz / 1e6
    if board.family == "ice40":
        pins = [f"set_io {port} {pin}" for port, pin in board.pins.items()]
        return "\n".join([*pins, f"set_frequency clk {mhz:g}"]) + "\n"
    lines = []
    for port, pin in board.pins.items():
        lines.append(f'LOCATE COMP "{port}" SITE "{pin}";')
        lines.append(f'IOBUF PORT "{port}" IO_TYPE=LVCMOS33;')
    return "\n".join([*lines, f'FREQUENCY PORT "clk" {mhz:g} MHZ;']) + "\n"


def _synthesise(top: str, folder: Path, work: Path, board: Board) -> None:
    """One flat netlist of the board's top, as JSON."""
    sources = (folder / f"{top}.f").read_text().split()
    verilog = [source for source in sources if source.endswith(".v")]
    for source in verilog:
        (work / source).write_text((folder / source).read_text())
    script = [
        f"read_verilog {' '.join(verilog)}",
        *fold_commands(board.target, work),
        f"hierarchy -check -top {top}",
        *chain_commands(board.target, work),
        TARGETS[board.target].command.format(top=top),
        "write_json netlist.json",
    ]
    run_yosys("\n".join(script) + "\n", work)


def _place(work: Path, board: Board, constraints: str, routed: str) -> None:
    options = {
        "ice40": ("--pcf", constraints, "--asc", routed),
        "ecp5": ("--lpf", constraints, "--textcfg", routed),
    }[board.family]
    common = ("--json", "netlist.json", "--report", "report.json", "--seed", str(SEED))
    _run(work, f"yowasp-nextpnr-{board.family}", *board.place, *common, *options)


def check_tools(board: Board) -> None:
    """Raise InputError, naming the way to get them, where the board's programs are not here."""
    for tool in (f"yowasp-nextpnr-{board.family}", PACKERS[board.family]):
        if not _program(tool).exists():
            raise InputError(f"{tool} is not installed; run {install_hint('fpga')}")


def _program(tool: str) -> Path:
    return Path(sysconfig.get_path("scripts")) / tool


def _run(work: Path, tool: str, *arguments: str) -> None:
    """Run a tool of the environment's scripts folder; its messages go to TOOL.log."""
    program = _program(tool)
    try:
        run = subprocess.run(
            (str(program), *arguments),
            cwd=work,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise FlowError(f"{tool} does not start: {error.strerror}") from None
    log = run.stdout + run.stderr
    (work / f"{tool}.log").write_text(log)
    if run.returncode:
        errors = re.findall(r"^ERROR: (.*)$", log, re.M)
        reason = errors[0] if errors else failure_cause(log, run.stderr) or ending(run.returncode)
        if "unable to" in reason.lower() or "no bels" in reason.lower() or "no more" in reason:
            rule = f"does not fit the device ({reason}); take a smaller macro or a larger board"
            raise InputError(f"{tool}: the design {rule}")
        raise FlowError(f"{tool} failed: {reason}; its messages are in {work / f'{tool}.log'}")


def _report(
    work: Path, name: str, board: Board, bitstream: Path, path: list[Step], seconds: float
) -> BitstreamReport:
    data = json.loads((work / "report.json").read_text())
    used = {kind: entry["used"] for kind, entry in data["utilization"].items()}
    available = {kind: entry["available"] for kind, entry in data["utilization"].items()}
    kinds = {
        "ice40": ("ICESTORM_LC", "ICESTORM_LC", "ICESTORM_RAM"),
        "ecp5": ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD"),
    }[board.family]
    luts, ffs, brams = (used.get(kind, 0) for kind in kinds)
    if board.family == "ice40":
        ffs = _flip_flops(work)
    return BitstreamReport(
        board=name,
        device=board.device,
        bitstream=bitstream,
        fmax_mhz=min(clock["achieved"] for clock in data["fmax"].values()),
        luts=luts,
        ffs=ffs,
        brams=brams,
        capacity={"luts": available[kinds[0]], "brams": available.get(kinds[2], 0)},
        seconds=seconds,
        path=path,
    )


def _critical_path(work: Path, top: Module) -> list[Step]:
    """The longest of the reported paths, consecutive hops into one block together."""
    data = json.loads((work / "report.json").read_text())
    netlist = json.loads((work / "netlist.json").read_text())["modules"][top.name]
    known = name_cells(netlist, {p.name: p.read_text() for p in work.glob("*.v")}, top)

    def blocks(hops: list[dict[str, Any]]) -> Iterator[str]:
        block = "top"
        for hop in hops:
            cell = hop["to"]["cell"]
            if not cell.startswith(NEXTPNR):  # its own pass a carry on, in the block it comes from
                block = packed_name(cell, known) or "top"
            yield block

    paths = [
        list(zip(blocks(path["path"]), (hop["delay"] for hop in path["path"]), strict=True))
        for path in data.get("critical_paths", [])
    ]
    longest = max(paths, key=lambda hops: sum(delay for _, delay in hops), default=[])
    return group_steps(longest)


def _flip_flops(work: Path) -> int:
    """Flip-flops of the netlist: an iCE40 cell holds a LUT and a flip-flop, and nextpnr counts
    cells."""
    modules = json.loads((work / "netlist.json").read_text())["modules"].values()
    cells = (cell["type"] for module in modules for cell in module["cells"].values())
    return sum(TARGETS["ice40"].is_flip_flop(kind) for kind in cells)
