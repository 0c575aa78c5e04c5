"""CC_PLL of GateMate, whose dividers the placer chooses itself: the plan says what it can reach."""

from collections.abc import Iterator
from fractions import Fraction

from cimforge.fpga.pll.pll_cell import PllCell
from cimforge.fpga.pll.pll_plan import PllPlan, Range

__all__ = ["CC_PLL", "VCO", "cc_pll_cell", "cc_pll_plans"]

CC_PLL = "CC_PLL"
# Cologne Chip DS1001 (CCGM1A1), PLL in speed mode, the mode that nextpnr times; low jitter: the
# reference is not divided.
REFERENCE: Range = (1, 50_000_000)
VCO: Range = (1_250_000_000, 2_500_000_000)
DIVIDED_MOST = Fraction(1_666_670_000)
OUTPUT: Range = (1, 416_750_000)
PDIV, N_MOST, M_MOST = 2, 64 * 1024, 64 * 1024


def cc_pll_plans(reference_hz: int, wanted_hz: int) -> Iterator[PllPlan]:
    """Plans near ``wanted_hz``: vco = 2 · reference · N, clock = vco / (4 · M), M even or 1."""
    if not REFERENCE[0] <= reference_hz <= REFERENCE[1]:
        return
    pfd = Fraction(reference_hz)
    for n in range(VCO[0] // (PDIV * reference_hz) + 1, VCO[1] // (PDIV * reference_hz) + 1):
        vco = PDIV * pfd * n
        if n > N_MOST or vco / PDIV > DIVIDED_MOST or _split(n) is None:
            continue
        near = vco / (2 * PDIV * wanted_hz)
        for m in {1, *(2 * max(1, near // 2 + up) for up in (0, 1))}:
            hz = vco / (2 * PDIV * m)
            if m <= M_MOST and _split(m) is not None and OUTPUT[0] <= hz <= OUTPUT[1]:
                dividers = {"PDIV1": PDIV, "N": n, "M": int(m)}
                yield PllPlan(CC_PLL, reference_hz, wanted_hz, hz, pfd, vco, dividers)


def _split(whole: int) -> int | None:
    """A factor of at most 64 whose other one is at most 1024: the two counters of a divider."""
    return next((f for f in range(1, 65) if whole % f == 0 and whole // f <= 1024), None)


def cc_pll_cell(plan: PllPlan) -> PllCell:
    """The cell of a plan."""
    return PllCell(
        CC_PLL,
        source="CLK_REF",
        clock="CLK0",
        lock="USR_PLL_LOCKED",
        parameters={
            "REF_CLK": f'"{plan.reference_hz / 1e6:g}"',
            "OUT_CLK": f'"{float(plan.hz) / 1e6:.6f}"',
            "PERF_MD": '"SPEED"',
            "LOW_JITTER": "1",
            "CI_FILTER_CONST": "2",
            "CP_FILTER_CONST": "4",
        },
        tied=dict.fromkeys(("USR_CLK_REF", "CLK_FEEDBACK", "USR_LOCKED_STDY_RST"), "1'b0"),
    )
