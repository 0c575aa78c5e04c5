"""What is exported of a macro, against numbers counted by hand."""

import configparser
import re
from dataclasses import replace

import pytest

from cimforge.compiler.energy.constants import EnergyConstants
from cimforge.compiler.export.accelforge_file import accelforge_text
from cimforge.compiler.export.cim_tuner_file import cim_tuner_numbers, cim_tuner_text
from cimforge.compiler.export.exported_macro import ExportedMacro
from cimforge.compiler.export.zigzag_file import zigzag_imc_text, zigzag_text
from cimforge.hdl.params.config import MacroConfig

CONSTANTS = EnergyConstants("by hand", 640, 64, 50, 64, 5, 1)
CONFIG = MacroConfig(
    rows=16, cols=8, weight_bits=4, input_bits=8, bits_per_cycle=2, banks=4, storage="latch"
)
FULL = ExportedMacro(CONFIG, 12_800.0, 2.5, 25.0, CONSTANTS, "a library", "given")
BARE = ExportedMacro(CONFIG, None, None, None, CONSTANTS)


def test_shares_of_a_macro():
    """A vector takes 4 cycles; a MAC is 32 1b-MACs of 25 fJ; 128 MACs share the area."""
    assert (FULL.cycles, FULL.mac_pj, FULL.mac_um2) == (4, 0.8, 100.0)
    assert FULL.absent == ()
    assert (BARE.mac_pj, BARE.mac_um2, BARE.absent) == (None, None, ("area", "period", "energy"))


def test_five_numbers():
    """2 planes of 16 rows a cycle; a row of 32 bits a cycle."""
    assert cim_tuner_numbers(FULL) == {
        "accumulation_length": 16,
        "parallel_channels": 8,
        "storage_compute_ratio": 4,
        "input_bandwidth": 32,
        "update_bandwidth": 32,
    }


def test_update_bandwidth_counts_the_cycles_of_a_bank():
    pairs = MacroConfig(**{**CONFIG.model_dump(), "group": 2})
    told = cim_tuner_numbers(replace(FULL, config=pairs))
    assert told["update_bandwidth"] == 16 * 32 // pairs.load_cycles(fill=True) < 32


def parsed(macro):
    reader = configparser.ConfigParser()
    reader.read_string(cim_tuner_text(macro, "a command"))
    return {key: value for section in reader.sections() for key, value in reader[section].items()}


def test_cim_tuner_reads_its_file():
    told = parsed(FULL)
    assert told == {
        **{"cim_name": CONFIG.module, "data_width_input": "8", "data_width_weight": "4"},
        **{"data_width_output": "32", "single_macro_al": "16", "single_macro_pc": "8"},
        **{"initial_scr": "4", "input_compute_bw": "32", "weight_update_bw": "32"},
        **{"frequency": "400", "simultaneously_write_compute": "True"},
        **{"energy_efficiency": "2.5", "macro_area": "12800.00"},
    }
    assert (
        parsed(replace(FULL, config=CONFIG.model_copy(update={"banks": 1})))[
            "simultaneously_write_compute"
        ]
        == "False"
    )


def test_absent_numbers_are_left_out_and_said():
    text = cim_tuner_text(BARE, "a command")
    for key in ("frequency", "energy_efficiency", "macro_area"):
        assert key not in parsed(BARE)
        assert f"# {key}: not measured" in text
    for written in (text, zigzag_text(BARE, "c"), accelforge_text(BARE, "c")):
        for name in ("area", "period", "energy"):
            assert f"# {name} was not measured" in written
    assert "unit_energy: 0.0 # pJ, not measured" in zigzag_text(BARE, "c")
    assert "unit_area: 0.0 # mm2, not measured" in zigzag_text(BARE, "c")
    assert "energy: 0, throughput: inf} # energy: not measured" in accelforge_text(BARE, "c")


def test_headers_say_what_was_measured():
    for text in (cim_tuner_text(FULL, "c"), zigzag_text(FULL, "c"), accelforge_text(FULL, "c")):
        assert f"# {CONFIG.module}, made by c\n" in text
        assert "# area 12800.00 um2 of cells, wires not counted, on a library\n" in text
        assert "# clock period 2.5000 ns on a library\n" in text
        assert "# energy 25.0000 fJ a 1b-MAC: given\n" in text


def test_zigzag():
    """A pass takes 16 x 8 bits of inputs, 8 sums of 32 bits: 256 bits of the memory above."""
    text = zigzag_text(FULL, "c")
    assert "# a cycle is a pass: 4 of the macro's, 10.0000 ns\n" in text
    for told in ("unit_energy: 0.8 # pJ", "unit_area: 0.0001 # mm2", "sizes: [8, 16]"):
        assert told in text
    assert "size: 16\n    r_cost: 0.0" in text  # four weights of four bits
    assert "r_cost: 2560.0" in text
    assert "bandwidth_max: 256" in text


def test_zigzag_imc_wants_powers_of_two():
    assert "bit_serial_precision: 2" in zigzag_imc_text(FULL, "c")
    odd = replace(FULL, config=CONFIG.model_copy(update={"rows": 20}))
    rule = "rows must be a power of 2 for ZigZag-IMC (nearest legal value: 16)"
    with pytest.raises(ValueError, match=re.escape(rule)):
        zigzag_imc_text(odd, "c")


def test_accelforge_is_in_si_units():
    text = accelforge_text(FULL, "c")
    assert "{name: compute, energy: 8e-13, throughput: 1e+08}" in text
    assert "area: 1e-10\n" in text
    assert "{name: read, energy: 1e-11, throughput: inf}" in text
    assert "size: 4 * (weight.bits_per_value if weight else 0)" in text
