"""What the bus slave costs, as the README says."""

import json
from pathlib import Path

import pytest

from cimforge.hdl.bus.wishbone import WishboneSlave
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.tests.tools import yosys

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("preset", ["fpga_small", "base"])
def test_the_slaves_size_is_the_published_one(preset, tmp_path):
    slave = WishboneSlave(load_config(preset))
    (tmp_path / "slave.v").write_text(slave.verilog())
    yosys(
        tmp_path,
        f"read_verilog slave.v\nsynth_ice40 -top {slave.name}\ntee -q -o stat.json stat -json\n",
    )
    counts = json.loads((tmp_path / "stat.json").read_text())["design"]["num_cells_by_type"]
    luts = counts["SB_LUT4"]
    ffs = sum(count for kind, count in counts.items() if kind.startswith("SB_DFF"))
    assert f"slave of `{preset}` takes {luts:,} LUTs and {ffs:,} flip-flops" in " ".join(
        README.read_text().split()
    )
