"""The checks that a datasheet tells of: a table of verbs, and which of them a macro can have."""

from collections.abc import Mapping
from dataclasses import dataclass

from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY, TARGETS
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["CHECKS", "Check", "checks_of", "own_target"]

OWN = "{target}"  # in a check's words: the macro's own target

VERIFY = (
    *("tests", "failed", "skipped", "passes", "coverage", "holes", "seed", "simulator"),
    "failures",
)
SYNTH = ("total", "unit", "per_1b_mac", "ffs", "adders", "breakdown", "ram_blocks")
PERIOD = ("min_period_ns", "wire_load", "tops", "tops_per_mm2", "cells", "notes")
PROVE = ("proven", "adders", "whole", "laws", "unclaimed", "faults")
MUTANTS = ("generated", "killed", "proven", "bounded", "survived", "share", "seed", "survivors")
POWER = (
    *("fj_per_1b_mac", "tops_per_w", "by_role", "leakage_uw", "glitch_share", "clock_share"),
    *("idle_share", "period_ns", "data", "vectors", "cycles", "wire_ff", "seed", "notes"),
)
STA, ICARUS, COMPILER = "OpenSTA", "iverilog", "g++"  # as cimforge doctor calls them


@dataclass(frozen=True)
class Check:
    """A verb and its words, on a synthesis ``target``.

    ``told`` are the keys of its JSON that the page shows. ``simulated``: it takes --simulator and
    --seed. ``programs`` it cannot run without; those of ``helped`` make its result say more.
    ``asked``: runs only where it is named, as it takes as long as the others together.
    ``effort`` is how long it takes beside the others: seconds of the macro tiny, two processes
    (verilator), of which ratios alone count.
    """

    title: str
    words: tuple[str, ...]
    told: tuple[str, ...]
    effort: float
    target: str = OWN
    simulated: bool = False
    programs: tuple[str, ...] = ()
    helped: tuple[str, ...] = ()
    asked: bool = False

    @property
    def mapped(self) -> bool:
        """Whether it needs a cell library."""
        return self.target == LIBERTY

    def needs(self, simulator: str) -> tuple[str, ...]:
        """Programs that it cannot run without."""
        used = {"icarus": ICARUS, "verilator": COMPILER}
        return (*self.programs, *((used[simulator],) if self.simulated else ()))


def _netlist(title: str, target: str, effort: float, asked: bool = False) -> Check:
    words = ("verify", "--netlist", target)
    return Check(title, words, VERIFY, effort, target, simulated=True, asked=asked)


def _size(title: str, target: str, effort: float) -> Check:
    return Check(title, ("synth", "--target", target), SYNTH, effort, target)


FPGAS = tuple(name for name in TARGETS if name != "generic")

CHECKS: Mapping[str, Check] = {
    "verify": Check("regression of the Verilog", ("verify",), VERIFY, 22, simulated=True),
    "netlist": _netlist("regression of the netlist", OWN, 30),
    "prove": Check("formal proof of the adders", ("prove",), PROVE, 4),
    "mutants": Check("mutants of this macro", ("mutants",), MUTANTS, 60, simulated=True),
    "synth": _size("size", OWN, 3),
    **{f"{name}-synth": _size(f"size on {name}", name, 5) for name in FPGAS},
    **{
        f"{name}-netlist": _netlist(f"regression of the netlist of {name}", name, 33, asked=True)
        for name in FPGAS
    },
    "library-netlist": _netlist("regression of the netlist of library cells", LIBERTY, 33),
    "library-prove": Check(
        *("formal proof of the adders in library cells", ("prove",), (*PROVE, "mapped"), 6, LIBERTY)
    ),
    "library-synth": Check(
        "area and period on the library",
        ("synth", "--target", LIBERTY),
        (*SYNTH, *PERIOD),
        4,
        LIBERTY,
        helped=(STA,),
    ),
    "library-power": Check(
        "energy on the library", ("power",), POWER, 5, LIBERTY, programs=(STA, ICARUS)
    ),
}


def own_target(config: MacroConfig) -> str:
    """Where a macro is synthesised where none is named: of RAM blocks their FPGA."""
    return config.ram or "generic"


def checks_of(config: MacroConfig) -> dict[str, Check]:
    """The checks that a macro of ``config`` can have, by name: on targets with cells for its
    storage, each target once; energy of integers in cells of a library."""
    return {name: check for name, check in CHECKS.items() if _fits(name, check, config)}


def _fits(name: str, check: Check, config: MacroConfig) -> bool:
    if check.target in (OWN, own_target(config)):
        return check.target == OWN
    if name == "library-power" and (config.binary or config.storage_traits.memory):
        return False  # power measures no energy of RAMs, and draws integers
    try:
        check_storage(config, check.target)
    except InputError:
        return False
    return True
