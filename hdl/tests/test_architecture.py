"""Every hardware block states its timing."""

import ast
import re
from pathlib import Path

import pytest

from cimforge.fpga.cpu.board_system import build_board_system
from cimforge.fpga.engine_link.linked_engine import build_linked_engine
from cimforge.fpga.soc import soc_modules
from cimforge.hdl.arith.adder import build_adder
from cimforge.hdl.bus.bus_wrapper import bus_wrapper_modules
from cimforge.hdl.bus.engine_top import build_engine_top
from cimforge.hdl.cells.latch import latch_store
from cimforge.hdl.cells.word import build_word
from cimforge.hdl.macro.column import build_column, build_tree
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist.block import Block

ROOT = Path(__file__).parents[2]
TIMING = re.compile(r"\b(latency|cycles?|combinational)\b", re.IGNORECASE)


def sources(folder: str) -> list[Path]:
    """Python files of a package, its tests left out: they may look at everything."""
    return [p for p in sorted((ROOT / folder).rglob("*.py")) if "tests" not in p.parts[-2:-1]]


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
    defined, derived = set(), {kind.__name__ for kind in BLOCKS}
    for source in [*sources("hdl"), *sources("fpga")]:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bases = {getattr(getattr(b, "value", b), "id", "") for b in node.bases}
                defined |= {node.name} if bases & {"Block", *derived} else set()
    assert macro_modules, "importing the tops imports every block"
    assert soc_modules
    assert build_engine_top
    assert bus_wrapper_modules
    assert build_board_system
    assert build_linked_engine
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
