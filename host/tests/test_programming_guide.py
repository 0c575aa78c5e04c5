"""The programmer's guide: its program compiles, runs, and gives what the guide says."""

import ctypes
import re
import subprocess
from pathlib import Path

import pytest

from cimforge.hdl.emit.register_views import engine_files
from cimforge.hdl.params.engine_file import load_engine
from cimforge.host.tests.c_driver import SOURCES, WORD, CDriver, compiler, strict_flags
from cimforge.host.tests.engine_twin import EngineTwin

GUIDE = Path(__file__).parents[2] / "hdl" / "docs" / "programming.md"
RESULTS = 0x1300


@pytest.mark.skipif(compiler() is None, reason="needs a C compiler: cc, or ziglang")
def test_the_program_by_hand_gives_what_is_said(tmp_path):
    (block,) = re.findall(r"```c\n(.*?)```", GUIDE.read_text(), re.S)
    config = load_engine("engine_small")
    twin = EngineTwin(config, 1 << 13, base=0)
    port = CDriver(config, tmp_path, twin)._kept
    (tmp_path / "by_hand.c").write_text(block)
    sources = [tmp_path / "by_hand.c", *SOURCES.glob("*.c")]
    build = [*compiler(), *strict_flags(), "-shared", "-fPIC", f"-I{tmp_path}", f"-I{SOURCES}"]
    subprocess.run([*build, "-o", tmp_path / "by_hand.so", *sources], check=True)
    descriptors = (WORD * (16 * 8))()
    library = ctypes.CDLL(str(tmp_path / "by_hand.so"))
    assert library.by_hand(ctypes.byref(port), descriptors) == 0
    said = re.search(r"bytes (\d+) and (\d+) at RESULTS", block).groups()
    assert list(twin.read_memory(RESULTS, 2)) == [int(value) for value in said]


def test_the_constants_that_it_names_are_the_header_s():
    config = load_engine("engine_small")
    header = next(text for name, text in engine_files(config, "cim_engine").items() if ".h" in name)
    for name in set(re.findall(r"CIM_ENGINE_\w+", GUIDE.read_text())):
        assert re.search(rf"\b{name}\b", header), name
