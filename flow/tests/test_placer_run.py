"""Programs of place and route: what they say as they work and as they fail."""

import re

import pytest

from cimforge.flow import placer_run
from cimforge.flow.placer_run import run_tool
from cimforge.hdl.params.config_file import InputError

SAYS = """#!/bin/sh
echo 'Info: Packing constants..' >&2
echo 'Info: Packing IOs..'
echo 'Info: Creating initial analytic placement for 9 cells'
echo 'Info: Running simulated annealing placer for refinement.'
echo 'Info: Routing..' >&2
echo 'Info: Max frequency for clock: 30 MHz'
"""


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Makes a program of the environment."""

    def make(text: str) -> str:
        (tmp_path / "placer").write_text(text)
        (tmp_path / "placer").chmod(0o755)
        monkeypatch.setattr(placer_run, "program", lambda name: tmp_path / name)
        return "placer"

    return make


@pytest.mark.parametrize(("after", "count"), [(-1.0, 4), (30.0, 0)])
def test_phases_are_told_once_they_take_long(tool, tmp_path, monkeypatch, after, count):
    monkeypatch.setattr(placer_run, "TOLD_AFTER_S", after)
    said: list[str] = []
    run_tool(tmp_path, tool(SAYS), announce=said.append)
    phases = ["packing cells", "placing", "refining the placement", "routing"]
    assert [re.sub(r" \(\d+ s\)$", "", line) for line in said] == phases[:count]
    assert "Max frequency" in (tmp_path / "placer.log").read_text()
    assert "Packing constants" in (tmp_path / "placer.log").read_text()


@pytest.mark.parametrize(
    "reason",
    [
        "Unable to place cell 'x', no BELs remaining to implement cell type 'ICESTORM_LC'",
        "Unable to find legal placement for all cells, design is probably at utilisation limit.",
        "Failed to expand region for cell 'x'",
    ],
)
def test_a_design_that_is_too_large(tool, tmp_path, reason):
    text = f'#!/bin/sh\necho "ERROR: {reason}"\nexit 1\n'
    with pytest.raises(InputError, match="placer: the design does not fit the device") as refused:
        run_tool(tmp_path, tool(text))
    assert reason[:30] in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "reason",
    [
        "package does not have a pin named 'ZZ9' (on line 1)",
        "IO pin 'clk' constrained to pin 'ZZ9', which does not exist for package 'CABGA381'.",
        "Pin 523 not found (pin# style)",
        "Unknown location 'IO_ZZ_A8' used in line 1.",
        "No package for partnumber GW1NR-LV9",
        "unable to load uarch for device 'CCGM9', included uarches: gatemate",
        "Unsupported package 'xx'.",
    ],
)
def test_a_part_or_pin_that_is_not_there(tool, tmp_path, reason):
    """As the placers of the four families say it."""
    text = f'#!/bin/sh\necho "ERROR: {reason}"\nexit 1\n'
    with pytest.raises(InputError, match="the board's file names what its device does not have"):
        run_tool(tmp_path, tool(text))
