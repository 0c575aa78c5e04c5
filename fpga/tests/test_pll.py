"""Plans of PLLs: within the device's ranges, nearest to what is wanted, refused where far off."""

import re
import subprocess
import sysconfig
from fractions import Fraction
from pathlib import Path

import pytest

from cimforge.fpga.board_clock import RESET_BITS, place_clock
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.pll import PLLS, board_at, plan_pll
from cimforge.fpga.pll.pll_cell import LOCK_BITS
from cimforge.fpga.pll.pll_plan import PllPlan, nearest_plan
from cimforge.fpga.soc import build_soc
from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.netlist.yosys import run_yosys
from cimforge.hdl.params.config_file import InputError, load_config

WANTED = [16, 20, 24, 27, 30, 37, 48, 50, 60, 66, 75, 80, 100, 120, 133, 150, 180, 200, 250]


def output(plan: PllPlan) -> Fraction:
    """The frequency that the data sheets' formulas give for a plan's dividers."""
    div, source = plan.dividers, Fraction(plan.reference_hz)
    if plan.primitive == "EHXPLLL":
        loop = source / div["CLKI"] * div["CLKFB"]  # CLKOP
        return loop * div["CLKOP"] / div["CLKOS"]
    if plan.primitive == "rPLL":
        return source * (div["FBDIV_SEL"] + 1) / (div["IDIV_SEL"] + 1)
    if plan.primitive == "CC_PLL":
        return source * div["N"] / (2 * div["M"])
    return source * (div["DIVF"] + 1) / (div["DIVR"] + 1) / 2 ** div["DIVQ"]


@pytest.mark.parametrize("name", BOARDS)
def test_plans_are_within_the_ranges_of_the_device(name):
    board = BOARDS[name]
    low, high = PLLS[board.pll].vco
    reached = 0
    for mhz in WANTED:
        try:
            plan = plan_pll(board, mhz * 1_000_000)
        except InputError:
            continue
        if plan is None:
            assert mhz * 1_000_000 == board.oscillator_hz
            continue
        reached += 1
        assert output(plan) == plan.hz
        assert abs(plan.hz / 1_000_000 - mhz) <= mhz / 100
        assert low <= plan.vco_hz <= high
        assert plan.pfd_hz >= 3_000_000
        for divider, value in plan.dividers.items():
            assert 0 <= value < (2**16 if board.family == "gatemate" else 129), divider
    assert reached >= 15


@pytest.mark.parametrize(
    ("name", "mhz", "dividers"),
    [
        ("hx8k", 60, {"DIVR": 0, "DIVF": 79, "DIVQ": 4}),  # as icepll has it
        ("icebreaker", 24, {"DIVR": 0, "DIVF": 63, "DIVQ": 5}),
        ("ulx3s-85f", 50, {"CLKI": 1, "CLKFB": 2, "CLKOP": 12, "CLKOS": 12}),  # as ecppll has it
        ("ulx3s-85f", 24, {"CLKI": 1, "CLKFB": 1, "CLKOP": 24, "CLKOS": 25}),
        ("tangnano9k", 54, {"IDIV_SEL": 0, "FBDIV_SEL": 1, "ODIV_SEL": 16}),
        ("gatemate-evb", 100, {"PDIV1": 2, "N": 80, "M": 4}),
    ],
)
def test_plans_counted_by_hand(name, mhz, dividers):
    plan = plan_pll(BOARDS[name], mhz * 1_000_000)
    assert plan is not None
    assert plan.hz == mhz * 1_000_000
    assert plan.error == 0
    assert plan.dividers == dividers
    told = plan.as_json()
    assert (told["clock_mhz"], told["error"], told["dividers"]) == (mhz, 0, dividers)


@pytest.mark.parametrize("mhz", [33.3, 61.7, 99, 161])
def test_no_other_plan_of_gowin_is_nearer(mhz):
    """Against the search of apycula's own tool."""
    tool = Path(sysconfig.get_path("scripts")) / "gowin_pll"
    told = subprocess.run(
        (tool, "-i", "27", "-o", str(mhz)), capture_output=True, text=True, check=True
    )
    (theirs,) = re.findall(r"Achieved output frequency: +([\d.]+) MHz", told.stdout)
    plan = plan_pll(BOARDS["tangnano9k"], round(mhz * 1e6))
    assert plan is not None
    assert abs(float(plan.hz) / 1e6 - mhz) <= abs(float(theirs) - mhz) + 0.001


def test_of_equally_near_plans_that_of_least_jitter_is_taken():
    plans = [
        PllPlan("x", 12, 24, Fraction(24), Fraction(pfd), Fraction(vco), {"n": n})
        for pfd, vco, n in ((6, 600, 1), (12, 900, 2), (12, 700, 4), (12, 700, 3))
    ]
    best = nearest_plan(plans, (500, 1000))
    assert best is not None
    assert best.dividers == {"n": 3}
    assert nearest_plan([], (500, 1000)) is None


@pytest.mark.parametrize(
    ("name", "mhz", "baud", "complaint"),
    [
        ("hx8k", 34.1, None, "--clock: SB_PLL40_CORE makes no 34.1 MHz of 12 MHz"),
        ("hx8k", 34.1, None, "(nearest legal value: 33.75 MHz)"),
        ("hx8k", 400, None, "(nearest legal value: 270 MHz)"),
        ("ulx3s-85f", 500, None, "(nearest legal value: 400 MHz)"),
        ("ulx3s-85f", 7, 3_000_000, "--clock: baud 3000000 has only 2.33 cycles a bit, fewer than"),
        ("ulx3s-85f", 40, 3_000_000, "--clock: baud 3000000 has bits of 13 cycles, 2.6% off"),
        ("ulx3s-85f", 40, 3_000_000, "(nearest legal clock: 39 MHz make 13 cycles a bit)"),
        ("ulx3s-85f", None, 9_999_999, "--baud: baud 9999999 has only 3 cycles a bit"),
    ],
)
def test_a_clock_out_of_reach_is_refused_in_one_line(name, mhz, baud, complaint):
    with pytest.raises(InputError, match=re.escape(complaint)):
        board_at(BOARDS[name], mhz, baud)


def test_spi_has_no_baud_rate_and_any_clock():
    """Its clock is the host's: one that makes no bits of a UART is legal, a baud rate is not."""
    board = BOARDS["icebreaker"]
    assert board_at(board, 17.5, None, "spi").clock_hz == 17_625_000
    with pytest.raises(InputError, match="--clock: baud 1000000 has bits of 18 cycles"):
        board_at(board, 17.5, None)
    rule = "--baud: is of --link uart alone, and spi has the host's clock"
    with pytest.raises(InputError, match=rule):
        board_at(board, None, 1_000_000, "spi")


def test_a_board_without_a_pll_has_the_clock_of_its_oscillator():
    plain = BOARDS["hx8k"]._replace(pll="")
    assert board_at(plain, 12, None).clock_hz == 12_000_000
    with pytest.raises(InputError, match="24 MHz needs a PLL, which the board has not") as refused:
        board_at(plain, 24, None)
    assert "(nearest legal value: 12 MHz)" in str(refused.value)
    slow = BOARDS["hx8k"]._replace(oscillator_hz=1_000_000)
    with pytest.raises(InputError, match="SB_PLL40_CORE takes no reference of 1 MHz"):
        plan_pll(slow)


def test_the_clock_is_what_the_pll_makes():
    board = board_at(BOARDS["hx8k"], 100, None)
    assert board.clock_hz == 100_500_000
    assert (board.divisor, round(board.baud_error, 4)) == (100, 0.005)


@pytest.mark.parametrize("baud", [1_000_000, 3_000_000])
@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_1_and_3_mbaud_within_a_hundredth(name, baud):
    board = board_at(BOARDS[name], None, baud)
    assert board.divisor >= LEAST_DIVISOR
    assert board.baud_error <= 0.01
    assert plan_pll(board) is None or plan_pll(board).error == 0


@pytest.mark.parametrize("name", BOARDS)
def test_the_cell_stands_in_the_top_with_its_plan(name):
    board = BOARDS[name]._replace(clock_hz=48_000_000)
    text = build_soc(load_config("tiny"), board).verilog()
    assert re.search(rf"{board.pll} #\(.*\) pll \(", text)
    for divider, value in plan_pll(board).dividers.items():
        if board.family != "gatemate":  # whose placer plans again
            assert re.search(rf"\.{divider}(_DIV)?\((\d+'d)?{value}\)", text), divider
    assert "always @(posedge clk) " not in text, "the oscillator clocks the PLL alone"


def test_without_a_pll_nothing_waits_for_one():
    board = BOARDS["hx8k"]._replace(clock_hz=12_000_000)
    text = build_soc(load_config("tiny"), board).verilog()
    assert "always @(posedge clk) if (!started[6]) started <= started + 1'b1;" in text
    assert "pll" not in text
    assert "stable" not in text


def reset_levels(board, folder: Path, cycles: int, lock: str = "") -> str:
    """Reset in each cycle of a simulation of clock and reset alone, on the model of the PLL, whose
    lock may be another expression of its counter."""
    top = Structure("t", "clock", "Clock and reset.", role="link")
    _, rst = place_clock(top, board, top.port("input", "clk"))
    top.assign(top.port("output", "held"), rst)
    cell = top.children[0].module
    model = cell.model()
    if lock:
        model = model.replace(f"{cell.lock} = cycles[{LOCK_BITS}]", f"{cell.lock} = {lock}")
        model = model.replace(f"if (!cycles[{LOCK_BITS}]) ", "").replace("[4:0] cyc", "[9:0] cyc")
    (folder / "top.v").write_text(model + top.verilog())
    script = "read_verilog top.v\nprep -flatten -top t_clock\n"
    run_yosys(f"{script}tee -q -o out.txt sat -seq {cycles} -show held\n", folder)
    told = (folder / "out.txt").read_text()
    return "".join(re.findall(r"^ +\d+ +\\held +([01]) ", told, re.M))


@pytest.mark.parametrize("name", ["hx8k", "icebreaker", "ulx3s-85f", "gatemate-evb"])
def test_reset_waits_for_lock_on_the_bypassed_model(name, tmp_path):
    levels = reset_levels(BOARDS[name], tmp_path, 150)
    assert "BYPASSED" in (tmp_path / "top.v").read_text()
    waited = 2**LOCK_BITS + 2 + 2**RESET_BITS  # lock, two flip-flops, then the count
    assert abs(levels.index("0") - waited) <= 2, levels
    assert "1" not in levels[levels.index("0") :]


def test_reset_begins_again_where_lock_is_lost(tmp_path):
    levels = reset_levels(BOARDS["hx8k"], tmp_path, 300, "cycles >= 10 && cycles != 120")
    runs = [(m[0][0], len(m[0])) for m in re.finditer(r"0+|1+", levels)]
    assert [level for level, _ in runs] == ["1", "0", "1", "0"]
    assert runs[2][1] == 2**RESET_BITS
