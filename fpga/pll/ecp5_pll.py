"""EHXPLLL of ECP5: output CLKOP closes the loop, CLKOS is the clock."""

from collections.abc import Iterator
from fractions import Fraction

from cimforge.fpga.pll.pll_cell import PllCell
from cimforge.fpga.pll.pll_plan import PllPlan, Range

__all__ = ["EHXPLLL", "VCO", "ehxplll_cell", "ehxplll_plans"]

EHXPLLL = "EHXPLLL"
# Lattice FPGA-DS-02012 (ECP5 and ECP5-5G), sysCLOCK PLL timing; CLKOP, which closes the loop, from
# 10 MHz on.
REFERENCE: Range = (8_000_000, 400_000_000)
PFD: Range = (3_125_000, 400_000_000)
VCO: Range = (400_000_000, 800_000_000)
OUTPUT: Range = (3_125_000, 400_000_000)
LOOP_LEAST = 10_000_000
REFERENCE_DIV, LOOP_DIV, OUTPUT_DIV = 128, 80, 128


def ehxplll_plans(reference_hz: int, wanted_hz: int) -> Iterator[PllPlan]:
    """Plans near ``wanted_hz``: pfd = reference / CLKI_DIV, vco = pfd · CLKFB_DIV · CLKOP_DIV,
    clock = vco / CLKOS_DIV."""
    if not REFERENCE[0] <= reference_hz <= REFERENCE[1]:
        return
    for divided in range(1, REFERENCE_DIV + 1):
        pfd = Fraction(reference_hz, divided)
        if not PFD[0] <= pfd <= PFD[1]:
            continue
        for times in range(-(-VCO[0] // pfd), VCO[1] // pfd + 1):
            vco = pfd * times
            for output in {max(1, min(OUTPUT_DIV, vco // wanted_hz + up)) for up in (0, 1)}:
                hz = vco / output
                loop = _loop(times, output, vco)
                if loop is None or not OUTPUT[0] <= hz <= OUTPUT[1]:
                    continue
                dividers = {"CLKI": divided, "CLKFB": loop, "CLKOP": times // loop, "CLKOS": output}
                yield PllPlan(EHXPLLL, reference_hz, wanted_hz, hz, pfd, vco, dividers)


def _loop(times: int, output: int, vco: Fraction) -> int | None:
    """CLKFB_DIV of a loop that multiplies by ``times``: with CLKOP as fast as the clock where that
    is legal, else the least."""
    legal = [
        loop
        for loop in range(1, LOOP_DIV + 1)
        if times % loop == 0
        and times // loop <= OUTPUT_DIV
        and vco / (times // loop) >= LOOP_LEAST
        and vco / (times // loop) <= OUTPUT[1]
    ]
    return min(legal, key=lambda loop: (times // loop != output, loop), default=None)


def ehxplll_cell(plan: PllPlan) -> PllCell:
    """The cell of a plan; each output's phase is half its period, as Lattice's own tool sets it."""
    div = plan.dividers
    on = {"ENABLE": '"ENABLED"', "FPHASE": "0"}
    outputs = {
        f"{name}_{key}": value
        for name in ("CLKOP", "CLKOS")
        for key, value in {**on, "DIV": str(div[name]), "CPHASE": str(div[name] // 2)}.items()
    }
    low = ("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PLLWAKESYNC", "ENCLKOP", "ENCLKOS")
    high = ("PHASEDIR", "PHASESTEP", "PHASELOADREG")
    return PllCell(
        EHXPLLL,
        source="CLKI",
        clock="CLKOS",
        lock="LOCK",
        parameters={
            "CLKI_DIV": str(div["CLKI"]),
            "CLKFB_DIV": str(div["CLKFB"]),
            "FEEDBK_PATH": '"CLKOP"',
            **outputs,
            **{f"OUTDIVIDER_MUX{each}": f'"DIV{each}"' for each in "ABCD"},
            **dict.fromkeys(("PLLRST_ENA", "STDBY_ENABLE", "INTFB_WAKE"), '"DISABLED"'),
            "DPHASE_SOURCE": '"DISABLED"',
        },
        tied=dict.fromkeys(low, "1'b0") | dict.fromkeys(high, "1'b1"),
        feedback=("CLKFB", "CLKOP"),
        attributes={
            **{"ICP_CURRENT": "12", "LPF_RESISTOR": "8"},
            **{"MFG_ENABLE_FILTEROPAMP": "1", "MFG_GMCREF_SEL": "2"},
        },
    )
