"""Macros measured of shared blocks against the same macros synthesised whole."""

import shutil
from pathlib import Path

import pytest

from cimforge.flow.shared_blocks.content_modules import content_modules
from cimforge.flow.shared_blocks.mapping_target import MappingTarget
from cimforge.flow.shared_blocks.measure_tasks import (
    describe,
    leaf_names,
    map_packed,
    measure,
    measure_whole,
)
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config

SMALL = Path(__file__).parent / "small.lib"
SG13G2 = Path(__file__).parent / "data" / "sg13g2_typ.lib.gz"
BASE = {"rows": 4, "cols": 2, "weight_bits": 2, "input_bits": 2}
TWO = [MacroConfig(**BASE), MacroConfig(**{**BASE, "cols": 3, "bits_per_cycle": 2})]
LATCH = {**BASE, "storage": "latch", "banks": 2}


def shared(configs, target, folder, period=False, apart=False):
    """What ``configs`` measure, their blocks mapped together, or ``apart`` in two runs."""
    described = describe(configs)
    blocks = {module.name: module for each in described for module in each.modules}
    packed = {}
    every = list(blocks.values())
    for batch in (every[::2], every[1::2]) if apart else (every,):
        found, broken = map_packed(batch, list(blocks.values()), target, folder / "map")
        assert not broken
        packed |= found
    assert set(packed) <= {*blocks, *leaf_names(target)}
    return [measure(each, packed, target, period, folder / "measure") for each in described]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("generic", MacroConfig(**LATCH)),
        ("ice40", MacroConfig(**BASE, tree="behavioral")),
        ("ecp5", TWO[1]),
    ],
)
def test_sizes_are_those_of_synth(kind, config, tmp_path):
    target = MappingTarget(kind)
    (together,) = shared([config], target, tmp_path)
    assert together == measure_whole(config, target, False, tmp_path / "whole")
    assert together["total"] > 0
    assert together["ffs"] > 0


@pytest.mark.skipif(shutil.which("sta") is None, reason="no sta on PATH; install OpenSTA")
@pytest.mark.parametrize(
    ("library", "changes"),
    [
        (SG13G2, {"weight_bits": 16, "cols": 3, "final_adder": "prefix", "group": 2}),
        (SG13G2, {"slice_bits": 1, "accumulate": "carry_save"}),
        (SMALL, {"cols": 9}),
    ],
)
def test_areas_and_periods_are_those_of_synth(library, changes, tmp_path):
    config, target = MacroConfig(**{**LATCH, **changes}), MappingTarget("liberty", (library,))
    (together,) = shared([config], target, tmp_path, period=library == SG13G2)
    whole = measure_whole(config, target, library == SG13G2, tmp_path / "whole")
    assert together == pytest.approx(whole, rel=1e-12)
    assert list(tmp_path.glob("*/netlist*")) == []  # nothing is left of the work


@pytest.mark.parametrize("target", ["generic", SG13G2], ids=["generic", "library"])
def test_a_block_is_the_same_whatever_is_mapped_beside_it(target, tmp_path):
    """ABC learns from one module to the next, and names sort by when they came up: alone, with one
    other before it, and behind all others, a block is the same to the last cell."""
    libraries = () if target == "generic" else (target,)
    found = MappingTarget("liberty" if libraries else target, libraries)
    every = content_modules(MacroConfig(**LATCH))
    blocks = [each for each in every if each.described]  # those with logic for ABC
    assert len(blocks) > 4
    together, broken = map_packed(blocks[::-1], every, found, tmp_path)
    assert not broken
    for block in blocks[::2]:
        alone, _ = map_packed([block], every, found, tmp_path)
        assert alone[block.name] == together[block.name]


def test_names_are_of_content_alone():
    def names(config):
        return {module.kind: module.name for module in content_modules(config)}

    one, wider = names(TWO[0]), names(MacroConfig(**{**BASE, "cols": 3}))
    assert one == names(MacroConfig(**BASE, name="mine"))
    assert one["column"] == wider["column"]
    assert one[""] != wider[""]
    taller = names(MacroConfig(**{**BASE, "rows": 5}))
    assert one["tree"] != taller["tree"]
    assert one["column"] != taller["column"]  # by what stands inside


def test_a_change_below_changes_all_above():
    """A block's name covers the names of those inside, and what their instances serve."""
    modules = content_modules(load_config("tiny", ["tree_stages=1"]))
    told = {module.name: module for module in modules}
    inside = [name for module in modules for _, name, _ in module.inside if name in told]
    assert set(inside) == set(told) - {modules[-1].name}
    order = list(told)
    for module in modules:
        for _, name, _ in module.inside:
            assert name not in told or order.index(name) < order.index(module.name)


def test_what_cannot_be_mapped_is_told(tmp_path):
    blocks = content_modules(TWO[0])
    broken = [block for block in blocks if block.kind == "tree"]
    object.__setattr__(broken[0], "source", "module ?")
    object.__setattr__(broken[0], "described", False)
    others = [block for block in blocks if block.kind in ("drivers", "sequencer")]
    mapped, told = map_packed([*broken, *others], blocks, MappingTarget("generic"), tmp_path)
    assert list(mapped) == [block.name for block in others]
    assert list(told) == [broken[0].name]
    assert "Yosys failed: ERROR: " in told[broken[0].name]
    assert "\n" not in told[broken[0].name]


def test_the_digest_tells_targets_and_libraries_apart(tmp_path):
    copied = tmp_path / "other_name.lib"
    copied.write_bytes(SMALL.read_bytes())
    digest = MappingTarget("liberty", (SMALL,)).digest
    assert MappingTarget("liberty", (copied,)).digest == digest
    changed = tmp_path / "changed.lib"
    changed.write_text(SMALL.read_text() + "\n")
    assert MappingTarget("liberty", (changed,)).digest != digest
    others = [MappingTarget(kind).digest for kind in ("generic", "ice40")]
    assert len({digest, *others}) == 3
