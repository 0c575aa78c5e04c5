"""Verilator's run-time library is compiled once, whatever the designs; builds of other options or
tools have their own."""

import errno
import tempfile
from pathlib import Path

import pytest

from cimforge.flow.simulate import runtime_objects
from cimforge.flow.simulate.runtime_objects import keep_objects, lend_objects
from cimforge.flow.simulate.simulator import Design, build
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import load_config

COMPILES = "-o verilated.o"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A build's folder with two objects, an empty one, and a temporary folder of this test's."""
    for name in ("temporary", "built", "next"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for name in ("verilated.o", "verilated_vpi.o", "Vtop.o", "verilator.o"):
        (tmp_path / "built" / name).write_text(name)
    return tmp_path / "built", tmp_path / "next"


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_only_what_no_design_is_part_of_is_lent(folders):
    built, other = folders
    lend_objects(other, ["-a"])
    assert names(other) == []
    keep_objects(built, ["-a"])
    lend_objects(other, ["-a"])
    assert names(other) == ["verilated.o", "verilated_vpi.o"]
    assert (other / "verilated.o").read_text() == "verilated.o"


def test_the_first_kept_stays(folders):
    built, other = folders
    keep_objects(built, [])
    (built / "verilated.o").write_text("later")
    keep_objects(built, [])
    lend_objects(other, [])
    assert (other / "verilated.o").read_text() == "verilated.o"


def test_other_options_or_tools_have_objects_of_their_own(folders, monkeypatch):
    built, other = folders
    keep_objects(built, ["--trace"])
    lend_objects(other, [])
    monkeypatch.setattr(runtime_objects, "tool_versions", lambda simulator: "another g++")
    lend_objects(other, ["--trace"])
    monkeypatch.undo()
    monkeypatch.setenv("CPATH", "/elsewhere")
    lend_objects(other, ["--trace"])
    assert names(other) == []


def test_without_a_temporary_folder_of_the_users_builds_go_on(folders, monkeypatch, tmp_path):
    built, other = folders
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a b"))
    keep_objects(built, [])
    lend_objects(other, [])
    assert names(other) == []


def test_a_full_disk_keeps_nothing_and_ends_no_build(folders, monkeypatch, tmp_path):
    built, other = folders

    def full(source, target):
        Path(target).write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(runtime_objects.shutil, "copyfile", full)
    keep_objects(built, [])
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    lend_objects(other, [])
    assert names(other) == []
    assert not list((tmp_path / "temporary").rglob("*.o"))


def test_a_second_design_compiles_no_library(tmp_path):
    logs = []
    for rows in (2, 3):
        config = load_config("tiny", [f"rows={rows}", "cols=1"])
        folder = tmp_path / config.module
        emit_macro(config, folder)
        place = build(Design.emitted(config, folder), "verilator", announce=lambda _: None)
        logs.append((place / "build.log").read_text())
    assert "verilator.cpp" in logs[1]
    assert COMPILES not in logs[1]
