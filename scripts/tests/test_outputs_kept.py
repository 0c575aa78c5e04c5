"""What is on the disk already survives every verb: edited files, other macros, other results."""

import json
import subprocess
from pathlib import Path

import pytest

from cimforge.scripts.tests.conftest import COMMAND, SIMULATOR, environment
from cimforge.scripts.tests.test_bad_input import check_refused
from cimforge.scripts.tests.test_commands import digests

GENERATE = ("generate", "tiny", "--name", "m", "-o", "out")
EDITED = "out/m.v was changed since it was written, so it is kept; move it away, or verify it as it"


@pytest.mark.parametrize(
    "verb",
    [
        ("generate",),
        ("verify", "--simulator", SIMULATOR),
        ("synth", "--target", "generic"),
    ],
    ids=lambda words: words[0],
)
def test_a_source_edited_by_hand_is_never_written_over(cimforge, folder, verb):
    assert cimforge(*GENERATE).status == 0
    with (folder / "out/m.v").open("a") as source:
        source.write("// mine\n")
    before = digests(folder)
    outcome = cimforge(verb[0], *GENERATE[1:], *verb[1:], "--json")
    check_refused(outcome, EDITED)
    as_it_is = "verify tiny --set name=m --sources out/m.v --sources out/cim_cells.v -o out"
    assert outcome.err.endswith(f"is: cimforge {as_it_is}\n")
    assert digests(folder) == before


def test_a_folder_keeps_its_macro(cimforge, folder):
    assert cimforge(*GENERATE).status == 0
    before = digests(folder)
    other = cimforge("generate", "tiny", "--name", "other", "-o", "out", "--json")
    check_refused(other, "out holds m, and a folder holds one set of files; choose another with -o")
    assert digests(folder) == before


def test_a_macro_that_changed_leaves_no_file_of_the_old_one(cimforge, folder):
    assert cimforge(*GENERATE, "--bus", "wishbone").status == 0
    wrapper = {f"m_{end}" for end in ("wb.v", "wb.f", "wb.vlt", "regs.h", "regs.md")}
    assert wrapper <= set(digests(folder / "out"))
    assert cimforge(*GENERATE, "--set", "rows=5").status == 0
    left = digests(folder / "out")
    assert not wrapper & set(left)
    assert "wishbone" not in (folder / "out/m.core").read_text()
    listed = json.loads((folder / "out/manifest.json").read_text())["files"]
    assert {file["path"]: file["sha256"] for file in listed} == {
        path: digest for path, digest in left.items() if path != "manifest.json"
    }


def test_the_wrapper_stays_when_the_macro_is_generated_without_it(cimforge, folder):
    assert cimforge(*GENERATE, "--bus", "wishbone").status == 0
    before = digests(folder / "out")
    assert cimforge(*GENERATE).status == 0
    assert digests(folder / "out") == before


def test_two_generates_at_once_leave_one_whole_set(folder, in_folder):
    command = [*COMMAND, "generate", "tiny", "--json"]
    runs = [
        subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    reports = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0] * 3, reports
    assert len({out for out, _ in reports}) == 1
    assert in_folder(folder, *command[len(COMMAND) :]).status == 0


def test_results_of_a_network_stay_where_another_would_go(cimforge, folder):
    for report, expected in (("{}", "demo/report.json is not listed"), (None, "demo holds m, and")):
        words = ("run", "digits", "--config", "tiny", "--simulator", SIMULATOR, "-o", "demo")
        if report is None:
            (folder / "demo/report.json").unlink()
            assert cimforge(*GENERATE[:-1], "demo").status == 0
        else:
            (folder / "demo").mkdir()
            (folder / "demo/report.json").write_text(report)
        before = digests(folder)
        check_refused(cimforge(*words, "--json"), expected)
        assert digests(folder) == before


@pytest.mark.parametrize("verb", ["generate", "run"])
@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("bulid/x", "bulid does not exist; did you mean build? Else mkdir -p bulid"),
        ("--json", "'--json' is an option; for that name write ./--json"),
        ("link", "link is not a folder, but a symbolic link"),
        ("/dev/null", "/dev/null is not a folder, but a device"),
    ],
)
def test_a_folder_that_cannot_be_meant_is_refused(cimforge, folder, verb, output, expected):
    Path("link").symlink_to("nowhere")
    name = {"generate": "tiny", "run": "digits"}[verb]
    check_refused(cimforge(verb, name, "-o", output), expected)
    assert [path.name for path in folder.iterdir()] == ["link"]


@pytest.mark.parametrize("name", ["true", "dcim0", "inf"])
def test_a_name_is_the_macros_everywhere(cimforge, folder, name):
    done = cimforge("generate", "tiny", "--name", name, "--bus", "wishbone", "--json")
    assert done.status == 0, done.err
    assert done.json["top"] == name
    folder = folder / "build" / name
    assert f"module {name} (" in (folder / f"{name}.v").read_text()
    assert f"{name.upper()}_" in (folder / f"{name}_regs.h").read_text()


def test_a_name_that_is_none_is_refused(cimforge):
    check_refused(cimforge("generate", "tiny", "--name", "9 lives"), "name must be a letter and")
