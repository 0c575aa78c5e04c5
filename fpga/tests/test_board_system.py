"""A system on a board: its top, and what place and route is given."""

from importlib.util import find_spec

import pytest

from cimforge.fpga.boards import BOARDS
from cimforge.fpga.cpu.board_system import build_board_system, system_bitstream
from cimforge.fpga.cpu.system import ROM_FILE
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.system_outputs import write_sources
from cimforge.hdl.tests.tools import yosys

NAMES = ("hx8k", "tangnano9k", "ulx3s-85f")
needs_core = pytest.mark.skipif(
    find_spec("pythondata_cpu_picorv32") is None,
    reason="no PicoRV32; install pythondata-cpu-picorv32",
)


def config_of(name: str) -> SystemConfig:
    """A system for a board."""
    return SystemConfig(rom_bytes=1024, ram_bytes=4096, divisor=BOARDS[name].divisor)


@pytest.mark.parametrize("name", NAMES)
def test_a_board_has_the_pins_that_its_file_names(name):
    top = build_board_system(config_of(name), BOARDS[name])
    assert set(top.ports) == set(BOARDS[name].pins)
    assert all(port.width == 1 for port in top.ports.values())


def test_another_divisor_is_refused():
    with pytest.raises(ValueError, match="divisor must be the board's, 30, not 8"):
        build_board_system(SystemConfig(), BOARDS["ulx3s-85f"])


@needs_core
@pytest.mark.parametrize("name", NAMES)
def test_its_sources_are_whole(name, tmp_path):
    """Every module but the PLL's is there, with its ports, and the ROM is read."""
    config = config_of(name)
    top = build_board_system(config, BOARDS[name])
    write_sources(config, top, tmp_path)
    (tmp_path / ROM_FILE).write_text("12345678\n" * 256)
    sources = (tmp_path / f"{top.name}.f").read_text().split()
    cells = "read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v\n"
    if BOARDS[name].family == "ice40":
        cells = "read_verilog -lib +/ice40/cells_sim.v\n"
    yosys(
        tmp_path,
        f"{cells}read_verilog {' '.join(sources)}\nhierarchy -check -top {top.name}\nproc\n"
        f"check -assert\nselect -assert-min 1 {config.module}_rom/t:$meminit*",
    )


@needs_core
def test_the_program_lies_where_synthesis_looks(monkeypatch, tmp_path):
    told = {}

    def build(top, folder, name, board, announce, seeds):
        work = folder / "fpga" / name
        told.update(top=top.name, rom=(work / ROM_FILE).read_text(), seeds=seeds)
        assert (folder / f"{top.name}.f").read_text().split() == ["picorv32.v", f"{top.name}.v"]
        return "report"

    monkeypatch.setattr("cimforge.fpga.cpu.board_system.build_bitstream", build)
    config, board = config_of("hx8k"), BOARDS["hx8k"]
    assert system_bitstream(config, board, "hx8k", tmp_path, "00\n", seeds=(3,)) == "report"
    assert told == {"top": f"{config.module}_board", "rom": "00\n", "seeds": (3,)}
