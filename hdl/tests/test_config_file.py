"""load_config: presets, TOML files and overrides, and one clear line for whatever is wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError, load_config, plain_overrides, plain_toml
from cimforge.hdl.params.errors import one_line
from cimforge.hdl.params.presets import PRESETS
from cimforge.hdl.tests.configs import DIVERSE

PRESET_NAMES = (
    "tiny, base, openc2, lean, wide, fpga_small, fpga_lutram, fpga_bram, fpga_hx8k, fpga_up5k, "
    "fpga_gowin, dense"
)


def complaint(source: str, *overrides: str) -> str:
    """The text of the InputError that loading raises."""
    with pytest.raises(InputError) as caught:
        load_config(source, overrides)
    return str(caught.value)


@pytest.fixture
def toml(tmp_path, monkeypatch):
    """Writes a TOML file in the working folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes, name: str = "my.toml") -> str:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_its_parameters(name):
    assert load_config(name) == MacroConfig(**PRESETS[name].parameters)


def test_a_file_starts_from_its_preset_and_overrides_come_last(toml):
    name = toml('preset = "openc2"\nrows = 5\ncols = 6\nweight_bits = 3\n')
    config = load_config(name, ["cols=7", "banks=2", "banks=3"])
    assert config == MacroConfig(
        rows=5, cols=7, weight_bits=3, input_bits=4, storage="latch", banks=3
    )


def test_an_empty_file_is_the_default(toml):
    assert load_config(toml("")) == MacroConfig()


def test_a_preset_name_wins_over_a_file(toml):
    toml("rows = 3", "wide")
    assert load_config("wide").rows == 128
    toml("rows = 3", "narrow")
    assert load_config("narrow").rows == 3


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("rows=37", "rows", 37),
        (" rows = 0x10 ", "rows", 16),
        ("storage=latch", "storage", "latch"),
        ('storage="latch"', "storage", "latch"),
        ("tree_stages=auto", "tree_stages", "auto"),
        ("features=[]", "features", ()),
    ],
)
def test_overrides_are_toml_values_or_bare_words(override, key, value):
    assert getattr(load_config("base", [override]), key) == value


@pytest.mark.parametrize(
    ("source", "overrides", "message"),
    [
        ("bas", (), "CONFIG: no preset 'bas'; did you mean 'base'?"),
        ("zzzz", (), f"CONFIG: no preset 'zzzz'; presets: {PRESET_NAMES}"),
        ("missing.toml", (), "missing.toml: No such file or directory"),
        ("/", (), "/: Is a directory"),
        ("base", ("rows",), "--set rows: must be key=value, for example rows=37"),
        ("base", ("=5",), "--set =5: must be key=value, for example rows=37"),
        (
            "base",
            ("preset=tiny",),
            "--set preset: choose the preset as CONFIG, not with --set",
        ),
        (
            "base",
            ("rows=",),
            "--set: rows must be an integer in 1..1024, not '' (nearest legal value: 64)",
        ),
        ("base", ("rows=\udcff",), r"--set rows=\udcff: not UTF-8"),
        ("base", ("row=5",), "--set: row is not a parameter; did you mean 'rows'?"),
        (
            "openc2",
            ("bits_per_cycle=3",),
            "--set: bits_per_cycle must divide input_bits = 4, not 3 (nearest legal value: 2)",
        ),
        (
            "fpga_small",
            ("tree_stages=9",),
            "--set: tree_stages must be in 0..4 (levels of this behavioral tree) or 'auto', not 9 "
            "(nearest legal value: 4)",
        ),
    ],
)
def test_a_bad_name_or_override_is_one_line_that_says_where(source, overrides, message):
    assert complaint(source, *overrides) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows = 5\nrows = 6", "my.toml: not TOML: Cannot overwrite a value (at end of document)"),
        ("rows", "my.toml: not TOML: Expected '='"),
        (b"\xff", "my.toml: not TOML: 'utf-8' codec can't decode byte 0xff"),
        (b"rows = " + b"[" * 5000, "my.toml: not TOML: "),
        (b"rows = " + b"1" * 5000, "my.toml: not TOML: Exceeds the limit (4300 digits)"),
        ("#" * (2**20 + 1), "my.toml: larger than 1 MiB; a config is a short TOML file"),
        ('preset = "tin"', "my.toml: preset: no preset 'tin'; did you mean 'tiny'?"),
        ("preset = 3", f"my.toml: preset: no preset 3; presets: {PRESET_NAMES}"),
        ("banks = 65", "my.toml: banks must be an integer in 1..64, not 65"),
        ("[rows]\nx = 1", "my.toml: rows must be an integer in 1..1024, not {'x': 1}"),
        ("a" + ".a" * 10001 + " = 1", "my.toml: not TOML: more than 10000 dots"),
        ("rows = 2020-01-01", "my.toml: rows must be an integer in 1..1024, not datetime.date("),
        ("rwos = 3", "my.toml: rwos is not a parameter; did you mean 'rows'?"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_bad_file_is_one_line_that_says_where(toml, text, message):
    found = complaint(toml(text))
    assert found.startswith(message)
    assert "\n" not in found


def test_a_file_of_one_mebibyte_is_read(toml):
    assert load_config(toml("rows = 3\n".ljust(2**20, "#"))).rows == 3


def test_what_an_override_breaks_is_said_of_the_override(toml):
    name = toml("input_bits = 6\nbits_per_cycle = 3\n")
    assert complaint(name, "bits_per_cycle=4").startswith("--set: bits_per_cycle must divide")
    assert complaint(name, "input_bits=4").startswith("my.toml: bits_per_cycle must divide")


@pytest.mark.parametrize(
    "text",
    [
        '"a\\nb" = 1',
        "self = 1",
        '"" = 1',
        "rows = 0x" + "f" * 5000,
        "tree_stages = 0x" + "f" * 5000,
        f'"{"x" * 500}" = 1',
        f'features = ["{"x" * 500}"]',
    ],
    ids=lambda text: text[:16],
)
def test_odd_keys_and_values_stay_one_short_line(toml, text):
    found = complaint(toml(text))
    assert "\n" not in found
    assert len(found) < 400


@pytest.mark.parametrize("override", ["a\nb=1", "self=1", "\udcff=1", "rows=0x" + "f" * 5000])
def test_odd_overrides_stay_one_short_line(override):
    found = complaint("base", override)
    assert "\n" not in found
    assert len(found) < 400


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n b\t c ", "a b c"),
        ("bell\x07", r"bell\x07"),
        ("x" * 800, "x" * 800),
        ("h" * 700 + "t" * 300, "h" * 600 + " ... " + "t" * 200),
    ],
    ids=["white space", "control", "fits", "long"],
)
def test_messages_become_one_printable_line(text, line):
    assert str(InputError(text)) == one_line(text) == line


def test_an_override_sets_one_key_only():
    assert "rows" in complaint("base", "rows=8\ncols=9")


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_no_override_gives_another_error_or_a_second_line(key, value):
    message = ""
    try:
        load_config("tiny", [f"{key}={value}"])
    except InputError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1


@pytest.mark.parametrize(
    "config",
    [
        *DIVERSE.values(),
        MacroConfig(weight_bits=16, slice_bits=8, name="true"),
        MacroConfig(features=("zero_skip",), tree_stages="auto"),
    ],
    ids=lambda config: config.module,
)
def test_a_plain_configuration_makes_the_macro_again(config, tmp_path):
    """As TOML and as overrides of base, which tell nothing but what differs from the defaults."""
    (tmp_path / "plain.toml").write_text(plain_toml(config))
    assert load_config(str(tmp_path / "plain.toml")) == config
    told = plain_overrides(config)
    assert load_config("base", told) == config
    assert len(told) == len(plain_toml(config).splitlines())
    for left_out in range(len(told)):
        try:
            other = load_config("base", [*told[:left_out], *told[left_out + 1 :]])
        except InputError:
            continue  # the others need it
        assert other != config
