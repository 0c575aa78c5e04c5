"""Set-up: what a machine lacks is named, the Makefile's parts exist, packages have a range."""

import re
import shutil
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "scripts/check_machine.sh"
MAKEFILE = (ROOT / "Makefile").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(PYPROJECT)
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.M)
PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)")
RANGE = re.compile(r"([A-Za-z0-9._-]+)>=([^\s;,<]+),<([^\s;,]+)")

WORKS = "exit 0"
FAILS = "exit 1"
NAMED = {
    "g++": "missing: a C++ compiler (g++); Debian: apt install g++",
    "make": "missing: make; Debian: apt install make",
    "perl": "missing: Perl; Debian: apt install perl",
    "python3": "missing: Python 3.11 or newer as {python}; install it, or run make PYTHON=",
}
NO_VENV = 'case "$*" in *venv*) exit 1;; esac'


def normal(name: str) -> str:
    """A distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct() -> list[str]:
    """Every requirement in pyproject.toml, but the project's own extras."""
    project = PROJECT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [each for group in groups for each in group if not each.startswith("cimforge[")]


@pytest.fixture
def check(tmp_path):
    """Runs check_machine.sh where only these fake tools are on PATH; returns status and lines."""

    def run(tools: dict[str, str]) -> tuple[int, list[str]]:
        for name, script in tools.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", CHECK, tmp_path / "python3"],
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.stdout == ""
        return done.returncode, [
            line.replace(str(tmp_path / "python3"), "{python}") for line in done.stderr.splitlines()
        ]

    return run


def test_a_machine_with_everything_passes_in_silence(check):
    assert check(dict.fromkeys(NAMED, WORKS)) == (0, [])


@pytest.mark.parametrize("missing", NAMED)
def test_a_missing_tool_is_named_in_one_line(check, missing):
    status, lines = check({name: WORKS for name in NAMED if name != missing})
    assert status == 1
    (line,) = lines
    assert line.startswith(NAMED[missing])


def test_every_missing_tool_is_named_at_once(check):
    status, lines = check({})
    assert (status, len(lines)) == (1, len(NAMED))


@pytest.mark.parametrize(
    ("tool", "script", "expected"),
    [
        ("python3", FAILS, NAMED["python3"]),
        ("python3", NO_VENV, "missing: Python's venv module; Debian: apt install python3-venv"),
        ("perl", FAILS, "missing: Perl's standard modules; Debian: apt install perl"),
    ],
    ids=["old Python", "Python without venv", "perl-base alone"],
)
def test_a_tool_that_is_not_whole_is_named(check, tool, script, expected):
    status, (line,) = check({**dict.fromkeys(NAMED, WORKS), tool: script})
    assert status == 1
    assert line.startswith(expected)


@pytest.mark.parametrize("name", ["a b", "12:30", "x#1", "a]b", "a;b", "$HOME", "50%", "é"])
def test_a_path_that_make_cannot_take_is_refused_at_once(tmp_path, name):
    (tmp_path / name).mkdir()
    done = subprocess.run(
        ["/bin/sh", CHECK, "python3"], cwd=tmp_path / name, capture_output=True, text=True
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("missing: a path that make can take; move the checkout to one of")
    assert line.endswith(f"({tmp_path / name})")


def test_makefile_has_the_targets_the_readme_promises_each_with_its_purpose():
    assert {"setup", "demo", "test", "lint", "clean"} <= set(TARGETS)
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)
    assert phony
    assert set(phony[1].split()) == set(TARGETS)
    assert all(re.search(rf"^{target}:.*## \w+", MAKEFILE, re.M) for target in TARGETS)
    promised = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.M)
    assert set(promised) <= set(TARGETS)


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on PATH")
@pytest.mark.parametrize("target", TARGETS)
def test_a_target_expands(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_types_of_every_room_are_checked():
    rooms = re.search(r"^ROOMS := (.*)$", MAKEFILE, re.M)
    assert rooms
    assert rooms[1].split() == list(PROJECT["tool"]["setuptools"]["package-dir"].values())
    assert PROJECT["tool"]["mypy"]["packages"] == ["cimforge"]


def test_what_the_makefile_runs_exists():
    modules = re.findall(r"python -m ([a-z_.]+)", MAKEFILE)
    assert {"pytest", "cimforge.cocotb_tests.mutants"} <= set(modules)
    assert [module for module in modules if find_spec(module) is None] == []
    scripts = re.findall(r"sh (scripts/\S+)", MAKEFILE)
    assert scripts
    assert all((ROOT / script).exists() for script in scripts)


def test_every_direct_dependency_is_a_range():
    assert direct()
    assert [each for each in direct() if not RANGE.fullmatch(each)] == []


def test_every_direct_dependency_has_a_comment_with_its_reason():
    lines = PYPROJECT.splitlines()
    bare = [
        each
        for each in direct()
        if not any(re.search(rf'"{re.escape(each)}",\s+# \w+', line) for line in lines)
    ]
    assert bare == []


def test_constraints_pin_every_dependency_within_its_range():
    text = (ROOT / "constraints.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pins = [PIN.fullmatch(line) for line in lines]
    assert all(pins)
    held = {normal(pin[1]): pin[2] for pin in pins if pin}
    for wanted in map(Requirement, direct()):
        assert held[normal(wanted.name)] in wanted.specifier, wanted
