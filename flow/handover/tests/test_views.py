"""Every view has the ports of the macro: names, directions, widths, whatever the configuration."""

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lefdef import C_LefReader

from cimforge.flow.handover.flow_settings import flow_settings
from cimforge.flow.handover.macro_views import FOLDER, view_faults, write_views
from cimforge.flow.handover.outline import SUPPLIES, bit_names
from cimforge.flow.handover.view_constraints import wrapper_tops
from cimforge.flow.handover.view_ports import compare_ports, read_ports, view_kind
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.storage import STORAGE
from cimforge.hdl.tests.tools import netlist

SEED = 20261127


def drawn() -> list[tuple[str, list[str]]]:
    """A configuration of each style, small, the same each time."""
    chance = random.Random(SEED)
    found = []
    for style, traits in STORAGE.items():
        sizes = {
            "rows": 8 if traits.parts else chance.randint(2, 16),
            "cols": chance.randint(2, 6),
            "weight_bits": chance.randint(2, 5),
            "input_bits": chance.randint(1, 8),
            "banks": 1 if traits.parts else chance.choice((1, 2, 3)),
        }
        found.append((style, [f"{key}={value}" for key, value in sizes.items()]))
    return found


@pytest.fixture(scope="module", params=drawn(), ids=lambda case: f"{case[0]}-{'-'.join(case[1])}")
def written(request, tmp_path_factory) -> tuple[MacroConfig, Path]:
    """A drawn configuration and the folder of its views."""
    style, sizes = request.param
    parts = ["tree=behavioral", "tree_stages=auto"] if STORAGE[style].parts else []
    config = load_config("tiny", [f"storage={style}", *parts, *sizes])
    folder = tmp_path_factory.mktemp("views")
    write_views(config, folder)
    return config, folder / FOLDER


def test_all_views_have_all_ports(written):
    config, folder = written
    assert view_faults(config, folder) == []
    kinds = {view_kind(path) for path in folder.iterdir()} - {""}
    assert kinds == {"verilog", "lef", "sdc", "upf", "pins", "scan"}
    tops = [config.module, *(top.name for top in wrapper_tops(config))]
    assert sorted(path.stem for path in folder.glob("*.sdc")) == sorted(tops)


def test_a_lef_parser_finds_the_pins(written):
    config, folder = written
    reader = C_LefReader()  # what it read lives as long as it
    lef = reader.read(str(folder / f"{config.module}.lef"))
    assert lef.c_num_macros == 1
    macro = lef.c_macros[0]
    pins = [macro.c_pins[place] for place in range(macro.c_num_pins)]
    found = {pin.c_name.decode(): pin.c_direction.decode().lower() for pin in pins}
    expected = {bit: p.direction for p in macro_ports(config) for bit in bit_names(p)}
    assert found == expected | dict.fromkeys(SUPPLIES, "inout")
    assert macro.c_class.decode() == "BLOCK"
    assert (macro.c_size_x, macro.c_size_y) > (0, 0)
    assert all(pin.c_num_ports for pin in pins)


def test_the_lef_says_that_it_is_an_estimate(written):
    config, folder = written
    text = (folder / f"{config.module}.lef").read_text()
    assert text.startswith("# size and pin places are estimates, from no layout\n")
    assert "PROPERTY estimated 1 ;" in text
    assert "made up" in text


def damaged(path: Path, port: Port) -> list[str]:
    """The view without ``port``, with another name for it, and where it tells them with another
    direction or width."""
    text, name = path.read_text(), port.name
    bit = bit_names(port)[-1]
    end = rf"\b{re.escape(name)}\*?(?![\w\[])"
    if view_kind(path) in ("lef", "pins"):
        shown = bit if path.suffix == ".lef" else re.sub(r"([\[\]])", r"\\\1", bit)
        lines = text.splitlines(keepends=True)
        kept = [line for line in lines if line.strip() not in (f"PIN {shown}", shown)]
        return ["".join(kept), text.replace(shown, f"other{shown}")]
    return [re.sub(end, "", text), re.sub(end, f"other_{name}", text)]


def test_a_view_without_a_port_is_noticed(tmp_path):
    """Each port of each view, taken out or renamed: the comparison names it."""
    config = load_config("tiny", ["storage=latch", "rows=3", "cols=2"])
    write_views(config, tmp_path)
    unnoticed = []
    for path in sorted((tmp_path / FOLDER).iterdir()):
        whole = path.read_text()
        if not view_kind(path) or (path.stem != config.module and path.suffix == ".sdc"):
            continue
        for port in macro_ports(config):
            for text in damaged(path, port):
                path.write_text(text)
                if not compare_ports(macro_ports(config), read_ports(path)):
                    unnoticed.append(f"{path.name}: {port.name}")
        path.write_text(whole)
    assert unnoticed == []
    assert view_faults(config, tmp_path / FOLDER) == []


def test_widths_and_directions_are_compared():
    ports = [Port("a", "input", 4), Port("b", "output", 1)]
    seen = {"a": ("output", 3), "b": ("output", 1), "c": ("input", 1)}
    told = {name: type("Seen", (), {"direction": d, "width": w}) for name, (d, w) in seen.items()}
    assert compare_ports(ports, told) == [
        "c is no port",
        "a is output, not input",
        "a has 3 bits, not 4",
    ]


def test_yosys_takes_the_black_box(tmp_path):
    config = load_config("tiny", ["storage=latch"])
    write_views(config, tmp_path)
    name = config.module
    modules = netlist(tmp_path / FOLDER, f"read_verilog {name}_bb.v")
    assert modules[name]["attributes"].get("blackbox")
    ports = modules[name]["ports"]
    found = [Port(n, p["direction"], len(p["bits"])) for n, p in ports.items()]
    assert sorted(found) == sorted(macro_ports(config))


def test_flows_are_given_files_that_are_there(tmp_path):
    config = load_config("tiny", ["storage=latch"])
    emit_macro(config, tmp_path)
    folder, name = tmp_path / FOLDER, config.module
    write_views(config, tmp_path, clock=4.0)
    harden = json.loads((folder / "harden_librelane.json").read_text())
    assert harden["CLOCK_PERIOD"] == 4.0
    assert harden["DESIGN_NAME"] == name
    assert harden["SYNTH_HIERARCHY_MODE"] == "keep"  # the constraints name instances
    named = re.findall(r'"dir::([^"]+)"', json.dumps(harden))
    text = (folder / "harden_orfs.mk").read_text()
    named += re.findall(r"\$\(HERE\)/(\S+)", text)
    assert len(named) == 8
    assert [file for file in named if not (folder / file).is_file()] == []
    use = json.loads((folder / "use_librelane.json").read_text())["MACROS"][name]
    # what hardening and a library leave are named, and not here yet
    missing = [
        f for f in re.findall(r'"dir::([^"]+)"', json.dumps(use)) if not (folder / f).exists()
    ]
    assert missing == [f"{name}.gds", f"{name}.lib"]
    assert "set period 4 " in (folder / f"{name}.sdc").read_text()


@pytest.mark.parametrize(
    ("library", "orfs", "pdk", "cells"),
    [
        ("sg13g2_stdcell_typ_1p20V_25C", "ihp-sg13g2", "ihp-sg13g2", "sg13g2_stdcell"),
        ("sky130_fd_sc_hd__tt_025C_1v80", "sky130hd", "sky130A", "sky130_fd_sc_hd"),
        ("NangateOpenCellLibrary", "nangate45", None, None),
        (
            "gf180mcu_fd_sc_mcu7t5v0__tt_025C_3v30",
            *("gf180", "gf180mcuD", "gf180mcu_fd_sc_mcu7t5v0"),
        ),
        ("osu018_stdcells", None, None, None),
        ("", None, None, None),
    ],
)
def test_flows_harden_on_the_platform_of_the_library(library, orfs, pdk, cells):
    config = load_config("tiny", [])
    files = flow_settings(config, macro_ports(config), 4.0, library)
    harden = json.loads(files["harden_librelane.json"])
    assert harden["PDK"] == (pdk or "SET-THIS-TO-YOUR-PDK")
    assert harden.get("STD_CELL_LIBRARY") == cells
    lines = files["harden_orfs.mk"].split("\n")
    assert ("export PLATFORM" in lines) == (orfs is None)
    assert [line for line in lines if "PLATFORM ?=" in line] == (
        [f"export PLATFORM ?= {orfs}"] if orfs else []
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on PATH")
def test_a_platform_that_nobody_chose_is_asked_for(tmp_path):
    config = load_config("tiny", [])
    path = tmp_path / "harden_orfs.mk"
    path.write_text(flow_settings(config, macro_ports(config), 4.0)[path.name] + "\nall:\n")
    environment = {"PATH": os.environ["PATH"]}

    def made(*words):
        words = ("make", "-f", path, *words)
        return subprocess.run(words, env=environment, capture_output=True, text=True)

    assert "PLATFORM: set it to that of your cells" in made().stderr
    assert made("PLATFORM=sky130hd").returncode == 0


def test_views_are_the_same_each_time_and_old_ones_go(tmp_path):
    config = load_config("tiny", [])
    for folder in (tmp_path / "a", tmp_path / "b"):
        write_views(config, folder)
    first, second = (sorted((tmp_path / f / FOLDER).iterdir()) for f in "ab")
    assert [p.name for p in first] == [p.name for p in second]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    other = load_config("tiny", ["name=other"])
    write_views(other, tmp_path / "a")
    assert not [p.name for p in (tmp_path / "a" / FOLDER).iterdir() if config.module in p.name]
