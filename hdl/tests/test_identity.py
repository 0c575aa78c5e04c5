"""What identifies a config: name, digest, canonical command, presets and JSON schema."""

import re
import shlex
import tomllib
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import (
    canonical_command,
    load_config,
    plain_overrides,
    plain_toml,
)
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.presets import PRESETS
from cimforge.hdl.tests.configs import legal_parameters

COMMON = re.compile(
    r"cim_r(\d+)c(\d+)_w(\d+)x(\d+)_k(\d+)_b(\d+)_(flop|latch|setclear|sram|lutram|bram|hybrid)_"
    r"(csa|csa42|ripple|behavioral|approx1|approx2)(?:_([0-9a-f]{6}))?"
)


def legal_configs():
    """Random legal configs."""
    return legal_parameters().map(lambda parameters: MacroConfig(**parameters))


@given(legal_configs())
@settings(max_examples=200, deadline=None)
def test_name_encodes_the_common_parameters_and_a_digest_of_any_other(config):
    fields = COMMON.fullmatch(config.module).groups()
    assert [int(text) for text in fields[:6]] == [
        config.rows,
        config.cols,
        config.weight_bits,
        config.input_bits,
        config.bits_per_cycle,
        config.banks,
    ]
    assert fields[6:8] == (config.storage, config.tree)
    rams = (config.sram_words, config.sram_bits, config.sram_ports)
    adders = (config.tree_stages, config.final_adder, config.accumulate, config.final_stages)
    others = (*adders, config.multiply, config.slice_bits, config.features, *rams)
    default_elsewhere = others == (0, "ripple", "binary", 0, "plain", None, (), *[None] * 3)
    groups, blocks = {"lutram": 4, "bram": 9, "hybrid": 9}, {"lutram": "ecp5", "bram": "ecp5"}
    tables = config.group, config.ram, config.ram_cols
    own = groups.get(config.storage, 1), blocks.get(config.storage), None
    default_elsewhere &= tables == own  # hybrid's are never: its columns are divided
    assert fields[8] == (None if default_elsewhere else config.digest[:6])


def test_a_group_that_is_no_default_is_told():
    """A single row a table is flop's default group, and not that of tables."""
    alone = MacroConfig(storage="lutram", group=1)
    command = "cimforge generate base --set storage=lutram"
    assert canonical_command(alone) == f"{command} --set group=1"
    assert canonical_command(MacroConfig(storage="lutram")) == command
    assert (
        plain_toml(MacroConfig(storage="bram", ram="ice40")) == 'storage = "bram"\nram = "ice40"\n'
    )


def test_names_of_the_design_page():
    assert MacroConfig(cols=64, storage="latch").module == "cim_r64c64_w8x8_k1_b1_latch_csa"
    assert MacroConfig(tree_stages=2).module.startswith("cim_r64c16_w8x8_k1_b1_flop_csa_")


@given(st.lists(legal_configs(), min_size=2, max_size=12))
@settings(max_examples=100, deadline=None)
def test_names_and_digests_agree_exactly_where_parameters_do(configs):
    for a in configs:
        for b in configs:
            same = a.parameters() == b.parameters()
            assert (a.module == b.module) == same
            assert (a.digest == b.digest) == same
            assert (a == b) == same


def test_every_parameter_changes_the_name():
    others = {
        "rows": 63,
        "cols": 17,
        "weight_bits": 7,
        "input_bits": 4,
        "bits_per_cycle": 2,
        "slice_bits": 4,
        "banks": 2,
        "storage": "latch",
        "group": 2,
        "tree": "ripple",
        "tree_stages": 1,
        "final_adder": "prefix",
        "accumulate": "carry_save",
        "final_stages": 1,
        "features": ["zero_skip"],
        "multiply": "xnor",
        "name": "dcim0",
    }
    rams = {"sram_words": 3, "sram_bits": 5, "sram_ports": "1rw_reg"}
    names = {MacroConfig(storage="sram", **{key: value}).module for key, value in rams.items()}
    assert len(names | {MacroConfig(storage="sram").module}) == len(rams) + 1
    blocks = {"group": 8, "ram": "gowin", "ram_cols": 3}
    names = {
        MacroConfig(**{"storage": "hybrid" if key == "ram_cols" else "bram", key: value}).module
        for key, value in blocks.items()
    }
    assert len(names | {MacroConfig(storage=name).module for name in ("bram", "hybrid")}) == 5
    assert {*others, *rams, *blocks} == set(MacroConfig.model_fields)
    bits = {"weight_bits": 1, "input_bits": 1}
    needed = {
        "multiply": bits,
        "final_stages": {"accumulate": "carry_save"},
    }  # what a value needs beside it
    names = {MacroConfig(**{key: v, **needed.get(key, {})}).module for key, v in others.items()}
    defaults = {MacroConfig().module, MacroConfig(**bits).module}
    assert len(names | defaults) == len(others) + len(defaults)
    booth = MacroConfig(multiply="booth", bits_per_cycle=2)
    assert booth.module != MacroConfig(bits_per_cycle=2).module


def test_stating_a_default_changes_nothing():
    assert MacroConfig(slice_bits=8, tree_stages=0).digest == MacroConfig().digest
    assert MacroConfig(slice_bits=8).module == MacroConfig().module
    assert MacroConfig(slice_bits=8) == MacroConfig()
    assert MacroConfig(group=1).digest == MacroConfig().digest
    assert MacroConfig(group=1) == MacroConfig()
    whole = {"storage": "sram", "banks": 3, "sram_words": 3, "sram_bits": 128}
    assert MacroConfig(**whole, sram_ports="1r1w") == MacroConfig(storage="sram", banks=3)
    tables = MacroConfig(storage="lutram", ram="ecp5", group=4)
    assert tables == MacroConfig(storage="lutram")
    assert tables.module == "cim_r64c16_w8x8_k1_b1_lutram_csa"
    assert MacroConfig(storage="bram", banks=3, group=7) == MacroConfig(storage="bram", banks=3)
    whole = {"storage": "hybrid", "cols": 5, "ram_cols": 2}
    assert MacroConfig(**whole).digest == MacroConfig(storage="hybrid", cols=5).digest


@given(legal_configs())
@settings(max_examples=200, deadline=None)
def test_canonical_command_makes_the_config_again(config):
    program, verb, preset, *options = shlex.split(canonical_command(config))
    assert (program, verb) == ("cimforge", "generate")
    assert options[::2] == ["--set"] * (len(options) // 2)
    assert load_config(preset, options[1::2]).parameters() == config.parameters()


@given(legal_configs())
@settings(max_examples=200, deadline=None)
def test_a_plain_configuration_makes_the_config_again(config):
    assert load_config("base", plain_overrides(config)).parameters() == config.parameters()
    assert MacroConfig(**tomllib.loads(plain_toml(config))) == config


@pytest.mark.parametrize("name", ["true", "inf", "nan", "mine", "e1", "x_2"])
def test_a_name_that_toml_takes_for_another_thing_is_quoted(name):
    command = canonical_command(MacroConfig(name=name))
    *_, option = shlex.split(command)
    assert load_config("base", [option]).name == name
    assert ('"' in option) == (name in ("true", "inf", "nan"))


def made_of(parameters: dict[str, Any]) -> MacroConfig | None:
    """The config of these parameters, if they are legal."""
    try:
        return MacroConfig(**parameters)
    except ConfigError:
        return None


@given(legal_configs())
@settings(max_examples=200, deadline=None)
def test_canonical_command_is_the_shortest(config):

    def needed(preset: str) -> int:
        """Of what has a default of its own those that differ; of the rest the fewest that do."""
        given = PRESETS[preset].parameters
        base, settled = MacroConfig(**given), {"group", "ram", "ram_cols"} - {*given}
        keys = {*MacroConfig.model_fields} - settled
        changed = {k: getattr(config, k) for k in keys if getattr(base, k) != getattr(config, k)}
        for count in range(len(settled) + 1):
            for told in combinations(sorted(settled), count):
                more = {key: getattr(config, key) for key in told}
                if made_of(given | changed | more) == config:
                    return len(changed) + count
        return 99  # what a preset says cannot be unsaid

    fewest = min(needed(preset) for preset in PRESETS)
    assert canonical_command(config).count("--set") == fewest


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_legal_differs_from_the_others_and_says_why(name):
    parameters, reason = PRESETS[name]
    config = MacroConfig(**parameters)
    defaults = MacroConfig().parameters()
    assert canonical_command(config) == f"cimforge generate {name}"
    assert len(reason) > 20
    assert reason[0].islower() or reason[0].isdigit()
    assert [key for key, value in parameters.items() if defaults[key] == value] == []


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Whether ``value`` fits the part of JSON Schema that MacroConfig's schema uses."""
    if "anyOf" in schema:
        return any(accepts(form, value) for form in schema["anyOf"])
    if "const" in schema:
        return value == schema["const"]
    types = {"integer": int, "string": str, "array": list, "object": dict, "null": type(None)}
    if not isinstance(value, types[schema["type"]]) or isinstance(value, bool):
        return False
    if isinstance(value, int):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    if isinstance(value, list):
        return all(accepts(schema["items"], item) for item in value)
    if isinstance(value, dict):
        known, others = schema["properties"], schema["additionalProperties"]
        return all(others if k not in known else accepts(known[k], v) for k, v in value.items())
    return value in schema.get("enum", [value])


SCHEMA = MacroConfig.model_json_schema()


@pytest.mark.parametrize("name", PRESETS)
def test_schema_accepts_presets_and_full_configs(name):
    parameters = PRESETS[name].parameters
    assert accepts(SCHEMA, parameters)
    assert accepts(SCHEMA, MacroConfig(**parameters).parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"row": 8},
        {"rows": 0},
        {"rows": "8"},
        {"rows": True},
        {"cols": 1025},
        {"banks": 65},
        {"storage": "paper"},
        {"tree_stages": "none"},
        {"features": "ecc"},
        {"slice_bits": 17},
    ],
    ids=str,
)
def test_schema_rejects_what_no_config_can_have(wrong):
    assert not accepts(SCHEMA, wrong)


def test_schema_describes_every_parameter():
    assert list(SCHEMA["properties"]) == list(MacroConfig.model_fields)
    assert all(entry["description"] for entry in SCHEMA["properties"].values())
    assert {key: entry["default"] for key, entry in SCHEMA["properties"].items()} == {
        **MacroConfig().model_dump(mode="json")
    }


def test_a_command_tells_a_group_that_its_ranks_need():
    """With the group that a block would hold there was one operand, and no rank to place."""
    config = MacroConfig(
        rows=7,
        cols=2,
        weight_bits=2,
        input_bits=2,
        storage="bram",
        ram="gowin",
        group=5,
        tree_stages=1,
    )
    words = shlex.split(canonical_command(config))
    assert load_config(words[2], words[4::2]) == config
    assert "group=5" in words
