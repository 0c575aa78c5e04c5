"""Bad input is exit status 2, nothing on stdout, one line on stderr and no file."""

import re
from pathlib import Path

import pytest

from cimforge.hdl.params.presets import PRESETS

INTEGER = "rows must be an integer in 1..1024, not {} (nearest legal value: {})"

BINARY = "--set multiply=xnor --set weight_bits=1 --set input_bits=1"
INTEGERS = (
    "needs integers, and multiply = xnor has -1 and 1 alone "
    "(nearest legal value: --set multiply=plain)"
)

COMMANDS = [
    (
        "",
        "Missing command; verbs: generate, verify, mutants, prove, draw, synth, power, fpga, mvm, "
        "run, example, requantise, energy, size, explore, datasheet, diff, export, soc, engine, "
        "handover, layout, schema, doctor",
    ),
    ("gen tiny", "No such command 'gen'; verbs: generate, verify"),
    ("--nope", "No such option '--nope'"),
    ("generate", "Missing argument 'CONFIG'; see cimforge generate --help"),
    ("generate tiny more", "Got unexpected extra argument (more)"),
    ("generate tiny --nope", "No such option '--nope'. Did you mean '--name'? see cimforge"),
    ("generate tiny --set", "Option '--set' requires an argument"),
    ("generate tiny -o", "Option '-o' requires an argument"),
    ("generate bas", "CONFIG: no preset 'bas'; did you mean 'base'?"),
    ("generate xyz", f"CONFIG: no preset 'xyz'; presets: {', '.join(PRESETS)}"),
    ("generate missing.toml", "missing.toml: No such file or directory"),
    ("generate no/such/file", "no/such/file: No such file or directory"),
    ("generate .", ".: Is a directory"),
    ("generate {folder}", "{folder}: Is a directory"),
    ("generate " + "x" * 300, "File name too long"),
    (
        "verify tiny --seed -1",
        "Invalid value for '--seed': -1 is not in the range 0<=x<=4294967295",
    ),
    ("verify tiny --seed 4294967296", "4294967296 is not in the range 0<=x<=4294967295"),
    ("verify tiny --seed 1.5", "'1.5' is not a valid integer"),
    ("verify tiny --jobs 0", "Invalid value for '--jobs': 0 is not in the range 1<=x<=64"),
    ("verify tiny --jobs 65", "65 is not in the range 1<=x<=64"),
    ("verify tiny --simulator questa", "'questa' is not one of 'verilator', 'icarus'"),
    ("verify tiny --test [", "'--test': '[' is no regular expression: unterminated character set"),
    ("verify tiny --test (?P<a", "is no regular expression"),
    ("verify tiny --test " + "(" * 5000, "is no regular expression"),
    ("synth tiny --cell " + "f" * 5000, "must be role=NAME, for example fa=FA_X1, not 'fff"),
    ("verify tiny --cluster local:2", "--cluster: only with --draw, whose macros workers check"),
    (
        "verify --draw 2 --cluster here",
        "--cluster: must be local, local:N or tcp://HOST:PORT",
    ),
    ("verify --draw 0", "0 is not in the range 1<=x<=100000"),
    ("mutants tiny --cluster local:0", "N must be in 1..256, not '0' (nearest legal value: 1)"),
    (
        "run digits --cluster local:2",
        "--cluster: runs a network from a file, and digits",
    ),
    ("verify bas", "CONFIG: no preset 'bas'; did you mean 'base'?"),
    ("run", "Missing argument 'MODEL'; see cimforge run --help"),
    ("run mnist", "Invalid value for 'MODEL': must be digits, which is trained first, or a "),
    ("run digits --images 0", "0 is not in the range x>=1"),
    ("run digits --images 401", "--images: digits has 400 test images, not 401"),
    ("run digits --config bas", "CONFIG: no preset 'bas'; did you mean 'base'?"),
    ("run digits --set weight_bits=1", "digits needs weight_bits >= 2 for symmetric quantisation"),
    ("run digits --set input_bits=1", "digits needs input_bits >= 2 for symmetric quantisation"),
    (f"run digits {BINARY}", f"digits {INTEGERS}"),
    (f"power tiny {BINARY} --liberty none.lib", f"power {INTEGERS}"),
    ("layout bas", "CONFIG: no preset 'bas'; did you mean 'base'?"),
    ("layout tiny --technology osu35", "'--technology': 'osu35' is not 'osu018'; see"),
    (
        "layout tiny --set storage=sram",
        "layout: no cell library holds the RAMs of storage sram (nearest legal value: --set "
        "storage=flop)",
    ),
    (
        "power tiny --set storage=sram --liberty none.lib",
        "no cell library tells the energy of the RAMs of storage sram (nearest legal value: --set "
        "storage=flop)",
    ),
    ("mvm tiny", "Missing option '--weights'"),
    ("mvm tiny --weights w.npy", "Missing option '--inputs'"),
    ("schema more", "Got unexpected extra argument (more)"),
    ("doctor --set rows=1", "No such option '--set'"),
]

OVERRIDES = [
    ("rows", "--set rows: must be key=value, for example rows=37"),
    ("=3", "--set =3: must be key=value"),
    ("preset=base", "--set preset: choose the preset as CONFIG, not with --set"),
    ("rwos=3", "--set: rwos is not a parameter; did you mean 'rows'?"),
    ("self=1", "--set: self is not a parameter"),
    ("tree_stages=0x" + "f" * 5000, "--set: tree_stages must be "),
    ("a.b=1", "--set: 'a.b' is not a parameter; parameters: rows, cols"),
    ("rows=", INTEGER.format("''", 64)),
    ("rows=0", INTEGER.format("0", 1)),
    ("rows=1025", INTEGER.format("1025", 1024)),
    ("rows=2.6", INTEGER.format("2.6", 3)),
    ("rows=true", INTEGER.format("True", 64)),
    ("rows=nan", INTEGER.format("nan", 64)),
    ("rows=inf", INTEGER.format("inf", 1024)),
    ("rows=-inf", INTEGER.format("-inf", 1)),
    ("rows=1e999", INTEGER.format("inf", 1024)),
    (f"rows={10**400}", INTEGER.format("1" + "0" * 36 + "...", 1024)),
    (f"rows=-{10**400}", INTEGER.format("-1" + "0" * 35 + "...", 1)),
    ("rows=0x" + "f" * 5000, INTEGER.format("an unprintable int", 1024)),
    ("rows=" + "9" * 5000, "rows must be an integer in 1..1024, not '999"),
    ("rows=" + "[" * 5000, "rows must be an integer in 1..1024, not '[[["),
    ("rows={" + "a." * 20_000 + "a=1}", "rows must be an integer in 1..1024, not '{a.a"),
    ("rows=[8]", INTEGER.format("[8]", 64)),
    ("rows={a=1}", INTEGER.format("{'a': 1}", 64)),
    ("rows=1979-05-27", INTEGER.format("datetime.date(1979, 5, 27)", 64)),
    ("rows=07:32:00", INTEGER.format("datetime.time(7, 32)", 64)),
    ("rows=8\ncols=9", INTEGER.format(r"'8\ncols=9'", 64)),
    ("ro\nws=8", r"--set: 'ro\nws' is not a parameter"),
    ("\x1b[31m=8", r"'\x1b[31m' is not a parameter"),
    ("\udcff=8", r"--set \udcff=8: not UTF-8"),
    ("x" * 5000 + "=8", "is not a parameter; parameters: rows"),
    (
        "storage=latsch",
        "storage must be one of flop, latch, setclear, sram, lutram, bram, hybrid, not 'latsch'",
    ),
    (
        "storage=dram",
        "storage must be one of flop, latch, setclear, sram, lutram, bram, hybrid, not 'dram' "
        "(nearest legal value: 'sram')",
    ),
    ("storage=0x" + "f" * 5000, "not an unprintable int (nearest legal value: 'flop')"),
    ("tree_stages=99", "tree_stages must be in 0.."),
    ("tree_stages=many", "tree_stages must be an integer or 'auto', not 'many'"),
    ("bits_per_cycle=3", "bits_per_cycle must divide input_bits = 4, not 3"),
    ("features=ecc", "features must be a list of strings, not 'ecc' (nearest legal value: [])"),
]

FILES = [
    (b"rows = 8\nrows = 9\n", "not TOML: Cannot overwrite a value (at line 2"),
    (b"rows", "not TOML: Expected '='"),
    (b"\x00\x01\x02\xff", "not TOML: 'utf-8' codec can't decode byte 0xff"),
    ("rows = 8".encode("utf-16"), "not TOML: 'utf-8' codec can't decode byte 0xff in position 0"),
    (b"rows = 8\x00", "not TOML: "),
    (b"rows = " + b"[" * 20_000, "not TOML: maximum recursion depth exceeded"),
    (b"rows = " + b"{a=" * 20_000, "not TOML: maximum recursion depth exceeded"),
    (b".".join([b"a"] * 20_000) + b" = 1", "not TOML: more than 10000 dots"),
    (b"rows = " + b".".join([b"a"] * 50_000), "not TOML: more than 10000 dots"),
    (b"#" * (2**20 + 1), "larger than 1 MiB; a config is a short TOML file"),
    (b"rows = " + b"9" * 5000, "not TOML: Exceeds the limit (4300 digits)"),
    (b"banks = 0x" + b"f" * 5000, "banks must be an integer in 1..64, not an unprintable int"),
    (b"rows" + b".a" * 3000 + b" = 1", "rows must be an integer in 1..1024, not "),
    (b'rows = "8"', INTEGER.format("'8'", 8)),
    (b"[rows]\nx = 1", INTEGER.format("{'x': 1}", 64)),
    (b"[[rows]]", INTEGER.format("[{}]", 64)),
    (b"preset = 3", "preset: no preset 3; presets: tiny"),
    (b"preset = 0x" + b"f" * 5000, "preset: no preset an unprintable int; presets: tiny"),
    (b'preset = "tin"', "preset: no preset 'tin'; did you mean 'tiny'?"),
    (b'preset = "tiny"\nbits_per_cycle = 8', "bits_per_cycle must divide input_bits = 4, not 8"),
    (b'"a\\nb" = 1', r"'a\nb' is not a parameter"),
    (b'"" = 1', "'' is not a parameter"),
    (b'storage = "a\\u2028b"', r"storage must be one of flop, latch"),
    (b'features = ["fast"]', "features must be among zero_skip, not 'fast' (nearest legal"),
    (b"rows = 1024\ncols = 1024\nbanks = 64", "(nearest legal value: 2)"),
]


def check_refused(outcome, *expected: str) -> None:
    """Exit status 2, no stdout and one short line with the expected texts."""
    assert (outcome.status, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith("cimforge: ")
    assert line.isprintable()
    assert len(line) < 400
    for text in expected:
        assert text in line


@pytest.mark.parametrize(("words", "expected"), COMMANDS, ids=[c[0][:40] for c in COMMANDS])
def test_a_command_that_is_wrong_is_refused(cimforge, folder, words, expected):
    outcome = cimforge(*words.format(folder=folder).split())
    check_refused(outcome, expected.format(folder=folder))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("override", "expected"), OVERRIDES, ids=[o[0][:20] for o in OVERRIDES])
def test_an_override_that_is_wrong_is_refused(cimforge, folder, override, expected):
    check_refused(cimforge("generate", "tiny", "--set", override, "--json"), "--set", expected)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "expected"), FILES, ids=[re.sub(r"\W+", "-", str(f[0][:20])) for f in FILES]
)
def test_a_file_that_is_wrong_is_refused(cimforge, folder, content, expected):
    (folder / "my.toml").write_bytes(content)
    check_refused(cimforge("generate", "my.toml"), "my.toml: ", expected)
    assert [path.name for path in folder.iterdir()] == ["my.toml"]


def test_a_name_that_is_no_text_is_shown_escaped(cimforge):
    check_refused(cimforge("generate", "\udcff.toml"), r"\udcff.toml: No such file or directory")
    check_refused(cimforge("generate", "a\nb\x1b.toml"), r"a b\x1b.toml: No such file or directory")
    check_refused(cimforge("generate", ""), "CONFIG: no preset ''; presets: tiny")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full"])
def test_a_device_without_an_end_is_not_read_to_it(cimforge, device):
    if not Path(device).exists():
        pytest.skip(f"no {device} here")
    check_refused(cimforge("generate", device), f"{device}: larger than 1 MiB")


def test_a_byte_order_mark_is_no_error(cimforge, folder):
    (folder / "notepad.toml").write_bytes(b'\xef\xbb\xbfpreset = "tiny"\r\nrows = 3\r\n')
    assert cimforge("generate", "notepad.toml", "--json").json["config"]["rows"] == 3
