"""Every view of a register map says the same, and what the hardware does."""

import hashlib
import importlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import cmsis_svd
import pytest
from lxml import etree

from cimforge.hdl.emit.library_views import library_files, page
from cimforge.hdl.emit.map_view import MapView, engine_view, macro_view
from cimforge.hdl.emit.register_views import engine_files, macro_map_files, rdl_text, svd_text
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint
from cimforge.hdl.tests.configs import DIVERSE
from cimforge.hdl.tests.engine_registers_run import Bench
from cimforge.hdl.tests.map_configs import ENGINES
from cimforge.hdl.tests.read_views import (
    IPXACT,
    expected,
    of_ipxact,
    of_rdl,
    of_svd,
    windows,
)

VIEWS = {
    **{f"engine_{name}": engine_view(config) for name, config in ENGINES.items()},
    **{f"macro_{name}": macro_view(DIVERSE[name]) for name in ("tiny", "slices", "tables")},
}
every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
LIBRARY = {name: VIEWS[name] for name in ("engine_plain", "macro_slices")}
library_views = pytest.mark.parametrize("view", LIBRARY.values(), ids=LIBRARY)
SCHEMAS = Path(cmsis_svd.__file__).parent / "schemas"


@cache
def libraries(name: str) -> dict[str, bytes]:
    """The files that libraries make of a view, made once."""
    return library_files(LIBRARY[name])


def fingerprint(name: str) -> str:
    """Of all of them."""
    return hashlib.sha256(repr(libraries(name)).encode()).hexdigest()


@pytest.fixture
def made(view: MapView, tmp_path: Path, capfd) -> Path:
    """A folder with those files; nothing may be printed while they are made."""
    name = next(name for name, known in LIBRARY.items() if known is view)
    for path, content in libraries(name).items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    told = capfd.readouterr()
    assert told.out + told.err == ""
    return tmp_path


@every_view
def test_the_systemrdl_is_the_map(view, tmp_path, capfd):
    assert of_rdl(view, tmp_path) == (expected(view), windows(view))
    assert capfd.readouterr().err == ""


@every_view
def test_the_svd_is_the_map(view, tmp_path):
    path = tmp_path / "map.svd"
    path.write_text(svd_text(view))
    assert of_svd(path) == (expected(view), windows(view))
    for name in ("1_3_2", "1_3_11"):  # schemas of the oldest and the newest 1.3
        schema = etree.XMLSchema(etree.parse(SCHEMAS / f"CMSIS-SVD_{name}.xsd"))
        schema.assertValid(etree.parse(path))
    peripheral = etree.parse(path).find(".//peripheral")
    assert peripheral.findtext("name") == view.name.upper()
    assert int(peripheral.findtext("addressBlock/size"), 16) == 1 << view.address_bits


@library_views
def test_the_ipxact_is_the_map(view, made):
    assert of_ipxact(made / f"{view.name}.xml") == (expected(view), windows(view))
    top = etree.parse(made / f"{view.name}.xml").getroot()
    assert top.find(f"{IPXACT}name").text == view.name
    assert top.find(f"{IPXACT}version").text == str(view.version)


class Memory:
    """Words behind the Python classes, which remember each access."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}

    def read(self, addr: int, width: int, accesswidth: int) -> int:
        """A word."""
        assert width == accesswidth == 32
        return self.words.get(addr, 0)

    def write(self, addr: int, width: int, accesswidth: int, data: int) -> None:
        """Write a word."""
        assert width == accesswidth == 32
        self.words[addr] = data


@library_views
def test_the_python_classes_are_the_map(view, made, monkeypatch):
    from peakrdl_python.lib import NormalCallbackSet

    monkeypatch.syspath_prepend(str(made / f"{view.name}_python"))
    model = importlib.import_module(f"{view.name}.reg_model").RegModel
    memory = Memory()
    callbacks = NormalCallbackSet(read_callback=memory.read, write_callback=memory.write)
    top = model(callbacks=callbacks)
    owner = top.registers if view.windows else top
    for name, seen in expected(view).items():
        register: Any = owner.get_child_by_system_rdl_name(name)
        assert register.address == seen.offset
        assert (hasattr(register, "read"), hasattr(register, "write")) == (seen.reads, seen.writes)
        for field_name, (low, width) in seen.fields.items():
            field = register.get_child_by_system_rdl_name(field_name)
            assert (field.lsb, field.width) == (low, width)
            default, named = field.default, view.values.get((name, field_name), {})
            if seen.reset is not None:
                default = default.value if named else default
                assert default == seen.reset >> low & (1 << width) - 1
            for number, text in enumerate(named):
                memory.words[seen.offset] = number << low
                assert (field.read().name, field.read().value) == (text.upper(), number)
            if seen.reads and not named:
                memory.words[seen.offset] = ((1 << width) - 1) << low
                assert field.read() == (1 << width) - 1
        if seen.writes:
            register.write(0x80000001 & sum(((1 << w) - 1) << p for p, w in seen.fields.values()))
            assert seen.offset in memory.words
    for name, (offset, words, _) in windows(view).items():
        window = top.get_child_by_system_rdl_name(name)
        assert (window.address, window.entries, window.width) == (offset, words, 32)


@library_views
def test_the_html_shows_every_register(view, made):
    site = made / f"{view.name}_html"
    index = (site / "index.html").read_text()
    assert 'src="http' not in index
    assert "BUILD_TS" in index
    pages = [path.read_text() for path in (site / "content").iterdir()]
    for register in view.registers:
        (own,) = (text for text in pages if f'_Content.name">{register.name}: ' in text)
        offset = re.search(r'Base Offset:</dt><dd class="address">0x(\w+)</dd>', own)
        assert int(offset[1], 16) == register.offset
        for field in register.fields:
            assert f'.desc">{field.name}</a>' in own


def test_equal_input_gives_equal_bytes():
    """In another process, whose hashes of texts differ."""
    code = (
        "from cimforge.hdl.tests.test_register_views import fingerprint\n"
        "print(fingerprint('engine_plain'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint("engine_plain")


@pytest.mark.parametrize(
    "library",
    ["systemrdl", "peakrdl_ipxact.exporter", "peakrdl_html.exporter", "peakrdl_python.exporter"],
)
def test_a_missing_library_is_one_line(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError) as refused:
        library_files(LIBRARY["engine_plain"])
    hint = install_hint("registers")
    assert str(refused.value) == f"views of registers: need {library}; run {hint}"


def test_a_page_needs_its_library_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "markdown", None)
    with pytest.raises(InputError, match="need markdown; run "):
        page("title", "# title")


def test_a_page_shows_the_document():
    config = ENGINES["plain"]
    text = engine_files(config)[f"{config.module}.md"]
    shown = page("A title", text)
    assert "<title>A title</title>" in shown
    assert 'href="#store"' in shown
    assert 'id="store"' in shown
    assert shown.count("<table>") == len(re.findall(r"^\|[-|]+\|$", text, re.M))
    assert "|" not in re.sub(r"<style>.*?</style>", "", shown, flags=re.S)


def test_files_are_named_by_the_module():
    config, macro = ENGINES["plain"], DIVERSE["tiny"]
    assert [*engine_files(config)] == [f"dcim_engine.{kind}" for kind in ("h", "md", "rdl", "svd")]
    texts = macro_map_files(macro)
    view = macro_view(macro)
    assert texts == {
        f"{macro.module}_regs.rdl": rdl_text(view),
        f"{macro.module}_regs.svd": svd_text(view),
    }


def test_the_systemrdl_is_what_the_hardware_does(tmp_path):
    """Every bit that it says is written is, every other is an error; what it says is read is."""
    registers, _ = of_rdl(VIEWS["engine_plain"], tmp_path)

    async def test(bench):
        for seen in registers.values():
            assert await bench.access(seen.offset) == seen.reset
        for address in range(1 << bench.map.address_bits):
            known = any(seen.offset == address for seen in registers.values())
            assert known == (await bench.access(address) != "error")
        await bench.cycle(finished=1, failed=1, interrupt=1)
        for name, seen in registers.items():
            bits = {low + n for low, width in seen.fields.values() for n in range(width)}
            for place in range(32):
                legal = seen.writes and place in bits
                if name == "control" and place == 0:
                    continue  # start, which needs a queue
                told = await bench.access(seen.offset, 1 << place)
                assert (told != "error") == legal, (name, place)
                if seen.clears and legal:
                    assert not await bench.access(seen.offset) >> place & 1
                elif legal and name != "control":
                    assert await bench.access(seen.offset) == 1 << place

    Bench(ENGINES["plain"]).run(test)
