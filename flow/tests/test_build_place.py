"""Simulations are built where make and Verilator can, wherever the design lies."""

import os
import tempfile
from pathlib import Path

import pytest

from cimforge.flow.simulate.build_place import (
    build_root,
    check_installation,
    placed_sources,
    unsafe_characters,
)
from cimforge.hdl.params.config_file import InputError

ODD = ["a b", "12:30", "x#1", "a;b", "$(HOME)", "50%", "it's", 'a"b', "back\\slash", "a\nb", "é"]


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A temporary folder of this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_an_ordinary_folder_is_built_in(tmp_path, temporary):
    assert build_root(tmp_path / "a-b_1.2+3@4") == tmp_path.resolve() / "a-b_1.2+3@4"
    (tmp_path / "m.v").touch()
    assert placed_sources(tmp_path, ["m.v"]) == [tmp_path.resolve() / "m.v"]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ODD)
def test_an_odd_folder_is_built_elsewhere_from_copies(tmp_path, temporary, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "m.v").write_text("one")
    root = build_root(folder)
    assert root.is_relative_to(temporary)
    assert root != build_root(tmp_path / f"{name}2")
    (source,) = placed_sources(folder, ["m.v"])
    assert source.read_text() == "one"
    assert source.is_relative_to(root)
    (folder / "m.v").write_text("two")
    assert placed_sources(folder, ["m.v"])[0].read_text() == "two"


def test_sources_of_one_name_stay_apart(tmp_path, temporary):
    (tmp_path / "a b").mkdir()
    (tmp_path / "c d").mkdir()
    names = [tmp_path / "a b/m.v", tmp_path / "c d/m.v"]
    for number, path in enumerate(names):
        path.write_text(str(number))
    placed = placed_sources(tmp_path, list(map(str, names)))
    assert [path.read_text() for path in placed] == ["0", "1"]


def test_unsafe_characters_are_named():
    assert unsafe_characters(Path("/a b:c/é")) == "' ', ':', 'é'"
    assert unsafe_characters(Path("/A-b/_1.2+3@4")) == ""


def test_an_installation_that_make_cannot_take_is_refused(monkeypatch):
    check_installation()
    monkeypatch.setattr("sys.prefix", "/my code/.venv")
    with pytest.raises(InputError, match=r"verilator: /my code/\.venv holds ' ', which"):
        check_installation()


def test_a_temporary_folder_that_cannot_be_used_is_named(tmp_path, temporary, monkeypatch):
    odd = tmp_path / "a b"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    with pytest.raises(InputError, match=r"TMPDIR: .*holds ' ', which make cannot take; choose"):
        build_root(odd)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    place = temporary / f"cimforge-{os.getuid()}"
    place.write_text("in the way")
    with pytest.raises(InputError, match="set TMPDIR to a folder of yours"):
        build_root(odd)
    place.unlink()
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(InputError, match="is not yours alone; set TMPDIR to a folder of yours"):
        build_root(odd)
