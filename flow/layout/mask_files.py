"""The layout in Magic: GDS of a routed design, the netlist that its shapes make, broken rules."""

import re
from dataclasses import dataclass
from pathlib import Path

from cimforge.flow.layout.gds_dates import set_dates
from cimforge.flow.layout.technology import Technology
from cimforge.flow.layout.tool_run import ToolError, run_tool

__all__ = ["BrokenRule", "broken_rules", "magic_script", "metal_patches", "write_masks"]

# The router knows no least area: a lone via's metal that is too small is made a little longer,
# across the tracks of its neighbours. Rules and netlist are those of what is then there.
SCRIPT = """\
proc broken {{}} {{
  drc on
  select top cell
  expand
  drc check
  drc catchup
  return [drc listall why]
}}
drc off
snap int
lef read {lef}
def read {name}_route
load {name}
set patches 0
foreach {{rule places}} [broken] {{
  if {{![regexp {{{small_metal}}} $rule all number]}} {{ continue }}
  foreach place $places {{
    lassign $place left bottom right top
    box $left $top $right [expr $top + 1]
    paint m$number
    incr patches
  }}
}}
puts stdout "PATCHES $patches"
foreach {{rule places}} [broken] {{ puts stdout "RULE [llength $places] $rule" }}
puts stdout "RULES [drc list count total]"
drc off
select top cell
writeall force {name}
gds write {name}
extract do local
extract all
ext2spice hierarchy on
ext2spice format ngspice
ext2spice scale off
ext2spice renumber off
ext2spice cthresh infinite
ext2spice rthresh infinite
ext2spice blackbox on
ext2spice subcircuit top auto
ext2spice global off
ext2spice
quit -noprompt
"""
PATCHES = re.compile(r"^PATCHES (\d+)", re.M)
TOTAL = re.compile(r"^RULES (\d+)", re.M)
RULE = re.compile(r"^RULE (\d+) (.*)$", re.M)


@dataclass(frozen=True)
class BrokenRule:
    """A design rule that is broken at so many places."""

    rule: str
    places: int


def magic_script(name: str, technology: Technology) -> str:
    """Magic's script: NAME_route.def in; NAME.gds, NAME.mag and NAME.spice out."""
    lef = technology.folder / technology.lef
    return SCRIPT.format(name=name, lef=lef, small_metal=technology.small_metal)


def write_masks(name: str, folder: Path, technology: Technology, script: str) -> None:
    """Run the script in ``folder``; its log is masks.log there.

    Cells are what the LEF file tells of them: the metal of their pins and what it obstructs. So
    rules are checked of wires, vias and that metal, and netlists end at cells' pins. Raises
    ToolError.
    """
    (folder / "masks.tcl").write_text(script)
    start = str(technology.folder / technology.magicrc)
    command = ["magic", "-dnull", "-noconsole", "-rcfile", start, "masks.tcl"]
    log = run_tool(command, folder, "masks", f"{name}.gds", f"{name}.spice")
    if not TOTAL.search(log.read_text(errors="replace")):
        raise ToolError(f"masks: magic did not come to the end; its messages are in {log}")
    try:
        set_dates(folder / f"{name}.gds")
    except ValueError as error:
        raise ToolError(f"masks: {error}; the messages of magic are in {log}") from None


def metal_patches(folder: Path) -> int:
    """How many pieces of metal were too small by the rules and were made longer."""
    return int(PATCHES.findall((folder / "masks.log").read_text(errors="replace"))[-1])


def broken_rules(folder: Path) -> tuple[BrokenRule, ...]:
    """The design rules that the layout in ``folder`` breaks, from the most places."""
    text = (folder / "masks.log").read_text(errors="replace")
    found = [BrokenRule(rule, int(places)) for places, rule in RULE.findall(text)]
    total = sum(int(number) for number in TOTAL.findall(text))
    if total and not found:
        found = [BrokenRule("a rule that Magic does not name", total)]
    return tuple(sorted(found, key=lambda each: (-each.places, each.rule)))
