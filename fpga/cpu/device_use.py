"""What a system takes of a device: its cells before they are placed, and by how much too many."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from cimforge.flow.families import FAMILIES, Family
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.params.config_file import InputError

__all__ = ["multipliers", "netlist_cells", "placing_announcer", "too_large"]

NETLIST, REPORT = "netlist.json", "report.json"  # of build_bitstream, in its folder
PLACING = "placing and routing"
MULTIPLIERS = {"ecp5": "MULT18X18D", "ice40": "ICESTORM_DSP", "gowin": "MULT"}  # by family
# Seconds of one core for a thousand cells, roughly: of ECP5 runs of 6,000 to 23,000 cells, of iCE40
# of 4,500, of the others of 1,500.
SECONDS_PER_1000 = {"ice40": 16, "ecp5": 12, "gowin": 30, "gatemate": 30}
# Of GateMate, no synthesis target of ours: CPE halves a cell.
GATEMATE = ((r"CC_L2T5|CC_MX4", 2), (r"CC_L2T4|CC_LUT\d|CC_MX2|CC_ADDF", 1))
USED = re.compile(r"(\w+):\s+(\d+)/\s*(\d+)\s+\d+%")


def netlist_cells(work: Path, family: Family) -> int:
    """Logic cells of the netlist in ``work``, as the placer counts them but for what it packs."""
    modules = json.loads((work / NETLIST).read_text())["modules"].values()
    sizes = TARGETS[family.target].sizes if family.target in TARGETS else GATEMATE
    return sum(
        next((units for pattern, units in sizes if re.fullmatch(pattern, cell["type"])), 0)
        for module in modules
        if "blackbox" not in module["attributes"]
        for cell in module["cells"].values()
    )


def placing_announcer(
    work: Path, family: str, announce: Callable[[str], None]
) -> Callable[[str], None]:
    """``announce``, which tells how many cells are placed, and about how long that takes, where
    build_bitstream says that it places what it has synthesised into ``work``."""

    def told(text: str) -> None:
        if text.startswith(PLACING) and (work / NETLIST).exists():
            cells = netlist_cells(work, FAMILIES[family])
            minutes = max(1, round(cells / 1000 * SECONDS_PER_1000[family] / 60))
            about = f"{cells:,} logic cells, about {minutes} minute{'s' if minutes > 1 else ''}"
            text = f"{text.partition(', ')[0]}: {about} on an idle machine"
        announce(text)

    return told


def too_large(error: InputError, work: Path, family: str, name: str) -> InputError:
    """``error`` of build_bitstream, in numbers and with what to do, where the placer found more in
    the design than the device has."""
    own = FAMILIES[family]
    log = work / f"{own.placer}.log"
    if "does not fit the device" not in str(error) or not log.exists():
        return error
    found = {kind: (int(u), int(most)) for kind, u, most in USED.findall(log.read_text())}
    over = {kind: use for kind, use in found.items() if use[0] > use[1]}
    if not over:
        return error
    told = ", ".join(
        f"{used:,} of {most:,} {_called(kind, own)} ({used / most:.0%})"
        for kind, (used, most) in over.items()
    )
    cells = "fewer rows, cols or banks (--set cols=4), a smaller engine (--set engine.lanes=1)"
    memory = "less memory (--system ram_bytes=N, --set engine.acc_vectors=N)"
    logic = any(kind in own.luts for kind in over)
    mend = cells if logic else memory
    return InputError(f"{name}: too large: {told}; take {mend}, or a larger board")


def multipliers(work: Path, family: str) -> int | None:
    """Multipliers that the design in ``work`` uses; None of a family that has none."""
    kind = MULTIPLIERS.get(family)
    if kind is None:
        return None
    use = json.loads((work / REPORT).read_text())["utilization"]
    return sum(entry["used"] for name, entry in use.items() if name.startswith(kind))


def _called(kind: str, family: Family) -> str:
    if kind in family.luts:
        return "logic cells"
    return "block RAMs" if kind in family.rams else kind
