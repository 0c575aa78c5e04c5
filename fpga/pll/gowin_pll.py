"""rPLL of Gowin GW1N(R)-9."""

from collections.abc import Iterator
from fractions import Fraction

from cimforge.fpga.pll.pll_cell import PllCell
from cimforge.fpga.pll.pll_plan import PllPlan, Range

__all__ = ["RPLL", "VCO", "rpll_cell", "rpll_plans"]

RPLL = "rPLL"
# Gowin DS117 (GW1NR), speed grade C6/I5.
REFERENCE: Range = (3_000_000, 400_000_000)
PFD: Range = (3_000_000, 400_000_000)
VCO: Range = (400_000_000, 1_200_000_000)
OUTPUT: Range = (3_125_000, 600_000_000)
IDIV, FBDIV = range(64), range(64)
ODIV = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def rpll_plans(reference_hz: int, wanted_hz: int) -> Iterator[PllPlan]:
    """All plans: pfd = reference / (IDIV_SEL + 1), clock = pfd · (FBDIV_SEL + 1), vco = clock ·
    ODIV_SEL."""
    if not REFERENCE[0] <= reference_hz <= REFERENCE[1]:
        return
    for idiv in IDIV:
        pfd = Fraction(reference_hz, idiv + 1)
        for fbdiv in FBDIV if PFD[0] <= pfd <= PFD[1] else ():
            hz = pfd * (fbdiv + 1)
            for odiv in ODIV if OUTPUT[0] <= hz <= OUTPUT[1] else ():
                if VCO[0] <= hz * odiv <= VCO[1]:
                    dividers = {"IDIV_SEL": idiv, "FBDIV_SEL": fbdiv, "ODIV_SEL": odiv}
                    yield PllPlan(RPLL, reference_hz, wanted_hz, hz, pfd, hz * odiv, dividers)


def rpll_cell(plan: PllPlan) -> PllCell:
    """The cell of a plan."""
    static = ("DYN_IDIV_SEL", "DYN_FBDIV_SEL", "DYN_ODIV_SEL", "DYN_DA_EN")
    return PllCell(
        RPLL,
        source="CLKIN",
        clock="CLKOUT",
        lock="LOCK",
        parameters={
            "FCLKIN": f'"{plan.reference_hz / 1e6:g}"',
            "DEVICE": '"GW1NR-9C"',
            **{name: str(value) for name, value in plan.dividers.items()},
            **dict.fromkeys(static, '"false"'),
            "CLKFB_SEL": '"internal"',
        },
        tied={
            **dict.fromkeys(("RESET", "RESET_P", "CLKFB"), "1'b0"),
            **dict.fromkeys(("FBDSEL", "IDSEL", "ODSEL"), "6'd0"),
            **dict.fromkeys(("PSDA", "DUTYDA", "FDLY"), "4'd0"),
        },
    )
