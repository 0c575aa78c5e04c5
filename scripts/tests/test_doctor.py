"""cimforge doctor names what will fail here, and every hint works when it is typed."""

import os
import re
import shlex
import subprocess
import sys
from collections import namedtuple

import pytest

from cimforge.flow import machine
from cimforge.hdl.params import install_hint as hints
from cimforge.hdl.params.install_hint import install_hint, requirements
from cimforge.scripts.tests.conftest import environment
from cimforge.scripts.tests.test_setup import PROJECT, ROOT, TARGETS

EXTRAS = PROJECT["project"]["optional-dependencies"]
DEBIAN = {
    "qflow",
    "g++",
    "make",
    "perl",
    "python3-venv",
    "opensta",
    "iverilog",
    "qflow-tech-osu018",
}
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def tool(folder, monkeypatch):
    """Puts a program first on PATH."""
    (folder / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, script: str) -> None:
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / "bin" / name).chmod(0o755)

    return put


def finding(cimforge, name: str) -> dict:
    """What doctor says of one tool or place."""
    return {each["name"]: each for each in cimforge("doctor", "--json").json["tools"]}[name]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo 'libtcl.so: no such file' >&2; exit 127", "does not start: libtcl.so: no such file"),
        ("exit 3", "does not start: exit status 3"),
        ("echo 'Icarus Verilog version 9.7'", "too old: 11 or newer is needed"),
        ("echo 'Icarus Verilog version 12.0'", ""),
    ],
)
def test_a_program_is_tried(cimforge, tool, script, problem):
    tool("iverilog", script)
    assert finding(cimforge, "iverilog")["problem"] == problem
    assert cimforge("doctor").status == 0  # only an option's


def test_a_program_that_is_no_program_is_named(cimforge, tool, folder):
    tool("g++", "")
    (folder / "bin/g++").write_bytes(b"\x7fELF of another machine")
    assert finding(cimforge, "g++")["problem"] == "does not start: Exec format error"
    done = cimforge("doctor")
    assert done.status == 1
    assert done.messages == ["cimforge: g++: does not start: Exec format error"]
    assert "to get g++: apt install g++\n" in done.out


def test_a_program_that_hangs_is_named(tool, monkeypatch):
    monkeypatch.setattr(machine, "SECONDS", 1)
    tool("sta", "exec sleep 60")
    (found,) = (each for each in machine.check_machine() if each.name == "OpenSTA")
    assert found.problem == "does not start: no answer within 1 s"


def test_a_package_outside_its_range_is_named(cimforge, monkeypatch):
    found = machine.version
    monkeypatch.setattr(machine, "version", lambda name: "1.2" if name == "numpy" else found(name))
    done = cimforge("doctor")
    assert done.status == 1
    assert re.match(r"cimforge: numpy: not in the range that works: .*>=\d", done.err)


@pytest.mark.parametrize("where", ["/proc/cache", "/dev/null/cache"])
def test_a_cache_that_cannot_be_written_is_named(cimforge, monkeypatch, where):
    monkeypatch.setenv("YOWASP_CACHE_DIR", where)
    for words in (("doctor",), ("doctor", "--warm-up")):
        done = cimforge(*words)
        assert done.status == 1
        assert done.messages[-1].startswith("cimforge: WebAssembly cache: /")
        way = "to get WebAssembly cache: export YOWASP_CACHE_DIR=$PWD/build/cache"
        assert way in done.out


def test_a_full_disk_is_named(cimforge, monkeypatch, folder):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**9, 10**9, 5 * 10**6))
    done = cimforge("doctor")
    assert done.status == 1
    assert "WebAssembly cache: only 5 MB free on" in done.err
    assert "working folder: only 5 MB free on" in done.err


def test_a_path_that_make_cannot_take_is_named(cimforge, monkeypatch):
    monkeypatch.setattr("sys.prefix", "/my code/.venv")
    done = cimforge("doctor")
    assert done.status == 1
    assert "installed in: /my code/.venv holds ' ', which make cannot take" in done.err


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_a_hint_in_a_checkout_is_a_target_of_its_makefile(monkeypatch, extra, tmp_path):
    monkeypatch.setattr("sys.prefix", str(ROOT / ".venv"))
    monkeypatch.chdir(tmp_path)
    words = shlex.split(install_hint(extra))
    done = subprocess.run([*words, "-n"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_a_hint_elsewhere_names_requirements_that_are_met_here(monkeypatch, extra, tmp_path):
    monkeypatch.setattr(hints, "ROOT", tmp_path)
    words = shlex.split(install_hint(extra))
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert not [word for word in words if word.startswith("cimforge")]
    dry = [*words[:4], "--dry-run", "--no-index", "--quiet", *words[4:]]
    done = subprocess.run(dry, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    assert requirements(extra)


def test_a_project_that_is_not_installed_has_no_requirements(monkeypatch):
    def fail(name: str) -> None:
        raise hints.PackageNotFoundError(name)

    monkeypatch.setattr(hints, "requires", fail)
    assert requirements("fpga") == []


def sources() -> dict[str, str]:
    """Texts a user reads: every source, script and page of the project, tests left out."""
    rooms = {name.split(".")[1] for name in PROJECT["tool"]["setuptools"]["package-dir"]}
    paths = [*ROOT.glob("*.md"), ROOT / "Makefile"]
    for room in rooms:
        paths += [p for p in (ROOT / room).rglob("*") if p.suffix in (".py", ".md", ".sh", ".j2")]
    return {str(p.relative_to(ROOT)): p.read_text() for p in paths if "tests" not in p.parts}


def test_every_hint_in_the_code_names_what_exists():
    texts = sources()
    assert len(texts) > 80
    wrong = []
    for path, text in texts.items():
        targets = re.findall(r"(?:run |`|^)make (?:-C \S+ )?([a-z]+)\b", text, re.M)
        wrong += [(path, f"make {name}") for name in targets if name not in TARGETS]
        extras = re.findall(r"install_hint\(\\?[\"'](\w*)\\?[\"']\)", text)
        wrong += [(path, f"extra {name}") for name in extras if name not in EXTRAS]
        debian = re.findall(r"apt install ([\w+-]+)", text)
        wrong += [(path, f"apt install {name}") for name in debian if name not in DEBIAN]
        wrong += [(path, each) for each in re.findall(r"install '?cimforge\[\w+\]'?", text)]
    assert wrong == []


def test_programs_of_doctor_are_debian_packages_of_their_names():
    assert {tool.name.lower() for tool in machine.TOOLS if tool.command} <= DEBIAN


def test_the_check_script_and_doctor_ask_for_the_same():
    script = (ROOT / "scripts/check_machine.sh").read_text()
    asked = set(re.findall(r"command -v (\S+)", script))
    assert asked == {tool.name for tool in machine.TOOLS if tool.command and tool.required}


def test_a_temporary_folder_that_is_not_there_is_named(cimforge, monkeypatch, folder):
    """Tools fall back without a word, or fail: TMPDIR names a folder that nobody makes."""
    monkeypatch.setenv("TMPDIR", str(folder / "gone"))
    outcome = cimforge("doctor", "--json")
    problems = {tool["name"]: tool["problem"] for tool in outcome.json["tools"]}
    assert outcome.status == 1
    assert problems["temporary folder"] == f"{folder / 'gone'}: No such file or directory"
