"""Parameters of an engine: what is derived, and each refusal with its nearest legal value."""

import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_file import ENGINES, engine_command, load_engine
from cimforge.hdl.params.errors import ConfigError

BASE = load_config("base")

REFUSED = [
    ({"bus_bits": 48}, "bus_bits must be a power of 2, not 48 (nearest legal value: 64)"),
    ({"bus_bits": 16}, "bus_bits must be an integer in 32..512, not 16 (nearest legal value: 32)"),
    ({"acc_bits": 40}, "acc_bits must be 32 or 48, not 40 (nearest legal value: 48)"),
    ({"lanes": 3}, "lanes must be a power of 2, not 3 (nearest legal value: 4)"),
    (
        {"lanes": 8},
        "lanes must be at most 4, the elements of a word of the bus, not 8 (nearest legal value: ",
    ),
    ({"act_bytes": 100}, "act_bytes must be a power of 2, not 100 (nearest legal value: 128)"),
    ({"channels": 3}, "channels must be at least 16, the outputs of a pass, not 3"),
    ({"burst": 5}, "burst must be a power of 2, not 5 (nearest legal value: 4)"),
    ({"bus_bits": 512, "burst": 128}, "burst must be at most 64, a page of 4096 bytes"),
    ({"macros": 0}, "macros must be an integer in 1..64, not 0 (nearest legal value: 1)"),
    ({"lane": 2}, "lane is not a parameter; did you mean 'lanes'?"),
]


@pytest.mark.parametrize(("parameters", "rule"), REFUSED)
def test_an_illegal_parameter_is_refused_with_the_nearest_legal_one(parameters, rule):
    with pytest.raises(ConfigError) as refused:
        EngineConfig(macro=BASE, **parameters)
    assert str(refused.value).startswith(rule)


def test_sums_are_as_wide_as_results():
    wide = MacroConfig(rows=1024, cols=1, weight_bits=16, input_bits=16)
    with pytest.raises(ConfigError, match="must be at least the macro's y_bits = 43, not 32"):
        EngineConfig(macro=wide)
    assert EngineConfig(macro=wide, acc_bits=48).outputs == 1


def test_a_small_buffer_holds_two_of_its_words():
    bits = MacroConfig(rows=512, cols=1, bits_per_cycle=8)
    with pytest.raises(ConfigError, match="two of its words, not 256 \\(nearest legal value: 1024"):
        EngineConfig(macro=bits, act_bytes=256)


def test_more_outputs_than_descriptors_can_name_are_refused():
    many = MacroConfig(rows=1, cols=1024, weight_bits=16, slice_bits=1, input_bits=1)
    with pytest.raises(ConfigError, match="macros must be at most 3: 65535 outputs a pass"):
        EngineConfig(macro=many, macros=5, channels=65535)


def test_sizes_of_base_counted_by_hand():
    config = EngineConfig(macro=load_config("base", ["banks=2"]), macros=3)
    # 16 columns of 8 bits in each of 3 macros: 384 bits, 12 words of 32
    assert (config.outputs, config.row_bits, config.row_words) == (48, 384, 12)
    # 64 bytes in the 8 cycles of a pass: 8 a cycle
    assert (config.vector_bytes, config.gather_bytes, config.gather_words) == (64, 8, 8)
    assert config.element_bytes == 1


@pytest.mark.parametrize(
    ("source", "override", "told"),
    [
        ("engine_smal", (), "no preset 'engine_smal'; did you mean 'engine_small'?"),
        ("tiny", ("bus_bits=64",), "--set bus_bits: is a parameter of the engine: --set engine."),
    ],
)
def test_what_is_the_engine_s_is_told(source, override, told):
    with pytest.raises(InputError) as refused:
        load_engine(source, override)
    assert str(refused.value).startswith(told)


def test_a_name_that_was_chosen_is_kept():
    assert load_engine("engine_small").module.endswith(load_engine("engine_small").digest[:6])
    assert load_engine("engine_small", ["name=dcim"]).module == "dcim_engine"
    assert load_engine("tiny").module == "cim_r8c4_w4x4_k1_b1_flop_csa_engine"


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_made_again_by_its_command(name):
    config = load_engine(name)
    words = engine_command(config).split()
    assert words[:2] == ["cimforge", "engine"]
    again = load_engine(words[2], words[4::2])
    assert again == config
    assert again.digest == config.digest


def test_an_engine_of_a_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('lanes = 2\n[macro]\npreset = "tiny"\nrows = 11\n')
    config = load_engine(str(file), ["cols=3", "engine.burst=8"])
    assert (config.macro.rows, config.macro.cols, config.lanes, config.burst) == (11, 3, 2, 8)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("macro = 3\n", "macro must be a table, not 3"),
        ('[macro]\npreset = "tony"\n', "macro.preset: no preset 'tony'"),
        ("[macro]\nrows = 0\n", "macro: rows must be an integer in 1..1024, not 0"),
        ("lanes = 3\n[macro]\n", "lanes must be a power of 2"),
        ("rows = 9\nlanes = 3\n", "lanes is not a parameter"),
        ("[macro", "not TOML"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(tmp_path, text, rule):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        load_engine(str(file))
    assert str(file) in str(refused.value)
    assert rule in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("engine.", "--set engine.: must be engine.key=value"),
        ("engine.macro=3", "--set engine.macro: the macro's parameters are set without engine."),
        ("engine.lanes=3", "--set engine.lanes: lanes must be a power of 2"),
        ("engine.lane=3", "--set engine.lane: lane is not a parameter"),
    ],
)
def test_an_override_that_is_wrong_is_one_line(override, rule):
    with pytest.raises(InputError) as refused:
        load_engine("tiny", [override])
    assert str(refused.value).startswith(rule)
