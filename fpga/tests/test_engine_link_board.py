"""An engine behind a link on the emitted Verilog of a board's top; its parameters and pins."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cimforge.flow.simulate.simulator import build, run_tests
from cimforge.fpga.board_link import linked_board
from cimforge.fpga.boards import BOARDS
from cimforge.fpga.engine_link.linked_engine import (
    LinkedEngine,
    build_linked_engine,
    emit_linked_engine,
    linked_bitstream,
    linked_design,
)
from cimforge.fpga.spi_slave import LEAST_RATIO
from cimforge.fpga.uart import LEAST_DIVISOR
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.tests.tools import yosys

HX8K = BOARDS["hx8k"]
FAST = HX8K._replace(baud=HX8K.clock_hz // LEAST_DIVISOR)
MACRO = MacroConfig(rows=8, cols=4, weight_bits=4, input_bits=4, banks=2)
SMALL = EngineConfig(macro=MACRO, act_bytes=128, acc_vectors=12, channels=16)
WIDE = EngineConfig(macro=MACRO, act_bytes=256, acc_vectors=12, channels=16, bus_bits=64)
UART_TESTS, SPI_TESTS = 9, 2


def folder_of(request) -> Path:
    """A test's own folder, whose builds are used again."""
    return Path("build/tests") / request.node.name


def outcome(config: LinkedEngine, link: str, folder, tests: str | None = None) -> dict:
    """Each test of the suite with what failed."""
    emit_linked_engine(config, FAST, folder, link)
    design = linked_design(config, folder, link)
    build(design, "verilator", announce=lambda _: None)
    line = {"ratio": LEAST_RATIO} if link == "spi" else {"divisor": FAST.divisor}
    job = {"engine": config.engine.parameters(), "ram_bytes": config.ram_bytes, "line": line}
    suite, results = ["cimforge.fpga.tests.engine_link_suite"], folder / "verify"
    ended = run_tests(
        design, "verilator", suite, results, job={**job, "seed": 1}, test_filter=tests
    )
    assert not ended, ended
    cases = ET.parse(results / "results.xml").getroot().findall(".//testcase")
    ran = [case for case in cases if case.find("skipped") is None]
    return {
        case.get("name", ""): [failure.get("message", "") for failure in case.findall("failure")]
        for case in ran
    }


def test_the_board_passes_its_suite(request):
    """A frame is executed, a queue waited for, whatever is lost; a bus wider than a word."""
    told = outcome(
        LinkedEngine(WIDE, ram_bytes=8192, wait_cycles=1 << 10), "uart", folder_of(request)
    )
    assert not any(told.values()), told
    assert len(told) == UART_TESTS


def test_the_board_computes_over_spi(request):
    chosen = "the_driver_computes_layers|inputs_travel"
    told = outcome(LinkedEngine(SMALL, ram_bytes=8192), "spi", folder_of(request), chosen)
    assert not any(told.values()), told
    assert len(told) == SPI_TESTS


@pytest.mark.parametrize(
    ("name", "link"), [("hx8k", "uart"), ("ulx3s-85f", "uart"), ("icebreaker", "spi")]
)
def test_its_pins_are_the_boards_and_its_sources_whole(name, link, tmp_path):
    board = linked_board(BOARDS[name], link, "BOARD")
    config = LinkedEngine(SMALL, ram_bytes=4096)
    top = build_linked_engine(config, board, link)
    assert set(top.ports) == set(board.pins)
    emitted = emit_linked_engine(config, board, tmp_path, link)
    assert emitted.name == top.name == f"{config.module}_soc"
    sources = (tmp_path / f"{top.name}.f").read_text().split()
    verilog = " ".join(source for source in sources if source.endswith(".v"))
    script = f"read_verilog {verilog}\nhierarchy -check -top {top.name}\nproc\ncheck -assert"
    yosys(tmp_path, script)


@pytest.mark.parametrize(
    ("size", "near"), [(5000, 4096), (1, 4096), (1 << 21, 1 << 20), ("all", 65536), (True, 65536)]
)
def test_illegal_memory_is_refused(size, near):
    with pytest.raises(ConfigError, match="ram_bytes must be a power of 2 in 4096") as raised:
        LinkedEngine(SMALL, ram_bytes=size)
    assert raised.value.nearest == near


def test_streams_and_other_links_are_refused():
    with pytest.raises(ConfigError, match="engine must be without streams"):
        LinkedEngine(SMALL.model_copy(update={"streams": True}))
    with pytest.raises(ValueError, match="link must be one of uart, spi, not 'i2c'"):
        build_linked_engine(LinkedEngine(SMALL), HX8K, "i2c")


def test_the_name_tells_other_parameters():
    names = {
        LinkedEngine(SMALL, **own).module
        for own in ({}, {"ram_bytes": 8192}, {"wait_cycles": 9}, {"ram_bytes": 1 << 16})
    }
    assert len(names) == 3
    assert f"{SMALL.module}_link" in names


def test_place_and_route_is_given_the_top(monkeypatch, tmp_path):
    told = {}

    def built(top, folder, name, board, announce, seeds):
        told.update(top=top.name, board=name, seeds=seeds)
        assert (folder / f"{top.name}.v").exists()
        return "report"

    monkeypatch.setattr("cimforge.fpga.engine_link.linked_engine.build_bitstream", built)
    config = LinkedEngine(SMALL, ram_bytes=4096)
    assert linked_bitstream(config, HX8K, "hx8k", tmp_path, seeds=(2,)) == "report"
    assert told == {"top": f"{config.module}_soc", "board": "hx8k", "seeds": (2,)}
