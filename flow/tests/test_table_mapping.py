"""Tables become the RAM blocks that the configuration counts, on each target, and nothing else."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cimforge.flow.synth.census import area_roles
from cimforge.flow.synth.storage_check import check_storage, plain_rival
from cimforge.flow.synth.synth_report import SynthReport, synth_macro
from cimforge.flow.synth.synthesis import synthesise
from cimforge.flow.synth.targets import TARGETS
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.top import build_macro
from cimforge.hdl.netlist.yosys import YosysError
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.ram_counts import ram_blocks, ram_facts

# What the cells of a kind must say: the output register in use; of iCE40's there is none.
MODES = {
    "DP16KD": {"REGMODE_A": "OUTREG", "REGMODE_B": "OUTREG"},
    "SDPX9B": {"READ_MODE": "1"},
    "SB_RAM40_4K": {"READ_MODE": "0" * 32},
    "TRELLIS_DPR16X4": {"WREMUX": "WRE"},
}


def macro(rows: int, cols: int, bits: int, **more) -> MacroConfig:
    """A macro with inputs as wide as its weights."""
    return MacroConfig(rows=rows, cols=cols, weight_bits=bits, input_bits=bits, **more)


# Counted by hand: words of a group are columns times entry bits wide, a block of each cell's width.
MAPPED = {
    # groups of 4, 4, 2 rows: entries of 6, 6, 5 bits in 4 columns are 24, 24, 20 bits, 4 a block
    "lutram": (macro(10, 4, 4, storage="lutram"), {"TRELLIS_DPR16X4": 6 + 6 + 5}),
    # groups of 4 and 3: 6 bits in 3 columns are 18; for each of 3 banks and 2 planes
    "lutram_banks": (
        macro(7, 3, 4, storage="lutram", banks=3, bits_per_cycle=2, tree="behavioral"),
        {"TRELLIS_DPR16X4": (5 + 5) * 3 * 2},
    ),
    # groups of 9 and 2: entries of 8 and 5 bits in 5 columns are 40 and 25 bits, 36 a block
    "bram": (macro(11, 5, 4, storage="bram"), {"DP16KD": 2 + 1}),
    # two banks in one block: groups of 8 and 3, 7 and 6 bits in 5 columns
    "bram_banks": (macro(11, 5, 4, storage="bram", banks=2), {"DP16KD": 1 + 1}),
    # 2 columns in groups of 9 and 1: 16 and 8 bits; 3 columns in groups of 4, 4, 2: 18, 18, 15
    "hybrid": (
        macro(10, 5, 4, storage="hybrid", ram_cols=2),
        {"DP16KD": 1 + 1, "TRELLIS_DPR16X4": 5 + 5 + 4},
    ),
    # groups of 8 and 3 in 256 words: 7 and 6 bits in 5 columns are 35 and 30, 16 a block
    "ice40": (macro(11, 5, 4, storage="bram", ram="ice40"), {"SB_RAM40_4K": 3 + 2}),
    # groups of 9, 9, 1 rows, two slices of 2 bits in 3 columns: 5 and 2 bits in 6, 36 a block
    "gowin": (macro(19, 3, 4, storage="bram", ram="gowin", slice_bits=2), {"SDPX9B": 3}),
}
every_mapping = pytest.mark.parametrize(("config", "count"), MAPPED.values(), ids=MAPPED)


def synth(config: MacroConfig, folder: Path, target: str = "", **options) -> SynthReport:
    """The report on a macro, on its block's target."""
    emit_macro(config, folder)
    chosen = target or config.ram or ""
    return synth_macro(config, folder, chosen, announce=lambda _: None, **options)


def placed(folder: Path, top: str) -> tuple[Counter, dict[str, dict]]:
    """Cells of each type in a netlist, whole design, and the parameters of one of each."""
    modules = json.loads((folder / "netlist.json").read_text())["modules"]
    counts: Counter = Counter()
    shown: dict[str, dict] = {}

    def visit(module: str) -> None:
        for cell in modules[module]["cells"].values():
            inner = modules.get(cell["type"], {"attributes": {"blackbox": "1"}})
            if {"whitebox", "blackbox"} & set(inner["attributes"]):
                counts[cell["type"]] += 1
                shown[cell["type"]] = cell["parameters"]
            else:
                visit(cell["type"])

    visit(top)
    return counts, shown


@every_mapping
def test_the_count_of_blocks_is_that_counted_by_hand(config, count):
    assert ram_blocks(config) == count
    facts = ram_facts(config)
    assert (facts["family"], facts["blocks"]) == (config.ram, count)
    assert 0 <= facts["unused_bits"] < facts["total_bits"]


def test_unused_bits_are_those_of_no_entry():
    """One block of 512 words of 36 bits: nine rows' sums in 4 columns, 8 bits each."""
    facts = ram_facts(macro(9, 4, 4, storage="bram"))
    assert facts["total_bits"] == 512 * 36
    assert facts["unused_bits"] == 512 * (36 - 4 * 8)


def test_a_macro_without_tables_has_no_blocks():
    assert ram_blocks(MacroConfig()) == {}


@every_mapping
def test_tables_become_those_blocks_and_nothing_else(config, count, tmp_path):
    report = synth(config, tmp_path)
    assert report.ram_blocks == count
    cells, parameters = placed(report.folder, config.module)
    rams = {kind: n for kind, n in cells.items() if TARGETS[config.ram].is_ram(kind)}
    assert rams == count
    assert not [kind for kind in cells if "mem" in kind.lower()]
    for kind in count:
        wanted = MODES[kind]
        assert {key: parameters[kind][key] for key in wanted} == wanted
    facts = ram_facts(config)
    assert report.ffs < facts["total_bits"] - facts["unused_bits"]  # no table in flip-flops
    assert sum(report.breakdown.values()) == report.total


def test_no_flip_flop_is_added_with_more_words(tmp_path):
    """Four banks more in the same blocks: a bank's sign, its number and lines, no word of it."""
    few, many = (
        synth(macro(5, 2, 2, storage="bram", group=5, banks=banks), tmp_path / str(banks))
        for banks in (2, 8)
    )
    assert few.ram_blocks == many.ram_blocks
    assert many.ffs - few.ffs < 8 * 8 < 6 * 5 * 2 * 2


def test_lut_ram_counts_six_lut_sites_in_the_storage(tmp_path):
    config, count = MAPPED["lutram"]
    report = synth(config, tmp_path)
    (blocks,) = count.values()
    modules = json.loads((report.folder / "netlist.json").read_text())["modules"]
    roles = area_roles(build_macro(config))
    assert roles.of_module(f"{config.module}_ram_block") == "storage"
    assert f"{config.module}_ram_block" in modules
    assert 6 * blocks <= report.breakdown["storage"] < 6 * blocks + 100


@pytest.mark.parametrize(
    ("old", "new"), [(".READ_MODE(", ".READ_MOOD("), (".RADDR(", ".RADDRESS(")]
)
def test_the_vendors_description_checks_pins_and_parameters(old, new, tmp_path):
    config, _ = MAPPED["ice40"]
    emit_macro(config, tmp_path)
    path = tmp_path / f"{config.module}.v"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(YosysError, match=new.strip(".(")):
        synthesise(config, tmp_path, "ice40")


@pytest.mark.parametrize(
    ("changes", "target", "message"),
    [
        ({"storage": "bram"}, "generic", r"has no cell on generic .*: --target ecp5"),
        (
            {"storage": "bram", "ram": "gowin"},
            "generic",
            "has no cell on generic .*: --target gowin",
        ),
        ({"storage": "lutram"}, "ice40", "has no cell on ice40 .*: --target ecp5"),
        ({"storage": "hybrid"}, "liberty", "has no cell on liberty .*: --target ecp5"),
        (
            {"storage": "bram"},
            "ice40",
            r"blocks of ecp5, not ice40 .*: --set ram=ice40 --set group=8\)",
        ),
        (
            {"storage": "bram", "group": 6},
            "gowin",
            r"blocks of ecp5, not gowin .*: --set ram=gowin\)",
        ),
    ],
)
def test_another_target_is_refused_with_the_nearest(changes, target, message):
    config = macro(10, 4, 4, **changes)
    with pytest.raises(InputError, match=rf"--target {target}: storage .* {message}"):
        check_storage(config, target)


def test_what_cannot_choose_a_target_names_the_storage():
    config = macro(10, 4, 4, storage="bram")
    with pytest.raises(InputError, match=r"power: .*no cell on liberty .*: --set storage=flop"):
        check_storage(config, "liberty", "power")
    check_storage(config, "ecp5")


def test_narrow_weights_are_told_beside_flip_flops(tmp_path):
    """Both figures are measured; which is less is for the user to see."""
    config = macro(5, 2, 2, storage="lutram")
    report = synth(config, tmp_path)
    plain = synth(plain_rival(config), tmp_path / "plain", "ecp5")
    assert report.rival == {"storage": "flop", "total": plain.total}
    (note,) = report.notes
    assert f"{report.total:,} LUTs are" in note
    assert f"the {plain.total:,} that it has with storage=flop" in note


@pytest.mark.parametrize("changes", [{"storage": "bram"}, {"storage": "lutram", "weight_bits": 4}])
def test_others_have_no_rival(changes, tmp_path):
    report = synth(macro(5, 2, changes.pop("weight_bits", 2), **changes), tmp_path)
    assert report.rival is None
    assert report.notes == []


def test_a_rival_too_large_for_flip_flops_is_none():
    assert plain_rival(macro(1024, 1024, 2, storage="lutram", banks=64)) is None
    found = plain_rival(macro(10, 5, 2, storage="hybrid", ram_cols=1, banks=2))
    assert (found.storage, found.group, found.ram, found.banks) == ("flop", 1, None, 2)
