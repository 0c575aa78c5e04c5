"""The wheel: whole, and at home in a project that has folders of the same names as its rooms."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from cimforge.scripts.tests.conftest import SIMULATOR
from cimforge.scripts.tests.test_setup import PROJECT, ROOT

ROOMS = PROJECT["tool"]["setuptools"]["package-dir"].values()
LEFT_OUT = {".md", ".svg", ".sh", ".pyc", ".lib"}  # pages, set-up of a checkout, what tests read

pytestmark = pytest.mark.skipif(
    int(version("setuptools").partition(".")[0]) < 77, reason="needs setuptools 77 or newer"
)


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout, built from a copy: a build leaves files beside its sources."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    options = ("--no-deps", "--no-build-isolation", "--quiet", "-w", copy / "dist")
    run(sys.executable, "-m", "pip", "wheel", copy, *options, cwd=copy)
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The programs of an environment with the wheel, and with the packages of this one."""
    home = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home.parent)
    pip = (sys.executable, "-m", "pip", "--python", home / "bin/python")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home.parent)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


@pytest.fixture
def project(tmp_path) -> Path:
    """A user's project with rooms of the same names, which break whoever imports them unasked."""
    for name in (*ROOMS, "cimforge_tests"):
        (tmp_path / name).mkdir()
        text = "mine = True\n" if name == "hdl" else "raise SystemExit('not yours')\n"
        (tmp_path / name / "__init__.py").write_text(text)
    return tmp_path


def test_the_wheel_holds_every_source_and_data_file(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        f"cimforge/{path.relative_to(ROOT)}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in LEFT_OUT and "tests" not in path.parts
    }
    examples = {name for name in wanted if "/docs/" in name}
    assert held == wanted - examples
    assert {Path(name).suffix for name in held} >= {".py", ".v", ".j2", ".toml"}


def test_the_wheel_works_beside_folders_of_its_rooms_names(installed, project):
    run(installed / "cimforge", "generate", "tiny", "--bus", "wishbone", cwd=project)
    shown = run(
        installed / "python", "-c", "import hdl; print(hdl.mine, hdl.__file__)", cwd=project
    )
    assert shown == f"True {project / 'hdl/__init__.py'}\n"
    where = "import cimforge.hdl; print(cimforge.hdl.__file__)"
    assert run(installed / "python", "-c", where, cwd=project).startswith(str(installed.parent))
    words = ("verify", "tiny", "--simulator", SIMULATOR, "--test", "drawn_timing")
    assert "1 passed, 0 failed" in run(installed / "cimforge", *words, cwd=project)
    run(installed / "cimforge", "synth", "tiny", "--target", "ice40", cwd=project)
