"""Who may import whom, and that every hardware block states its timing."""

import ast
import re
from pathlib import Path

import pytest

from fpga.soc import soc_modules
from hdl.arith.adder import build_adder
from hdl.block import Block
from hdl.cells.latch import latch_store
from hdl.cells.word import build_word
from hdl.macro.column import build_column, build_tree
from hdl.macro.top import macro_modules

ROOT = Path(__file__).parents[2]
# folder: packages of the house that its sources may not import; golden has a test of its own
FORBIDDEN = {
    "hdl": {"golden", "cocotb_tests", "compiler", "scripts", "fpga"},
    "golden": {"cocotb_tests", "compiler", "scripts", "fpga"},
    "fpga": {"golden", "cocotb_tests", "compiler", "scripts"},
    "cocotb_tests": {"compiler", "scripts"},
    "compiler": {"scripts"},
}
TIMING = re.compile(r"\b(latency|cycles?|combinational)\b", re.IGNORECASE)


def sources(folder: str) -> list[Path]:
    """Python files of a package, its tests left out: they may look at everything."""
    return [p for p in sorted((ROOT / folder).rglob("*.py")) if "tests" not in p.parts[-2:-1]]


def imported_packages(text: str) -> set[str]:
    """First parts of the names that a source imports, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names.add(node.module or "")
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_packages_import_only_downwards(folder):
    assert sources(folder)
    for source in sources(folder):
        wrong = imported_packages(source.read_text()) & FORBIDDEN[folder]
        assert not wrong, f"{source.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_the_import_rule_sees_every_form():
    text = "import golden.macro as g\nfrom scripts import run\ndef f():\n    import compiler\n"
    text += "import importlib\nimportlib.import_module('fpga.boards')\n"
    assert imported_packages(text) >= {"golden", "scripts", "compiler", "fpga"}


def subclasses(kind: type) -> set[type]:
    """All public classes below ``kind``."""
    direct = set(kind.__subclasses__())
    return direct.union(*(subclasses(below) for below in direct))


BLOCKS = sorted(
    (kind for kind in subclasses(Block) if not kind.__name__.startswith("_")),
    key=lambda kind: kind.__name__,
)


def test_every_block_of_the_folder_is_looked_at():
    """A class that derives from Block in a file this test does not import would escape it."""
    defined = set()
    for source in [*sources("hdl"), *sources("fpga")]:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bases = {getattr(base, "id", "") for base in node.bases}
                defined |= {node.name} if "Block" in bases else set()
    assert macro_modules, "importing the tops imports every block"
    assert soc_modules
    assert defined == {kind.__name__ for kind in BLOCKS}


@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.__name__)
def test_block_docstring_states_its_timing(kind):
    assert TIMING.search(kind.__doc__ or "")


@pytest.mark.parametrize(
    "builder",
    [build_adder, build_tree, build_word, build_column, latch_store],
    ids=lambda f: f.__name__,
)
def test_structure_docstring_states_its_timing(builder):
    text = builder.__doc__ or ""
    assert TIMING.search(text) or re.search(r"\b(follows|ranks?|register)\b", text)


def test_no_source_leaves_a_note_to_self():
    for source in sources("hdl"):
        assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", source.read_text()), source.name
