"""The house: who may import whom, one name for one thing, every room installed."""

import ast
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from cimforge.hdl.params.multiply import MULTIPLY
from cimforge.hdl.params.storage import STORAGE

ROOT = Path(__file__).parents[2]
PACKAGE = "cimforge"
ROOMS = (
    *("hdl", "golden", "flow", "host", "compiler", "explore", "fpga", "cocotb_tests", "scripts"),
)
HDL = ("params", "netlist", "arith", "cells", "macro", "engine", "bus", "emit")

# room: what its sources may import of the house (a room stands for all below it). Tests may look
# at everything.
ALLOWED = {
    **{
        f"hdl.{room}": {f"hdl.{other}" for other in HDL[: place + 1]}
        for place, room in enumerate(HDL)
    },
    "golden": {"golden", "hdl.params"},
    "flow": {"flow", "hdl", "golden"},
    "host": {"host", "hdl.params", "hdl.bus.registers", "hdl.bus.engine_map"},
    "fpga": {"fpga", "hdl", "flow", "host"},
    "compiler": {"compiler", "hdl.params", "golden", "flow", "host"},
    "explore": {"explore", "hdl.params", "golden", "flow", "compiler"},
    "cocotb_tests": {"cocotb_tests", "hdl", "golden", "flow", "host", "fpga"},
    "scripts": set(ROOMS),
}


def sources(folder: str) -> list[Path]:
    """Python files of a room, its tests left out."""
    return [p for p in sorted((ROOT / folder).rglob("*.py")) if "tests" not in p.parts[-2:-1]]


def imported(text: str) -> set[str]:
    """The house's modules that a source imports, wherever and however, without the package's
    name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
    bare = {name for name in names if name.split(".")[0] in ROOMS}
    assert not bare, f"{bare}: import from {PACKAGE}, so that a user's own folder cannot come first"
    return {name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}.")}


def covered(name: str, allowed: set[str]) -> bool:
    """Whether a module lies in one of the allowed rooms."""
    return any(f"{name}.".startswith(f"{room}.") for room in allowed)


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_only_what_they_may(room):
    for source in sources(room.replace(".", "/")):
        wrong = {name for name in imported(source.read_text()) if not covered(name, ALLOWED[room])}
        assert not wrong, f"{source.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_every_source_is_in_a_room():
    rooms = {source for room in ALLOWED for source in sources(room.replace(".", "/"))}
    outside = {s for room in ROOMS for s in sources(room)} - rooms - {ROOT / "hdl" / "__init__.py"}
    assert not outside


def test_the_import_rule_sees_every_form():
    text = "import cimforge.golden.macro as g\nfrom cimforge.scripts import run\n"
    text += (
        "def f():\n    import cimforge.compiler\n    importlib.import_module('cimforge.fpga.x')\n"
    )
    assert imported(text) == {"golden.macro", "scripts.run", "compiler", "fpga.x"}
    assert not covered("hdl.params_more", {"hdl.params"})
    with pytest.raises(AssertionError, match="a user's own folder"):
        imported("from hdl.params import config")


def test_no_two_files_of_one_name():
    names = Counter(source.name for room in ROOMS for source in sources(room))
    del names["__init__.py"]
    assert [name for name, count in names.items() if count > 1] == []


def test_every_package_is_installed_under_one_namespace():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {
        p.parent.relative_to(ROOT)
        for room in ROOMS
        for p in sources(room)
        if p.name == "__init__.py"
    }
    assert set(setup["packages"]) == {".".join((PACKAGE, *folder.parts)) for folder in folders}
    assert setup["package-dir"] == {f"{PACKAGE}.{room}": room for room in ROOMS}
    for room in ROOMS:
        for source in sources(room):
            assert (source.parent / "__init__.py").exists(), source


# where a style's name may stand: its traits, its own file, a preset that chooses it, default values
STYLE_FILES = {
    "hdl/params/storage.py",
    "hdl/params/multiply.py",
    "hdl/params/config.py",
    "hdl/params/presets.py",
    "hdl/cells/__init__.py",
    "hdl/cells/booth_multiply.py",
    "hdl/cells/flop.py",
    "hdl/cells/latch.py",
    "hdl/cells/plain_multiply.py",
    "hdl/cells/set_clear.py",
    "hdl/cells/sram.py",
    "hdl/cells/xnor_multiply.py",
    "hdl/params/names.py",  # words of Verilog's own
}
# a leaf cell, not the style
LEAF_ROOMS = ("hdl/netlist/leaf.py", "flow/liberty/", "flow/synth/techmap.py")


def test_no_style_is_named_outside_its_own_files():
    """Who needs to know something of a style asks its traits."""
    names = {*STORAGE, *MULTIPLY}
    for source in (path for room in ROOMS for path in sources(room)):
        place = str(source.relative_to(ROOT))
        if place in STYLE_FILES or place.startswith(LEAF_ROOMS):
            continue
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Constant) and node.value in names:
                assert place in ALLOWED_SAMPLES, f"{place}:{node.lineno} names {node.value!r}"


# configurations that are broken or drawn
ALLOWED_SAMPLES = {
    "cocotb_tests/draw.py",
    "cocotb_tests/mutants.py",
    "cocotb_tests/mutation/subjects.py",
}
