"""SB_PLL40_CORE and SB_PLL40_PAD of iCE40, simple feedback."""

from collections.abc import Iterator
from fractions import Fraction

from cimforge.fpga.pll.pll_cell import PllCell
from cimforge.fpga.pll.pll_plan import PllPlan, Range

__all__ = ["VCO", "pll40_cell", "pll40_plans"]

# Lattice FPGA-TN-1251 (iCE40 sysCLOCK PLL) and the data sheets of HX and UltraPlus; DIVF to 127
# with simple feedback, as Project IceStorm found.
REFERENCE: Range = (10_000_000, 133_000_000)
PFD: Range = (10_000_000, 133_000_000)
VCO: Range = (533_000_000, 1_066_000_000)
OUTPUT: Range = (16_000_000, 275_000_000)
DIVR, DIVF, DIVQ = range(16), range(128), range(1, 7)
# FILTER_RANGE: 1 for a phase detector below 17 MHz, 2 below 26, …, 6 from 101 on.
FILTER_BELOW = (17_000_000, 26_000_000, 44_000_000, 66_000_000, 101_000_000)
SOURCES = {"SB_PLL40_CORE": "REFERENCECLK", "SB_PLL40_PAD": "PACKAGEPIN"}


def pll40_plans(primitive: str, reference_hz: int, wanted_hz: int) -> Iterator[PllPlan]:
    """All plans: pfd = reference / (DIVR + 1), vco = pfd · (DIVF + 1), clock = vco / 2^DIVQ."""
    if not REFERENCE[0] <= reference_hz <= REFERENCE[1]:
        return
    for divr in DIVR:
        pfd = Fraction(reference_hz, divr + 1)
        for divf in DIVF if PFD[0] <= pfd <= PFD[1] else ():
            vco = pfd * (divf + 1)
            for divq in DIVQ if VCO[0] <= vco <= VCO[1] else ():
                hz = vco / 2**divq
                if OUTPUT[0] <= hz <= OUTPUT[1]:
                    dividers = {"DIVR": divr, "DIVF": divf, "DIVQ": divq}
                    yield PllPlan(primitive, reference_hz, wanted_hz, hz, pfd, vco, dividers)


def pll40_cell(plan: PllPlan) -> PllCell:
    """The cell of a plan."""
    div = plan.dividers
    filtered = 1 + sum(plan.pfd_hz >= bound for bound in FILTER_BELOW)
    return PllCell(
        plan.primitive,
        source=SOURCES[plan.primitive],
        clock="PLLOUTGLOBAL",
        lock="LOCK",
        parameters={
            "FEEDBACK_PATH": '"SIMPLE"',
            "DIVR": f"4'd{div['DIVR']}",
            "DIVF": f"7'd{div['DIVF']}",
            "DIVQ": f"3'd{div['DIVQ']}",
            "FILTER_RANGE": f"3'd{filtered}",
        },
        tied={"RESETB": "1'b1", "BYPASS": "1'b0"},
    )
