"""The one rule of outputs: sets appear whole, and no file that a user wrote or edited is lost."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cimforge.hdl.emit import outputs as rule
from cimforge.hdl.emit.output_paths import PathError, check_file, check_folder
from cimforge.hdl.emit.outputs import listing, open_outputs, write_file
from cimforge.hdl.params.config_file import InputError

EDITED = "was changed since it was written, so it is kept; move it away"


def write(folder: Path, texts: dict[str, str], name: str = "set", **facts: str) -> list[str]:
    """Write a set of files and return the names of those removed."""
    with open_outputs(folder, name) as outputs:
        return outputs.write(texts, {"name": name, "files": listing(texts), **facts})


def texts_in(folder: Path) -> dict[str, str]:
    """Every file of a folder but its manifest."""
    found = {path.name: path.read_text() for path in folder.iterdir()}
    found.pop("manifest.json", None)
    return found


def test_a_set_is_written_again_and_an_untouched_older_one_replaced(tmp_path):
    folder = tmp_path / "new" / "folder"
    assert write(folder, {"a.txt": "one", "b.txt": "two"}) == []
    first = (folder / "manifest.json").read_bytes()
    assert write(folder, {"a.txt": "one", "b.txt": "two"}) == []
    assert (folder / "manifest.json").read_bytes() == first
    assert write(folder, {"a.txt": "newer"}) == ["b.txt"]
    assert texts_in(folder) == {"a.txt": "newer"}


@pytest.mark.parametrize("edited", ["a.txt", "manifest.json"])
def test_a_file_that_was_edited_is_never_replaced(tmp_path, edited):
    write(tmp_path, {"a.txt": "one", "b.txt": "two"})
    changed = (tmp_path / edited).read_text().replace("one", "One").replace("set", "set ")
    (tmp_path / edited).write_text(changed)
    before = texts_in(tmp_path)
    with pytest.raises(InputError, match=EDITED):
        write(tmp_path, {"a.txt": "newer", "b.txt": "newer"})
    assert texts_in(tmp_path) == before
    assert (tmp_path / edited).read_text() == changed


def test_an_edit_that_agrees_with_the_new_set_is_no_conflict(tmp_path):
    write(tmp_path, {"a.txt": "one"})
    (tmp_path / "a.txt").write_text("two")
    write(tmp_path, {"a.txt": "two"})
    assert texts_in(tmp_path) == {"a.txt": "two"}


def test_a_file_that_left_the_set_is_kept_where_it_was_edited(tmp_path):
    write(tmp_path, {"a.txt": "one", "b.txt": "two"})
    (tmp_path / "b.txt").write_text("mine")
    assert write(tmp_path, {"a.txt": "one"}) == []
    assert texts_in(tmp_path)["b.txt"] == "mine"


def test_a_users_file_of_that_name_is_kept(tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(InputError, match=r"a\.txt is not listed in a manifest, so it is kept"):
        write(tmp_path, {"a.txt": "ours"})
    assert texts_in(tmp_path) == {"a.txt": "mine"}


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"files": [{}], "name": "set"}'])
def test_a_manifest_of_something_else_is_kept(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json is not a manifest of cimforge's"):
        write(tmp_path, {"a.txt": "ours"})
    assert (tmp_path / "manifest.json").read_text() == text


def test_a_folder_holds_one_set(tmp_path):
    write(tmp_path, {"a.txt": "one"}, "first")
    with pytest.raises(InputError, match="holds first, and a folder holds one set of files"):
        write(tmp_path, {"b.txt": "two"}, "second")
    assert texts_in(tmp_path) == {"a.txt": "one"}


def test_links_pipes_and_folders_are_never_replaced(tmp_path):
    (tmp_path / "target").write_text("far away")
    for make, kind in (
        (lambda path: path.symlink_to(tmp_path / "target"), "a symbolic link"),
        (os.mkfifo, "a pipe"),
        (Path.mkdir, "a folder"),
    ):
        for name in ("a.txt", "manifest.json"):
            folder = tmp_path / f"{kind} {name}"
            folder.mkdir()
            make(folder / name)
            with pytest.raises(InputError, match=f"{name} is {kind}, which is never replaced"):
                write(folder, {"a.txt": "far away"})
            assert [path.name for path in folder.iterdir()] == [name]
    assert (tmp_path / "target").read_text() == "far away"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_set_that_could_not_be_written_whole_leaves_the_old_one(tmp_path, monkeypatch, error):
    write(tmp_path / "old", {"a.txt": "one", "b.txt": "two"})
    whole = Path.write_bytes

    def fail(path: Path, data: bytes) -> int:
        if path.name == "b.txt":
            raise error
        return whole(path, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    for folder in ("old", "new"):
        with pytest.raises(type(error)):
            write(tmp_path / folder, {"a.txt": "newer", "b.txt": "newer"})
    assert texts_in(tmp_path / "old") == {"a.txt": "one", "b.txt": "two"}
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("after", range(3))
def test_a_process_that_dies_between_renames_hinders_no_later_run(tmp_path, monkeypatch, after):
    write(tmp_path, {"a.txt": "one", "b.txt": "two"})
    renames = iter(range(3))
    whole = Path.replace

    def die(path: Path, target: Path) -> Path:
        if next(renames) == after:
            raise SystemExit
        return whole(path, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(SystemExit):
        write(tmp_path, {"a.txt": "newer", "b.txt": "newer"})
    monkeypatch.undo()
    write(tmp_path, {"a.txt": "newest", "b.txt": "newest"})
    assert texts_in(tmp_path) == {"a.txt": "newest", "b.txt": "newest"}


def test_writers_of_one_folder_wait_for_each_other(tmp_path):
    script = """
import sys
from pathlib import Path
from cimforge.hdl.tests.test_outputs import write
for round in range(40):
    write(Path(sys.argv[1]), {name: sys.argv[2] * 9999 for name in "abcd"})
"""
    command = [sys.executable, "-c", script, str(tmp_path / "out")]
    runs = [subprocess.Popen([*command, letter], stderr=subprocess.PIPE) for letter in "xy"]
    for run in runs:
        _, errors = run.communicate(timeout=60)
        assert run.returncode == 0, errors
    assert len(set(texts_in(tmp_path / "out").values())) == 1


def test_what_another_run_made_stays_while_it_is_true(tmp_path):
    made = {"command": "c", "tools": "1"}
    write(tmp_path, {"a": "one", "bus": "two", "gone": "three"}, **made)
    (tmp_path / "gone").unlink()
    with open_outputs(tmp_path, "set") as outputs:
        assert [file["path"] for file in outputs.kept(made, {"a": "one"})] == ["bus"]
        assert outputs.kept({**made, "tools": "2"}, {"a": "one"}) == []


def test_the_manifest_lists_hashes_and_its_own(tmp_path):
    write(tmp_path, {"a.txt": "one"})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["files"] == listing({"a.txt": "one"})
    text = json.dumps({"name": "set", "files": manifest["files"]}, indent=2) + "\n"
    assert manifest["sha256"] == listing({"": text})[0]["sha256"]


def test_an_edited_source_is_refused_with_the_way_to_verify_it(tmp_path):
    command = {"command": "cimforge generate tiny"}
    write(tmp_path, {"set.v": "one", rule.CELLS: "two"}, **command)
    (tmp_path / "set.v").write_text("mine")
    with pytest.raises(InputError) as refused:
        write(tmp_path, {"set.v": "newer", rule.CELLS: "two"}, **command)
    sources = f"--sources {tmp_path}/set.v --sources {tmp_path}/cim_cells.v"
    shown = str(refused.value)
    assert shown.endswith(f"or verify it as it is: cimforge verify tiny {sources} -o {tmp_path}")


def test_a_set_may_have_folders_which_go_with_their_last_file(tmp_path):
    inside = {"a.txt": "one", "site/index.html": "two", "site/css/page.css": "three"}
    write(tmp_path, inside)
    assert {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*.*ml")} == {
        "site/index.html": "two"
    }
    (tmp_path / "site" / "mine.txt").write_text("mine")
    assert write(tmp_path, {"a.txt": "one"}) == ["site/index.html", "site/css/page.css"]
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == ["mine.txt"]
    (tmp_path / "site" / "mine.txt").unlink()
    (tmp_path / "site").rmdir()
    (tmp_path / "site").write_text("a file")
    with pytest.raises(InputError, match=r"site is a file, and a folder is needed; move it away$"):
        write(tmp_path, inside)
    (tmp_path / "site").unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="site is a symbolic link, and a folder is needed"):
        write(tmp_path, inside)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_one_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    write_file(tmp_path / "new" / "y.npy", b"one")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "new" / "y.npy", b"two")
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == {
        "y.npy": b"one"
    }


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a file, a folder, a pipe, and links."""
    monkeypatch.chdir(tmp_path)
    Path("file.npy").touch()
    Path("folder").mkdir()
    os.mkfifo("pipe.npy")
    Path("link.npy").symlink_to("file.npy")
    Path("nowhere").symlink_to("missing")
    Path("to_folder").symlink_to("folder")


@pytest.mark.parametrize("path", ["folder", "new", "folder/new", "to_folder", "build", "build/a/b"])
def test_folders_that_may_be_written(here, path):
    check_folder(Path(path))
    check_folder(Path(path).absolute())
    check_file(Path(path, "y.npy") if Path(path).exists() else Path("y.NPY"), ".npy")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("file.npy", "file.npy is not a folder, but a file"),
        ("pipe.npy", "pipe.npy is not a folder, but a pipe"),
        ("nowhere", "nowhere is not a folder, but a symbolic link"),
        ("/dev/null", "/dev/null is not a folder, but a device"),
        ("file.npy/a/b", "file.npy is not a folder"),
        ("nowhere/a", "nowhere is not a folder"),
        ("bulid/a", "bulid does not exist; did you mean build? Else mkdir -p bulid"),
        ("foldre/a/b c", "foldre does not exist; did you mean folder? Else mkdir -p foldre/a"),
        ("folder/x y/b", "folder/x y does not exist; mkdir -p 'folder/x y'"),
        ("buildx/../build/a", "buildx does not exist"),
        ("/", "/ is the root of the file system; name a folder in it"),
        ("/dev/..", "/dev/.. is the root of the file system"),
        (" ", "a name of blanks; name a folder"),
    ],
)
def test_folders_that_may_not(here, path, expected):
    with pytest.raises(PathError) as refused:
        check_folder(Path(path))
    assert str(refused.value).startswith(expected)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("folder", "folder is a folder; name a file"),
        ("link.npy", "link.npy is a symbolic link; name the file it leads to, file.npy"),
        ("nowhere", "nowhere is a symbolic link; name the file it leads to, missing"),
        ("pipe.npy", "pipe.npy is a pipe, which is never replaced"),
        ("/dev/null", "/dev/null is a device, which is never replaced"),
        ("y.csv", "y.csv: written as .npy, so name a file that ends in .npy"),
        ("bulid/y.npy", "bulid does not exist; did you mean build? Else mkdir -p bulid"),
        ("file.npy/y.npy", "file.npy is not a folder"),
    ],
)
def test_files_that_may_not(here, path, expected):
    with pytest.raises(PathError) as refused:
        check_file(Path(path), ".npy")
    assert str(refused.value).startswith(expected)
