"""cimforge verify of an engine: emitted or given, at its own ports and behind buses."""

import shutil

import pytest

from cimforge.hdl.params.engine_file import load_engine, names_engine
from cimforge.hdl.tests.tools import needs_icarus
from cimforge.scripts.main import main
from cimforge.scripts.tests.conftest import SIMULATOR

SETS = ("act_bytes=64", "acc_vectors=4", "channels=9")
ENGINE = ("tiny", *(word for each in SETS for word in ("--set", f"engine.{each}")))
NAME = load_engine("tiny", [f"engine.{each}" for each in SETS]).module
TOP = f"{NAME}_axil_axi"
SHORT = ("--simulator", SIMULATOR, "--test", "random_queues")  # the rest of the suite takes longer


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What cimforge engine leaves."""
    folder = tmp_path_factory.mktemp("engine") / "e"
    assert main(["engine", *ENGINE, "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def theirs(written, folder):
    """A user's copy of it, with a space in its path."""
    shutil.copytree(written, folder / "my engine")
    return folder / "my engine"


def test_an_engine_is_emitted_built_and_held_against_golden(cimforge, folder):
    done = cimforge("verify", *ENGINE, *SHORT, "--json", "-o", "out")
    told = done.json
    assert (done.status, told["passed"], told["failed"]) == (0, True, 0)
    assert (told["tests"], told["planned"], told["seed"]) == (1, 1, 1)
    assert told["passes"] > 5
    assert (folder / f"out/{NAME}.v").is_file()
    assert list(folder.glob("out/verify-engine*/results.xml"))
    again = cimforge("verify", *ENGINE, *SHORT, "--json", "-o", "out").json
    assert again == told


def test_a_folder_of_ours_is_checked_as_it_is(cimforge, theirs, folder):
    before = {path: path.read_bytes() for path in theirs.iterdir() if path.is_file()}
    done = cimforge("verify", *ENGINE, *SHORT, "--json", "--sources", theirs, "-o", "out")
    assert (done.status, done.json["passed"]) == (0, True), done.err
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in (folder / "out").iterdir()} == {"verify-sources"}


def test_an_edited_engine_fails_and_can_be_replayed(cimforge, theirs):
    source = theirs / f"{TOP}.v"
    text, counted = source.read_text(), "count_written = write_data_valid & write_data_ready"
    assert text.count(counted) == 1
    source.write_text(text.replace(counted, "count_written = write_data_valid"))
    done = cimforge("verify", *ENGINE, *SHORT, "--sources", theirs, "-o", "out")
    assert done.status == 1, done.out
    assert "FAILED engine_suite.test_random_queues: counted " in done.err
    assert f"--simulator {SIMULATOR} --seed 1 --sources '{theirs}' -o out --test" in done.err


@pytest.mark.parametrize(
    ("sources", "more", "message"),
    [
        (["cim_cells.v"], (), f"--sources: hold no module {NAME}; name yours with --top"),
        ([f"{TOP}.v"], (), "--sources: instantiate cim_"),
        (["."], ("--top", TOP), f"--sources: ports of {TOP}: start must be an input of 1 bit"),
        ([".", "--top", "mine"], (), "has no list mine.f of its Verilog, but the macro "),
        (["nosuch.v"], (), "'nosuch.v' does not exist"),
    ],
)
def test_what_is_no_such_engine_is_one_line(cimforge, theirs, monkeypatch, sources, more, message):
    monkeypatch.chdir(theirs)
    done = cimforge("verify", *ENGINE, *SHORT, "--sources", *sources, *more, "--json")
    assert (done.status, done.out) == (2, "")
    (line,) = done.messages
    assert message in line


def test_a_file_that_the_list_names_and_is_not_there_is_one_line(cimforge, theirs):
    (theirs / "cim_cells.v").unlink()
    done = cimforge("verify", *ENGINE, *SHORT, "--sources", theirs)
    assert (done.status, done.out) == (2, "")
    (line,) = done.messages
    assert line.startswith(f"cimforge: --sources: {theirs}/cim_cells.v is missing, which ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*ENGINE, "--netlist", "ice40"), "--netlist ice40: of a macro only"),
        ((*ENGINE, "--memory", "axi4"), "--memory axi4: only together with --bus"),
        ((*ENGINE, "--bus", "apb", "--patience", "9"), "--patience: of a macro only"),
        pytest.param(
            (*ENGINE, "--bus", "apb", "--simulator", "icarus"),
            "runs in verilator alone",
            marks=needs_icarus,
        ),
        (("tiny", "--memory", "axi4"), "--memory: only of an engine, with --bus"),
        (("tiny", "--set", "engine.lanes=3"), "lanes must be a power of 2"),
        (("engine_smal",), "engine_smal"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(cimforge, words, message):
    done = cimforge("verify", *words)
    assert (done.status, done.out) == (2, "")
    (line,) = done.messages
    assert message in line


def test_behind_buses_the_same_tests_run(cimforge):
    for package in ("cocotbext.apb", "cocotbext.axi"):
        pytest.importorskip(package)
    words = ("--bus", "apb", "--test", "random_queues", "--json", "-o", "out")
    done = cimforge("verify", *ENGINE, *words)
    assert (done.status, done.json["passed"], done.json["tests"]) == (0, True, 1), done.err


def test_a_name_is_told_to_be_an_engine(folder):
    (folder / "own.toml").write_text('lanes = 2\n[macro]\npreset = "tiny"\n')
    (folder / "macro.toml").write_text('preset = "tiny"\n')
    assert names_engine("engine_small")
    assert names_engine("own.toml")
    assert names_engine("tiny", ["rows=4", " engine.lanes=2"])
    assert not names_engine("tiny", ["rows=4"])
    assert not names_engine("macro.toml")
    assert not names_engine("nosuch.toml")
