"""The bus slave: its register map, its Verilog and the files beside it."""

import re
import subprocess
from itertools import pairwise

import pytest

from cimforge.hdl.bus.bus_wrapper import BUSES
from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.wrapper_files import register_files, wrapper_files
from cimforge.hdl.tests.configs import DIVERSE, macro
from cimforge.hdl.tests.tools import icarus, lint, needs_icarus, yosys

SIZES = {
    "tiny": DIVERSE["tiny"],
    "single_bit": DIVERSE["single_bit"],
    "latches": macro(5, 3, 3, 6, 2, 3, "latch"),
    "wide_results": macro(1024, 2, 16, 16, tree="behavioral"),
    "two_words": macro(5, 3, 16, 16, banks=2),
    "many": macro(40, 30, 5, 7, banks=5),
    "slices": DIVERSE["slices"],
}
# For tools that read the macro too: results of two words, vectors and rows of many, in seconds.
READ = SIZES | {
    "wide_results": macro(130, 2, 16, 16, tree="behavioral"),
    "many": macro(20, 13, 5, 7, banks=5),
}
every_size = pytest.mark.parametrize("config", SIZES.values(), ids=SIZES)
BEHIND = [(config, "wishbone") for config in READ.values()]
BEHIND += [(READ[name], bus) for name in ("latches", "two_words") for bus in ("axi4lite", "apb")]
behind_a_bus = pytest.mark.parametrize(("config", "bus"), BEHIND, ids=lambda v: str(v)[:40])


@every_size
def test_no_two_things_share_an_address(config):
    table = RegisterMap(config)
    spans = [(r.offset, r.offset + 4) for r in table.registers()]
    spans += [(w.offset, w.offset + 4 * w.words) for w in table.windows()]
    spans.sort()
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert spans[0][0] == 0
    assert spans[-1][1] <= 1 << table.address_bits
    for register in table.registers():
        masks = [field.mask for field in register.fields]
        assert all(0 < mask <= 0xFFFFFFFF for mask in masks)
        assert all(a & b == 0 for i, a in enumerate(masks) for b in masks[:i])
        assert all(field.value < 1 << field.width for field in register.fields)


def test_map_of_tiny_worked_by_hand():
    """8 x 4b inputs and 4 x 4b weights fit one word each, four 12-bit results take four."""
    table = RegisterMap(SIZES["tiny"])
    assert [(w.name, w.offset, w.words) for w in table.windows()] == [
        ("x", 0x40, 1),
        ("w", 0x80, 1),
        ("y", 0xC0, 4),
        ("q", 0x100, 1),
    ]
    assert [(r.name, r.offset) for r in table.registers()][:4] == [
        ("id", 0x00),
        ("hash", 0x04),
        ("geometry", 0x08),
        ("precision", 0x0C),
    ]
    assert table.register("geometry").constant == 8 | 4 << 16
    assert table.register("precision").constant == 4 | 4 << 8 | 12 << 16 | 1 << 24
    assert table.address_bits == 9


def test_map_of_slices_worked_by_hand():
    """tiny in slices of 2 bits: 4 results of mode 0, then 8 of mode 1."""
    table = RegisterMap(SIZES["tiny"].model_copy(update={"slice_bits": 2}))
    assert [(w.name, w.words) for w in table.windows()] == [("x", 1), ("w", 1), ("y", 12), ("q", 1)]
    assert [table.result_span(fuse) for fuse in (0, 1)] == [range(4), range(4, 12)]
    field = table.register("w_start").field("fuse")
    assert (field.low, field.width, field.limit) == (24, 1, 2)
    assert "fuse" not in [f.name for f in RegisterMap(SIZES["tiny"]).register("w_start").fields]


def test_results_of_43_bits_take_two_words():
    table = RegisterMap(SIZES["wide_results"])
    assert (table.result_words, table.window("y").words, table.window("x").words) == (2, 4, 512)


@behind_a_bus
def test_lint_is_clean(config, bus, tmp_path):
    top = emit_macro(config, tmp_path, wrapper_files(config, bus))["wrappers"][0]["top"]
    assert lint(tmp_path, "--top-module", top, "-f", f"{top}.f") == []


@behind_a_bus
def test_yosys_finds_no_fault(config, bus, tmp_path):
    top = emit_macro(config, tmp_path, wrapper_files(config, bus))["wrappers"][0]["top"]
    sources = f"cim_cells.v {config.module}.v {top}.v"
    yosys(tmp_path, f"read_verilog {sources}\nhierarchy -check -top {top}\nproc\ncheck -assert\n")


@every_size
def test_no_wire_is_without_a_name_of_its_own(config):
    """Amaranth calls a signal whose name it cannot tell $signal."""
    assert "_signal" not in wrapper_files(config)[f"{config.module}_wb.v"]


@every_size
def test_header_compiles_and_agrees_with_the_map(config, tmp_path):
    files = register_files(config)
    name = f"{config.module}_regs.h"
    (tmp_path / name).write_text(files[name])
    table, guard = RegisterMap(config), config.module.upper()
    checks = [f"{guard}_{r.name.upper()} == {r.offset}" for r in table.registers()]
    checks += [f"{guard}_{w.name.upper()}_WINDOW == {w.offset}" for w in table.windows()]
    checks += [f"{guard}_{w.name.upper()}_WORDS == {w.words}" for w in table.windows()]
    text = f'#include "{name}"\n' + "".join(f'_Static_assert({c}, "");\n' for c in checks)
    (tmp_path / "check.c").write_text(text)
    command = ("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "check.c")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_document_lists_every_register_field_and_window():
    config = SIZES["latches"]
    text = register_files(config)[f"{config.module}_regs.md"]
    table = RegisterMap(config)
    for register in table.registers():
        assert f"| 0x{register.offset:03x} | {register.name} | {register.access} |" in text
        for field in register.fields:
            assert f"| {register.name} | {field.low + field.width - 1}:{field.low} |" in text
    for window in table.windows():
        assert f"| 0x{window.offset:03x} | {window.name.upper()} |" in text
    for tail in ("wb", "axil", "apb"):
        assert f"| {config.module}_{tail} | a" in text


@pytest.mark.parametrize("bus", BUSES)
def test_the_manifest_tells_the_wrappers_ports_as_emitted(bus, tmp_path):
    config = SIZES["latches"]
    (told,) = emit_macro(config, tmp_path, wrapper_files(config, bus))["wrappers"]
    assert (told["top"], told["bus"]) == (f"{config.module}_{BUSES[bus].tail}", bus)
    text = (tmp_path / f"{told['top']}.v").read_text()
    head = text[text.index(f"module {told['top']} (") :]
    head = head[: head.index(");")]
    emitted = re.findall(r"(input|output) +wire +(?:\[(\d+):0\] +)?(\w+)", head)
    ports = [(p["direction"], p["width"], p["name"]) for p in told["ports"]]
    assert ports == [(way, int(high or 0) + 1, name) for way, high, name in emitted]
    assert "wrappers" not in emit_macro(SIZES["tiny"], tmp_path / "bare")


@needs_icarus
def test_fusesoc_core_names_files_that_are_there(tmp_path):
    """The core's lists are the emitted files; what its sim target does, done by hand, passes."""
    config = SIZES["tiny"]
    from cimforge.flow.macro_files import macro_extras

    for bus in BUSES:  # one folder takes all of them
        told = emit_macro(config, tmp_path, macro_extras(config, bus))
    assert [wrapper["bus"] for wrapper in told["wrappers"]] == list(BUSES)
    text = (tmp_path / f"{config.module}.core").read_text()
    named = re.findall(r"files: \[(.*)\]", text)
    for name in (part.strip() for line in named for part in line.split(",")):
        assert (tmp_path / name).exists(), name
    sources = ("cim_cells.v", f"{config.module}.v", f"tb_{config.module}.v")
    assert "PASS 10 of 10" in icarus(tmp_path, *sources)
