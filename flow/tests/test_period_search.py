"""The shortest period: paths of a cycle, of half a cycle, and those that borrow from a latch."""

import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from cimforge.flow.synth.period_search import RESOLUTION, period_search
from cimforge.flow.synth.static_timing import STA

SMALL = Path(__file__).parent / "small.lib"
pytestmark = pytest.mark.skipif(shutil.which(STA) is None, reason="no sta on PATH; install OpenSTA")
CLOCK = "create_clock -name clk -period 1 [get_ports clk]"
GRID = [0.02 * step for step in range(1, 500)]


def chain(name: str, start: str, cells: int) -> tuple[str, str]:
    """Inverters one after the other: their Verilog and the last net."""
    nets = [start, *(f"{name}{i}" for i in range(cells))]
    return "\n".join(f"NOT_A g_{b} (.I({a}), .O({b}));" for a, b in pairwise(nets)), nets[-1]


def netlist(first: int, second: int, latch: str) -> str:
    """A flip-flop, ``first`` inverters, a latch, ``second`` inverters, a flip-flop."""
    before, at_latch = chain("a", "q", first)
    behind, at_end = chain("b", "held", second)
    wires = [f"a{i}" for i in range(first)] + [f"b{i}" for i in range(second)]
    return f"""module m (clk, d, y);
input clk, d;
output y;
wire q, held, low, {", ".join(wires)};
STEP from (.EDGE(clk), .IN(d), .OUT(q));
NOT_A turn (.I(clk), .O(low));
{before}
{latch.replace("DATA", at_latch)}
{behind}
STEP to (.EDGE(clk), .IN({at_end}), .OUT(y));
endmodule
"""


LATCH = "HOLD latch (.OPEN(low), .IN(DATA), .OUT(held));"
CASES = {
    "borrows": (netlist(24, 4, LATCH), ""),
    "borrows_most": (netlist(30, 1, LATCH), ""),
    "half_a_cycle": (netlist(12, 16, LATCH), ""),
    "a_cycle": (netlist(20, 4, "NOT_A held (.I(DATA), .O(held));"), ""),
    "two_cycles": (
        netlist(20, 2, "NOT_A held (.I(DATA), .O(held));"),
        "set_multicycle_path 2 -setup -from [get_cells from]",
    ),
}


def run_sta(folder: Path, design: str, constraint: str, script: str) -> list[list[str]]:
    """Words of the lines that a script prints with the design read."""
    (folder / "m.v").write_text(design)
    read = f"read_liberty {SMALL}\nread_verilog m.v\nlink_design m\n{CLOCK}\n{constraint}\n"
    (folder / "run.tcl").write_text(read + script)
    run = subprocess.run((STA, "-exit", "run.tcl"), cwd=folder, capture_output=True, text=True)
    assert "Error" not in run.stdout + run.stderr, run.stdout + run.stderr
    return [line.split() for line in run.stdout.splitlines()]


def slacks(folder: Path, design: str, constraint: str, periods: list[float]) -> list[float]:
    """The worst slack at each period."""
    script = f"""foreach period {{{" ".join(map(str, periods))}}} {{
  create_clock -name clk -period $period [get_ports clk]
  puts "SLACK [worst_slack]"
}}"""
    lines = run_sta(folder, design, constraint, script)
    return [float(words[1]) for words in lines if words[:1] == ["SLACK"]]


def shortest(folder: Path, design: str, constraint: str, start: float = 10.0) -> float:
    """The period that the search prints."""
    lines = run_sta(folder, design, constraint, period_search(start))
    return next(float(words[1]) for words in lines if words[:1] == ["PERIOD"])


@pytest.mark.parametrize("case", CASES)
def test_what_is_longer_than_a_period_that_holds_holds(case, tmp_path):
    """What the search relies on."""
    found = [slack >= 0 for slack in slacks(tmp_path, *CASES[case], GRID)]
    assert len(found) == len(GRID)
    assert not found[0]
    assert found == sorted(found), "a longer period violates"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("start", [0.25, 10.0])
def test_the_period_holds_and_one_shorter_by_the_resolution_does_not(case, start, tmp_path):
    period = shortest(tmp_path, *CASES[case], start)
    shorter = period * (1 - RESOLUTION)
    assert slacks(tmp_path, *CASES[case], [period])[0] >= 0
    assert slacks(tmp_path, *CASES[case], [shorter])[0] < 0


@pytest.mark.parametrize("case", ["borrows", "borrows_most"])
def test_slack_of_nothing_is_no_end_of_the_search(case, tmp_path):
    """A latch that borrows has a slack of 0 over a range of periods: the least of them counts."""
    found = slacks(tmp_path, *CASES[case], GRID)
    none = [period for period, slack in zip(GRID, found, strict=True) if slack == 0]
    assert none[-1] > 1.2 * none[0], "nothing borrows"
    period = shortest(tmp_path, *CASES[case])
    assert none[0] - 0.02 < period <= none[0]


def test_the_path_is_shown_at_a_period_that_violates(tmp_path):
    script = period_search(10.0) + 'puts "LEFT [worst_slack] $low $high"'
    lines = run_sta(tmp_path, *CASES["borrows"], script)
    slack, low, high = next(map(float, words[1:]) for words in lines if words[:1] == ["LEFT"])
    assert slack < 0
    assert high * (1 - RESOLUTION) <= low < high


def test_a_design_without_paths_ends_the_search(tmp_path):
    design = "module m (clk, y);\ninput clk;\noutput y;\nendmodule\n"
    assert shortest(tmp_path, design, "") == 10.0
