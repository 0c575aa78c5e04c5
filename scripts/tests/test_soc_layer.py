"""cimforge soc-layer: what it reports of a layer, and what it refuses before any work."""

import pytest

from cimforge.flow.simulate.simulator import Design
from cimforge.fpga.cpu.simulated_system import SimulatedSystem
from cimforge.hdl.params.config_file import InputError

TOLD = {"cycles": 1000, "macs": 4000, "utilisation": 0.9, "exact": True}


@pytest.fixture
def run(monkeypatch):
    """Emission and simulation stubbed; what they were given, and what the system tells."""
    given = {"told": dict(TOLD)}

    def emitted(config, folder):
        return SimulatedSystem(config, Design(config.engine.macro, folder, (), config.module, ()))

    def run_layer(target, program, folder, announce):
        given.update(system=target.config, program=program)
        if isinstance(given["told"], Exception):
            raise given["told"]
        return given["told"]

    for name in ("check_compiler", "check_simulator"):
        monkeypatch.setattr(f"cimforge.scripts.soc_layer.{name}", lambda *_: None)
    monkeypatch.setattr("cimforge.scripts.soc_layer.simulated_system", emitted)
    monkeypatch.setattr("cimforge.scripts.soc_layer.run_layer", run_layer)
    return given


def test_rates_are_those_of_the_clock(cimforge, run):
    sizes = ("--inputs", "32", "--outputs", "16", "--batch", "5")
    done = cimforge("soc-layer", "engine_small", *sizes, "--clock", "25", "--json")
    assert done.status == 0
    assert done.json["gops"] == pytest.approx(2 * 4000 / 1000 * 25e6 / 1e9)
    assert (done.json["clock_mhz"], done.json["cycles"]) == (25, 1000)
    program = run["program"]
    assert (program.inputs, program.outputs, program.batch) == (32, 16, 5)
    assert program.base == 1 << 28
    assert "0.9" in cimforge("soc-layer", "engine_small", *sizes).out


def test_the_default_is_a_layer_of_640_by_128(cimforge, run):
    assert cimforge("soc-layer", "--system", "rom_bytes=32768", "--json").status == 0
    program, system = run["program"], run["system"]
    assert (program.inputs, program.outputs, program.batch) == (640, 128, 128)
    assert (system.rom_bytes, system.ram_bytes) == (32768, 1 << 18)
    assert program.plan.end - program.base < system.ram_bytes


def test_other_results_than_goldens_fail(cimforge, run):
    run["told"]["exact"] = False
    done = cimforge("soc-layer", "--json")
    assert (done.status, done.json["exact"]) == (1, False)
    assert "the results differ from the golden model's" in done.messages[0]


def test_bad_input_is_one_line(cimforge, run):
    for arguments, rule in (
        (("tiny",), "soc-layer: weight_bits and input_bits must be 8, not 4 and 4"),
        (("--inputs", "100"), "soc-layer: inputs must be a multiple of 64, not 100 (nearest"),
        (("--system", "ram=1"), "--system: 'ram' is not one of rom_bytes,"),
    ):
        done = cimforge("soc-layer", *arguments)
        assert (done.status, done.out) == (2, "")
        assert rule in done.messages[0]
        assert "program" not in run
    run["told"] = InputError("rom_bytes: ROM holds too little")
    done = cimforge("soc-layer")
    assert (done.status, done.out) == (2, "")
