"""cimforge datasheet: no value on the page that is not in the JSON beside it, and what was not run
is said."""

import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cimforge.flow.datasheet.checks import CHECKS
from cimforge.flow.datasheet.datasheet_page import pointed, shown_value
from cimforge.scripts import datasheet_runs

ALL = [name for name, check in CHECKS.items() if not check.mapped]
BAD = "../bad.lib"
TINY = ("datasheet", "tiny", "--simulator", "icarus", "-o", "out")


class Page(HTMLParser):
    """The values of a page by what they say they are, and the text that says nothing."""

    def __init__(self, text: str):
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self.keys: list[tuple[str, str]] = []
        self.typed = ""
        self._open: list[tuple[str, str] | None] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = [(name, value) for name, value in attrs if name in ("data-from", "data-key")]
        if told and told[0][0] == "data-from":
            self.values.append((told[0][1], ""))
        if told and told[0][0] == "data-key":
            self.keys.append((told[0][1], ""))
        if tag != "meta":
            self._open.append(
                told[0] if told else ("skip", "") if tag in ("style", "svg") else None
            )

    def handle_endtag(self, tag):
        self._open.pop()

    def handle_data(self, data):
        within = [each for each in self._open if each]
        if not within:
            self.typed += data
        elif within[-1][0] == "data-from":
            self.values[-1] = (self.values[-1][0], self.values[-1][1] + data)
        elif within[-1][0] == "data-key":
            self.keys[-1] = (self.keys[-1][0], self.keys[-1][1] + data)


def read(folder: Path) -> tuple[str, dict]:
    """The page and its JSON."""
    (page,) = (folder / "out" / "datasheet").glob("*_datasheet.html")
    return page.read_text(), json.loads(page.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def proven(tmp_path_factory, in_folder):
    """A folder with the datasheet of tiny, of whose checks only the proof ran."""
    folder = tmp_path_factory.mktemp("datasheet")
    done = in_folder(folder, *TINY, "--run", "--only", "prove")
    assert done.status == 0, done.err
    return folder


def test_every_value_is_the_json_s_and_no_number_is_typed(proven):
    text, sheet = read(proven)
    page = Page(text)
    assert len(page.values) > 200
    for pointer, shown in page.values:
        assert shown == shown_value(pointed(sheet, pointer)), pointer
    for pointer, shown in page.keys:
        pointed(sheet, pointer)
        assert pointer.endswith(f"/{shown}")
    assert "Registers" in page.typed
    assert [character for character in page.typed if character.isdigit()] == []


def test_a_parameter_that_is_not_set_is_no_empty_cell(proven):
    text, sheet = read(proven)
    assert sheet["parameters"]["name"] == ""
    table = text[text.index("<h2>Parameters</h2>") : text.index("<h2>Figures</h2>")]
    assert "<td></td>" not in table
    assert f'<span data-from="/name">{sheet["name"]}</span>, from the other' in table
    assert '<span data-from="/parameters/name">' not in table


def test_the_timing_is_the_diagram_that_the_manifest_lists(proven):
    text, sheet = read(proven)
    drawing = (proven / "out" / "timing.svg").read_text()
    listed = {file["path"]: file["sha256"] for file in sheet["files"]}
    assert listed["timing.svg"] == hashlib.sha256(drawing.encode()).hexdigest()
    assert drawing in text


def test_a_check_says_whether_it_ran_and_how_to_run_it(proven):
    text, sheet = read(proven)
    assert list(sheet["checks"]) == ALL
    ran = sheet["checks"]["prove"]
    assert (ran["status"], ran["result"]["proven"]) == ("passed", True)
    left = {name: told for name, told in sheet["checks"].items() if name != "prove"}
    assert {told["status"] for told in left.values()} == {"not run"}
    assert all(told["result"] is None for told in left.values())
    for told in sheet["checks"].values():
        assert f">{told['command']}<" in text
    assert left["netlist"]["command"] == (
        "cimforge verify tiny --netlist generic --simulator icarus -o out --json"
    )


def test_a_result_stays_while_what_decides_it_does(proven, cimforge, monkeypatch):
    monkeypatch.chdir(proven)
    before = read(proven)
    assert cimforge(*TINY).status == 0
    assert read(proven) == before
    monkeypatch.setattr(datasheet_runs, "_sources", lambda: "others")
    told = cimforge(*TINY, "--json").json["checks"]["prove"]
    assert (told["status"], told["result"]) == ("not run", None)
    assert told["why"] == "what decides it has changed since it ran"


@pytest.mark.parametrize(
    ("status", "out", "err", "expected"),
    [
        (1, '{"proven": false}', "FAILED a tree\ncimforge: 1 fault\n", ("failed", "1 fault")),
        (2, "", "cimforge: no iverilog on PATH\n", ("not run", "no iverilog on PATH")),
        (-9, "", "running …\n", ("not run", "the command ended without a result")),
    ],
)
def test_a_run_that_goes_wrong_is_told(cimforge, monkeypatch, status, out, err, expected):
    monkeypatch.setattr(datasheet_runs, "ended", lambda *_: (status, out, err))
    told = cimforge(*TINY, "--run", "--only", "prove", "--json")
    entry = told.json["checks"]["prove"]
    assert (entry["status"], entry["why"]) == expected
    assert told.status == (1 if expected[0] == "failed" else 0)
    if told.status:
        assert told.messages == [f"cimforge: 1 of {len(ALL)} checks failed: prove"]
        text, _ = read(Path())
        assert '<td class="failed">' in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--only", "prove"), "--only: only with --run"),
        (("--run", "--only", "library-synth"), "needs a cell library; add --liberty FILE"),
        (("--run", "--only", "sing"), "'sing' is not one of 'verify', 'netlist', 'prove'"),
        (("--liberty", "none.lib"), "--liberty none.lib: no such file"),
        (("--set", "rows=0"), "rows must be an integer in 1..1024, not 0"),
        (("--liberty", BAD), "bad.lib: not a Liberty file: line 1: 'hello' was not expected"),
        (("--run", "--only", "library-synth", "--liberty", BAD), "bad.lib: not a Liberty file"),
    ],
)
def test_bad_input_is_one_line_and_no_file(cimforge, folder, words, expected):
    (folder.parent / "bad.lib").write_text("hello\n")
    done = cimforge("datasheet", "tiny", *words)
    assert (done.status, done.out, len(done.messages)) == (2, "", 1)
    assert expected in done.err
    assert list(folder.iterdir()) == []


def test_cycles_that_may_be_fewer_say_so(cimforge):
    told = cimforge(*TINY, "--set", 'features=["zero_skip"]', "--json").json["figures"]
    cycles = {row["what"]: row["condition"] for row in told}
    assert "no plane of which is skipped" in cycles["latency, signed"]


def test_an_edited_result_is_refused(cimforge, folder):
    assert cimforge(*TINY).status == 0
    (stored,) = (folder / "out" / "datasheet").glob("*_datasheet.json")
    stored.write_text(stored.read_text().replace("not run", "passed"))
    done = cimforge(*TINY)
    assert (done.status, done.out) == (2, "")
    assert "was changed since it was written, so it is kept; move it away" in done.err
